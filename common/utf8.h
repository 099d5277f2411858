// Text from the web is bytes that claim to be text.
#pragma once

#include <string>
#include <string_view>

namespace trawl {

/// The text with every ill-formed UTF-8 sequence replaced by U+FFFD.
std::string ValidUtf8(std::string_view bytes);

/// At most `limit` bytes of a valid UTF-8 text, cut between characters.
std::string_view CutUtf8(std::string_view text, std::size_t limit);

}  // namespace trawl

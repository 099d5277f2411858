// Base64 as RFC 4648, section 4, has it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trawl {

/// The bytes that a text in base64 stands for; the "=" at its end may be missing. Nothing when
/// another character is in it, or when it cannot be a whole number of bytes.
std::optional<std::string> DecodeBase64(std::string_view text);

/// With "=" at its end where the bytes do not fill it.
std::string EncodeBase64(std::string_view bytes);

}  // namespace trawl

// What a page's first bytes declare of its encoding.
#pragma once

#include <optional>
#include <string_view>

#include "worker/charset.h"

namespace trawl {

/// "Prescan a byte stream to determine its encoding" (HTML Standard, section 13.2.3.2); `head` is
/// all that is scanned.
std::optional<Encoding> Prescan(std::string_view head);

}  // namespace trawl

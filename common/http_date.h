// Dates of HTTP headers, in whatever form servers write them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace trawl {

/// RFC 6265, section 5.1.1, which takes all that RFC 9110, section 5.6.7, does, and more. Dates
/// that the clock cannot hold are its end or its beginning.
std::optional<std::chrono::system_clock::time_point> ParseHttpDate(std::string_view text);

}  // namespace trawl

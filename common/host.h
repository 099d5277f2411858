// Hosts: host parsing and serializing (URL Standard, sections 3.5 and 3.6) for special schemes.
#pragma once

#include <string>
#include <string_view>

namespace trawl {

/// Appends the serialised host to `out`: a domain in ASCII, an IPv4 address in four decimal numbers
/// or an IPv6 address in brackets. `host` is valid UTF-8 as it stands in a URL, percent-escapes and
/// brackets included. False when it is not a valid host; `out` then ends in garbage.
[[nodiscard]] bool AppendHost(std::string_view host, std::string& out);

/// The value of a hexadecimal digit, -1 for any other character.
constexpr int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte that `text` begins with as a percent-escape, such as 0x2F for "%2f"; -1 when it does
/// not begin with one.
constexpr int EscapedByte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = HexValue(text[1]);
  const int low = HexValue(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace trawl

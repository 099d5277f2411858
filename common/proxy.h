// The HTTP proxy that --proxy names: "http://[USER:PASSWORD@]HOST[:PORT]".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trawl {

struct Proxy {
  std::string host;  // an IPv6 address in brackets
  std::uint16_t port = 80;
  std::string authorization;  // the value of Proxy-Authorization; empty: none

  friend bool operator==(const Proxy&, const Proxy&) = default;
};

/// None when `text` is anything but a proxy. User and password may have percent-escapes.
std::optional<Proxy> ParseProxy(std::string_view text);

}  // namespace trawl

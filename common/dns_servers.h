// The DNS servers that --dns names: "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53",
// several with commas between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

struct DnsServer {
  std::string address;  // IPv4, or IPv6 without brackets
  std::uint16_t port = 53;

  friend bool operator==(const DnsServer&, const DnsServer&) = default;
};

/// In the order in which to ask them; none when `text` is anything but a list of servers.
std::optional<std::vector<DnsServer>> ParseDnsServers(std::string_view text);

}  // namespace trawl

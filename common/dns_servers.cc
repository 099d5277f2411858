#include "common/dns_servers.h"

#include <arpa/inet.h>

#include <charconv>

namespace trawl {
namespace {

bool IsAddress(int family, const std::string& text) {
  in6_addr bytes;  // has room for either family
  return inet_pton(family, text.c_str(), &bytes) == 1;
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<DnsServer> ParseServer(std::string_view text) {
  if (std::string whole(text); IsAddress(AF_INET6, whole)) return DnsServer{std::move(whole)};

  int family = AF_INET;
  std::string_view address = text.substr(0, text.find(':'));
  std::string_view rest = text.substr(address.size());
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    family = AF_INET6;
    address = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  }
  DnsServer server{std::string(address)};
  if (!IsAddress(family, server.address)) return std::nullopt;
  if (rest.empty()) return server;
  const auto port = rest.starts_with(':') ? ParsePort(rest.substr(1)) : std::nullopt;
  if (!port) return std::nullopt;
  server.port = *port;
  return server;
}

}  // namespace

std::optional<std::vector<DnsServer>> ParseDnsServers(std::string_view text) {
  std::vector<DnsServer> servers;
  for (;;) {
    const std::size_t comma = text.find(',');
    auto server = ParseServer(text.substr(0, comma));
    if (!server) return std::nullopt;
    servers.push_back(*std::move(server));
    if (comma == std::string_view::npos) return servers;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace trawl

#include "common/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace trawl {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Ipv4 = std::array<std::uint8_t, 4>;
using Ipv6 = std::array<std::uint8_t, 16>;

template <class Address>
struct Prefix {
  Address first;
  int bits;

  bool Contains(Bytes address) const {
    const std::size_t whole = bits / 8;
    if (!std::equal(first.begin(), first.begin() + whole, address.begin())) return false;
    const int rest = bits % 8;
    return rest == 0 || (first[whole] ^ address[whole]) >> (8 - rest) == 0;
  }
};

// PCP's and TURN's anycast addresses, globally reachable by the registry, lead to the gateway of
// one's own network. So they stay in the ranges around them: 192.0.0.0/24 here, 2001::/23 below.
constexpr std::array kNotPublicIpv4 = {
    Prefix<Ipv4>{{0, 0, 0, 0}, 8},        // "this network", RFC 791
    Prefix<Ipv4>{{10, 0, 0, 0}, 8},       // private, RFC 1918
    Prefix<Ipv4>{{100, 64, 0, 0}, 10},    // shared with the provider, RFC 6598
    Prefix<Ipv4>{{127, 0, 0, 0}, 8},      // loopback, RFC 1122
    Prefix<Ipv4>{{169, 254, 0, 0}, 16},   // link-local, cloud metadata, RFC 3927
    Prefix<Ipv4>{{172, 16, 0, 0}, 12},    // private, RFC 1918
    Prefix<Ipv4>{{192, 0, 0, 0}, 24},     // protocol assignments, RFC 6890
    Prefix<Ipv4>{{192, 0, 2, 0}, 24},     // documentation, RFC 5737
    Prefix<Ipv4>{{192, 88, 99, 0}, 24},   // 6to4 relays, withdrawn by RFC 7526
    Prefix<Ipv4>{{192, 168, 0, 0}, 16},   // private, RFC 1918
    Prefix<Ipv4>{{198, 18, 0, 0}, 15},    // benchmarks, RFC 2544
    Prefix<Ipv4>{{198, 51, 100, 0}, 24},  // documentation, RFC 5737
    Prefix<Ipv4>{{203, 0, 113, 0}, 24},   // documentation, RFC 5737
    Prefix<Ipv4>{{224, 0, 0, 0}, 4},      // multicast, RFC 5771
    Prefix<Ipv4>{{240, 0, 0, 0}, 4},      // reserved and broadcast, RFC 1112, RFC 919
};

bool IsPublicIpv4(Bytes address) {
  return std::ranges::none_of(kNotPublicIpv4,
                              [&](const auto& prefix) { return prefix.Contains(address); });
}

// What decides about the addresses of an IPv6 range.
enum class Kind {
  kPublic,
  kNotPublic,
  kIpv4AtByte2,   // 6to4
  kIpv4AtByte12,  // mapped, NAT64
  kTeredo,        // the server's IPv4 address at byte 4, the client's inverted at byte 12
};

struct Range {
  Prefix<Ipv6> prefix;
  Kind kind;
};

// The first range that holds an address decides, so a range stands above the one around it.
constexpr std::array kIpv6Ranges = {
    Range{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, Kind::kIpv4AtByte12},  // RFC 4291
    Range{{{0x00, 0x64, 0xff, 0x9b}, 96}, Kind::kIpv4AtByte12},                    // RFC 6052

    Range{{{0x20, 0x01, 0x00, 0x00}, 32}, Kind::kTeredo},              // RFC 4380
    Range{{{0x20, 0x01, 0x00, 0x03}, 32}, Kind::kPublic},              // AMT, RFC 7450
    Range{{{0x20, 0x01, 0x00, 0x04, 0x01, 0x12}, 48}, Kind::kPublic},  // AS112, RFC 7535
    Range{{{0x20, 0x01, 0x00, 0x20}, 28}, Kind::kPublic},              // ORCHIDv2, RFC 7343
    Range{{{0x20, 0x01, 0x00, 0x30}, 28}, Kind::kPublic},              // drones, RFC 9374
    Range{{{0x20, 0x01}, 23}, Kind::kNotPublic},                       // protocols, RFC 2928
    Range{{{0x20, 0x01, 0x0d, 0xb8}, 32}, Kind::kNotPublic},           // documentation, RFC 3849
    Range{{{0x20, 0x02}, 16}, Kind::kIpv4AtByte2},                     // RFC 3056
    Range{{{0x3f, 0xff}, 20}, Kind::kNotPublic},                       // documentation, RFC 9637

    // Global unicast. Outside of it lie loopback, local NAT64 (64:ff9b:1::/48), discard (100::/64),
    // segment routing (5f00::/16), unique local (fc00::/7), link-local (fe80::/10), site-local
    // (fec0::/10), multicast (ff00::/8), and what is not assigned.
    Range{{{0x20}, 3}, Kind::kPublic},
};

bool IsPublicTeredo(Bytes address) {
  Ipv4 client;
  std::ranges::transform(address.last<4>(), client.begin(),
                         [](std::uint8_t byte) { return static_cast<std::uint8_t>(~byte); });
  return IsPublicIpv4(address.subspan<4, 4>()) && IsPublicIpv4(client);
}

bool IsPublicIpv6(Bytes address) {
  const auto range = std::ranges::find_if(
      kIpv6Ranges, [&](const Range& range) { return range.prefix.Contains(address); });
  if (range == kIpv6Ranges.end()) return false;
  switch (range->kind) {
    case Kind::kPublic:
      return true;
    case Kind::kNotPublic:
      return false;
    case Kind::kIpv4AtByte2:
      return IsPublicIpv4(address.subspan<2, 4>());
    case Kind::kIpv4AtByte12:
      return IsPublicIpv4(address.last<4>());
    case Kind::kTeredo:
      return IsPublicTeredo(address);
  }
  return false;
}

bool IsLocalhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace

bool IsPublicAddress(Bytes bytes) {
  if (bytes.size() == 4) return IsPublicIpv4(bytes);
  return bytes.size() == 16 && IsPublicIpv6(bytes);
}

bool IsPrivateHost(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    const std::string literal(host.substr(1, host.size() - 2));
    Ipv6 address;
    return inet_pton(AF_INET6, literal.c_str(), address.data()) != 1 || !IsPublicAddress(address);
  }
  Ipv4 address;
  const bool is_ipv4 = inet_pton(AF_INET, std::string(host).c_str(), address.data()) == 1;
  return is_ipv4 ? !IsPublicAddress(address) : IsLocalhost(host);
}

}  // namespace trawl

// Which IP addresses a crawl of public seeds may connect to.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace trawl {

/// True for a globally reachable unicast address. `bytes` is an address in network order: 4 bytes
/// for IPv4, 16 for IPv6; any other length is not public. Not public are loopback, private,
/// link-local (cloud metadata among them), shared, documentation, benchmark, multicast and reserved
/// ranges (IANA's IPv4 and IPv6 special-purpose address registries, RFC 6890), and IPv6 forms that
/// carry an IPv4 address (mapped, NAT64, 6to4, Teredo) when that address is not public.
bool IsPublicAddress(std::span<const std::uint8_t> bytes);

/// True when the host of a URL by itself names a non-public address: an address literal (IPv6 in
/// brackets) that is not public, or `localhost` and the names under it (RFC 6761, section 6.3).
bool IsPrivateHost(std::string_view host);

}  // namespace trawl

// What a DNS server answered to a question for the addresses of a name (RFC 1035, section 4; RFC
// 3596). Pure; safe for any bytes, in time that is bounded by their number.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trawl {

enum class AddressType : std::uint16_t { kIpv4 = 1, kIpv6 = 28 };  // A, AAAA

struct DnsAnswer {
  // A name may have addresses of the other type when it has none of this one.
  enum class Kind { kAddresses, kNoSuchName, kNoAddress, kFailure };

  Kind kind = Kind::kFailure;
  std::vector<boost::asio::ip::address> addresses = {};  // in the server's order
  // How long it may be used: the least of the records that led to the addresses, or what the zone
  // says of names that it does not have (RFC 2308, section 5), if it does.
  std::optional<std::chrono::seconds> ttl = {};
  std::string detail = {};  // of a failure, for people
};

// Records of a message that are looked at, aliases (CNAME) followed, addresses kept.
inline constexpr std::size_t kMaxDnsRecords = 256;
inline constexpr std::size_t kMaxDnsAliases = 16;
inline constexpr std::size_t kMaxDnsAddresses = 8;

/// `message` is the whole response to the one question that it repeats. Only records that belong to
/// that name, or to one that it is an alias of, count.
DnsAnswer ReadDnsAnswer(std::span<const std::uint8_t> message, AddressType type);

}  // namespace trawl

// Decides what a lookup of a name ends with: its IPv6 and its IPv4 addresses are asked for at once,
// and the answers come in any order or not at all. No I/O; time comes in as `now`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/clock.h"
#include "worker/http/address_cache.h"
#include "worker/http/dns_answer.h"

namespace trawl {

/// How long answers are used. DNS says it; the bounds keep a crawl from asking for every page and
/// from holding on to a server that has moved.
struct AddressTtls {
  milliseconds min{30'000};
  milliseconds max{3'600'000};
  milliseconds max_absent{900'000};    // that a name does not exist, when the zone says how long
  milliseconds absent{60'000};         // when it does not say
  milliseconds server_failure{5'000};  // that nobody could tell
};

class AddressLookup {
 public:
  // RFC 8305, section 3: with addresses of one type, wait no longer for those of the other.
  static constexpr milliseconds kResolutionDelay{50};

  AddressLookup(std::string name, TimePoint give_up) : name_(std::move(name)), due_(give_up) {}

  void Put(AddressType type, DnsAnswer answer, TimePoint now);

  /// Both answers are there.
  bool complete() const { return ipv4_ && ipv6_; }
  /// When to conclude with what is there.
  TimePoint due() const { return due_; }

  struct Conclusion {
    std::shared_ptr<const Resolution> resolution;
    milliseconds ttl;
  };
  /// With the answers so far. May be called again when a late one has come.
  Conclusion Conclude(const AddressTtls& ttls) const;

 private:
  Conclusion ConcludeWithout(const AddressTtls& ttls) const;

  const std::string name_;
  TimePoint due_;
  std::optional<DnsAnswer> ipv6_;
  std::optional<DnsAnswer> ipv4_;
};

}  // namespace trawl

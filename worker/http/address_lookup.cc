#include "worker/http/address_lookup.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace trawl {

using std::chrono::seconds;
using Kind = DnsAnswer::Kind;

void AddressLookup::Put(AddressType type, DnsAnswer answer, TimePoint now) {
  if (answer.kind == Kind::kAddresses) due_ = std::min(due_, now + kResolutionDelay);
  (type == AddressType::kIpv6 ? ipv6_ : ipv4_) = std::move(answer);
}

AddressLookup::Conclusion AddressLookup::Conclude(const AddressTtls& ttls) const {
  auto resolution = std::make_shared<Resolution>();
  milliseconds ttl = ttls.max;
  for (const auto* answer : {&ipv6_, &ipv4_}) {
    if (!*answer || (*answer)->kind != Kind::kAddresses) continue;
    const auto& addresses = (*answer)->addresses;
    resolution->addresses.insert(resolution->addresses.end(), addresses.begin(), addresses.end());
    ttl = std::min<milliseconds>(ttl, (*answer)->ttl.value_or(seconds(0)));
  }
  if (resolution->addresses.empty()) return ConcludeWithout(ttls);
  return {std::move(resolution), std::max(ttl, ttls.min)};
}

AddressLookup::Conclusion AddressLookup::ConcludeWithout(const AddressTtls& ttls) const {
  auto resolution = std::make_shared<Resolution>();
  resolution->error = Error::kDns;
  std::string problem = "no address";
  std::optional<seconds> least;
  for (const auto* answer : {&ipv6_, &ipv4_}) {
    if (!*answer || (*answer)->kind == Kind::kFailure) {
      const bool told = *answer && !(*answer)->detail.empty();
      resolution->detail =
          name_ + ": " + (told ? (*answer)->detail : "no answer from a DNS server");
      return {std::move(resolution), ttls.server_failure};
    }
    if ((*answer)->kind == Kind::kNoSuchName) problem = "no such name";
    if (const auto ttl = (*answer)->ttl) least = least ? std::min(*least, *ttl) : *ttl;
  }
  resolution->permanent = true;
  resolution->detail = name_ + ": " + problem;
  const milliseconds ttl =
      least ? std::clamp<milliseconds>(*least, ttls.min, ttls.max_absent) : ttls.absent;
  return {std::move(resolution), ttl};
}

}  // namespace trawl

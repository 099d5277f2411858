// A message of a DNS server.
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz.h"
#include "worker/http/dns_answer.h"

namespace trawl {
namespace {

DnsAnswer Read(std::string_view message, AddressType type) {
  return ReadDnsAnswer({reinterpret_cast<const std::uint8_t*>(message.data()), message.size()},
                       type);
}

}  // namespace

void FuzzOne(std::string_view input) {
  for (const AddressType type : {AddressType::kIpv4, AddressType::kIpv6}) {
    const DnsAnswer answer = Read(input, type);
    const bool found = answer.kind == DnsAnswer::Kind::kAddresses;
    Check(found == !answer.addresses.empty(), "addresses are what was asked for", {input});
    Check(answer.addresses.size() <= kMaxDnsAddresses, "there are not too many", {input});
    Check(!found || answer.ttl, "they last for a time", {input});
    for (const auto& address : answer.addresses) {
      Check(address.is_v4() == (type == AddressType::kIpv4), "they are of the type", {input});
    }
    const bool failed = answer.kind == DnsAnswer::Kind::kFailure;
    Check(failed == !answer.detail.empty(), "a failure says why", {input});
    if (!found) continue;
    const DnsAnswer longer = Read(std::string(input) + "more", type);
    Check(longer.addresses == answer.addresses, "what follows does not matter", {input});
  }
}

}  // namespace trawl

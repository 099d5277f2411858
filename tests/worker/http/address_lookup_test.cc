#include "worker/http/address_lookup.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

using std::chrono::seconds;
using Kind = DnsAnswer::Kind;

const TimePoint kBegun = TimePoint() + std::chrono::hours(1);
const TimePoint kGiveUp = kBegun + seconds(8);
constexpr AddressTtls kTtls{.min = seconds(10),
                            .max = seconds(1'000),
                            .max_absent = seconds(500),
                            .absent = seconds(60),
                            .server_failure = seconds(5)};

DnsAnswer Has(int ttl_seconds) {
  return {.kind = Kind::kAddresses,
          .addresses = {boost::asio::ip::make_address("192.0.2.1")},
          .ttl = seconds(ttl_seconds)};
}
DnsAnswer HasNot(Kind kind, std::optional<seconds> ttl = {}) { return {.kind = kind, .ttl = ttl}; }
const DnsAnswer kFailed{.kind = Kind::kFailure, .detail = "broken"};

TEST(AddressLookup, ConcludesFromBothAnswers) {
  const struct {
    std::optional<DnsAnswer> ipv6;
    std::optional<DnsAnswer> ipv4;
    std::size_t addresses;
    bool permanent;
    int ttl_seconds;
    const char* detail;
  } cases[] = {
      {Has(50), Has(40), 2, false, 40, ""},
      {Has(5), Has(40), 2, false, 10, ""},
      {Has(5'000), Has(4'000), 2, false, 1'000, ""},
      {HasNot(Kind::kNoAddress, seconds(20)), Has(40), 1, false, 40, ""},
      {HasNot(Kind::kNoSuchName), Has(40), 1, false, 40, ""},
      {kFailed, Has(40), 1, false, 40, ""},
      {{}, Has(40), 1, false, 40, ""},
      {Has(40), {}, 1, false, 40, ""},
      {HasNot(Kind::kNoSuchName), HasNot(Kind::kNoSuchName), 0, true, 60, "a.test: no such name"},
      {HasNot(Kind::kNoAddress), HasNot(Kind::kNoAddress), 0, true, 60, "a.test: no address"},
      {HasNot(Kind::kNoAddress), HasNot(Kind::kNoSuchName), 0, true, 60, "a.test: no such name"},
      {HasNot(Kind::kNoAddress, seconds(30)), HasNot(Kind::kNoAddress, seconds(20)), 0, true, 20,
       "a.test: no address"},
      {HasNot(Kind::kNoAddress), HasNot(Kind::kNoAddress, seconds(5)), 0, true, 10,
       "a.test: no address"},
      {HasNot(Kind::kNoAddress), HasNot(Kind::kNoAddress, seconds(5'000)), 0, true, 500,
       "a.test: no address"},
      {kFailed, HasNot(Kind::kNoSuchName), 0, false, 5, "a.test: broken"},
      {HasNot(Kind::kNoSuchName), kFailed, 0, false, 5, "a.test: broken"},
      {{}, HasNot(Kind::kNoAddress), 0, false, 5, "a.test: no answer from a DNS server"},
      {{}, {}, 0, false, 5, "a.test: no answer from a DNS server"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(&c - cases);
    AddressLookup lookup("a.test", kGiveUp);
    if (c.ipv6) lookup.Put(AddressType::kIpv6, *c.ipv6, kBegun);
    if (c.ipv4) lookup.Put(AddressType::kIpv4, *c.ipv4, kBegun);
    EXPECT_EQ(lookup.complete(), c.ipv6 && c.ipv4);
    const auto [resolution, ttl] = lookup.Conclude(kTtls);
    EXPECT_EQ(resolution->addresses.size(), c.addresses);
    EXPECT_EQ(resolution->permanent, c.permanent);
    EXPECT_EQ(resolution->detail, c.detail);
    EXPECT_EQ(resolution->error, c.addresses > 0 ? boost::system::error_code() : Error::kDns);
    EXPECT_EQ(ttl, seconds(c.ttl_seconds));
  }
}

TEST(AddressLookup, WaitsForTheOtherTypeOnlyShortlyWhenThereAreAddresses) {
  const TimePoint answered = kBegun + milliseconds(10);
  const struct {
    DnsAnswer first;
    TimePoint due;
  } cases[] = {
      {Has(60), answered + AddressLookup::kResolutionDelay},
      {HasNot(Kind::kNoAddress), kGiveUp},
      {HasNot(Kind::kNoSuchName), kGiveUp},
      {kFailed, kGiveUp},
  };
  for (const auto& c : cases) {
    for (const AddressType type : {AddressType::kIpv4, AddressType::kIpv6}) {
      AddressLookup lookup("a.test", kGiveUp);
      EXPECT_EQ(lookup.due(), kGiveUp);
      lookup.Put(type, c.first, answered);
      EXPECT_EQ(lookup.due(), c.due);
    }
  }
}

TEST(AddressLookup, GivesUpWhenItIsTimeWhateverHasJustCome) {
  AddressLookup lookup("a.test", kGiveUp);
  lookup.Put(AddressType::kIpv4, Has(60), kGiveUp - milliseconds(1));
  EXPECT_EQ(lookup.due(), kGiveUp);
}

}  // namespace
}  // namespace trawl

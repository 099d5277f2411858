// A crawl of public seeds connects to public addresses only, whatever DNS says and whenever.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/fetch_runner.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

// Public by the rule, and of nobody: ORCHIDs (RFC 7343) are no addresses to send packets to.
constexpr const char* kNowhere = "2001:20::1";

class AddressRuleTest : public ::testing::Test {
 protected:
  Fetched Get() {
    FetchRequest request = FetchRunner::Request("http://a.test:" + std::to_string(site_.port()));
    request.private_allowed = false;
    request.limits.connect = milliseconds(300);
    return runner_.Get(std::move(request));
  }

  void ExpectRefused(const Fetched& fetched) {
    EXPECT_EQ(fetched.outcome.error, Error::kAddress) << fetched.outcome.detail;
    EXPECT_TRUE(fetched.outcome.permanent);
  }
  /// It was allowed, though nobody was there.
  void ExpectTried(const Fetched& fetched) {
    EXPECT_TRUE(fetched.outcome.error == Error::kConnect ||
                fetched.outcome.error == Error::kTimeout)
        << fetched.outcome.detail;
    EXPECT_NE(fetched.outcome.detail.find(std::string("connect to [") + kNowhere + "]"),
              std::string::npos)
        << fetched.outcome.detail;
  }
  void ExpectSiteUntouched() { EXPECT_EQ(site_.connection_count(), 0u); }

  TestSite site_;
  FetchRunner runner_;
};

TEST_F(AddressRuleTest, HoldsForWhateverANameResolvesTo) {
  for (const char* address :
       {"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "169.254.169.254", "192.168.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1"}) {
    SCOPED_TRACE(address);
    runner_.dns().names["a.test"].addresses = {address};
    runner_.Restart();
    ExpectRefused(Get());
  }
  ExpectSiteUntouched();
}

TEST_F(AddressRuleTest, HoldsForEachAddressOfAName) {
  runner_.dns().names["a.test"].addresses = {"127.0.0.1", "::1", kNowhere, "::ffff:127.0.0.1"};
  ExpectTried(Get());
  ExpectSiteUntouched();
}

TEST_F(AddressRuleTest, HoldsWhenANameBecomesAnotherAddress) {
  runner_.dns().names["a.test"] = {
      .addresses = {kNowhere}, .then = {{"127.0.0.1"}}, .ttl_seconds = 0};
  ExpectTried(Get());
  ExpectTried(Get());  // remembered for a while, whatever its TTL
  runner_.Restart();
  ExpectRefused(Get());
  ExpectSiteUntouched();
}

TEST_F(AddressRuleTest, HoldsForTheAddressThatCountsWhenAnotherAnswerIsLate) {
  runner_.dns().names["a.test"] = {.addresses = {"127.0.0.1", kNowhere},
                                   .ipv6_delay = milliseconds(500)};
  ExpectRefused(Get());
  ExpectSiteUntouched();
}

TEST_F(AddressRuleTest, LetsARequestThatMayReachWhatItIsAllowedTo) {
  site_.SetHtml("/", "home");
  runner_.dns().names["a.test"].addresses = {"127.0.0.1"};
  EXPECT_EQ(runner_.Get("http://a.test:" + std::to_string(site_.port())).body, "home");
  // Not even over the connection of that one.
  ExpectRefused(Get());
  EXPECT_EQ(site_.request_count(), 1u);
}

}  // namespace
}  // namespace trawl

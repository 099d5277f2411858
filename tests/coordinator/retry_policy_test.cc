#include "coordinator/retry_policy.h"

#include <gtest/gtest.h>

#include <set>

namespace trawl {
namespace {

constexpr Fingerprint kUrl = 42;

Failed Status(int status) { return {Error::kHttpStatus, "", status}; }

TEST(RetryPolicy, TriesAgainWhatMayPass) {
  for (const Error reason :
       {Error::kTimeout, Error::kDns, Error::kConnect, Error::kReset, Error::kTruncated}) {
    EXPECT_TRUE(IsWorthAnotherTry({reason, ""})) << ReasonWord(reason);
    EXPECT_FALSE(IsWorthAnotherTry({reason, "", 0, true})) << ReasonWord(reason);
  }
  for (const Error reason : {Error::kRobots, Error::kTls, Error::kMalformed, Error::kTooLarge,
                             Error::kContentType, Error::kAddress}) {
    EXPECT_FALSE(IsWorthAnotherTry({reason, ""})) << ReasonWord(reason);
  }
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 522, 524}) {
    EXPECT_TRUE(IsWorthAnotherTry(Status(status))) << status;
  }
  for (const int status : {300, 304, 400, 401, 403, 404, 410, 451, 501, 505}) {
    EXPECT_FALSE(IsWorthAnotherTry(Status(status))) << status;
  }
}

TEST(RetryPolicy, KnowsWhatAnOutcomeSaysOfTheHost) {
  EXPECT_EQ(HealthAfter(Fetched{}), HostHealth::kWell);
  EXPECT_EQ(HealthAfter(Redirected{}), HostHealth::kWell);
  EXPECT_EQ(HealthAfter(Returned{}), HostHealth::kUnknown);
  for (const int status : {400, 404, 410}) {
    EXPECT_EQ(HealthAfter(Status(status)), HostHealth::kWell) << status;
  }
  for (const int status : {500, 502, 504}) {
    EXPECT_EQ(HealthAfter(Status(status)), HostHealth::kUnknown) << status;
  }
  for (const int status : {429, 503}) {
    EXPECT_EQ(HealthAfter(Status(status)), HostHealth::kOverloaded) << status;
  }
  for (const Error reason :
       {Error::kTimeout, Error::kDns, Error::kConnect, Error::kTls, Error::kReset}) {
    EXPECT_EQ(HealthAfter(Failed{reason, ""}), HostHealth::kSilent) << ReasonWord(reason);
    EXPECT_EQ(HealthAfter(Failed{reason, "", 0, true}), HostHealth::kUnknown)
        << "it fails at once, and costs nobody anything";
    EXPECT_EQ(HealthAfter(Failed{reason, "", 200}), HostHealth::kUnknown)
        << "there was an answer, but not to its end";
  }
  for (const Error reason : {Error::kRobots, Error::kAddress}) {
    EXPECT_EQ(HealthAfter(Failed{reason, ""}), HostHealth::kUnknown) << "it was not asked";
  }
  for (const Error reason : {Error::kContentType, Error::kTooLarge}) {
    EXPECT_EQ(HealthAfter(Failed{reason, "", 200}), HostHealth::kWell) << ReasonWord(reason);
  }
}

TEST(RetryPolicy, EndsAfterTheLastRetry) {
  const RetryPolicy policy{2, milliseconds(1'000)};
  EXPECT_TRUE(policy.DelayAfter(Status(500), 0, kUrl));
  EXPECT_TRUE(policy.DelayAfter(Status(500), 1, kUrl));
  EXPECT_FALSE(policy.DelayAfter(Status(500), 2, kUrl));
  EXPECT_FALSE(policy.DelayAfter(Status(404), 0, kUrl));
  EXPECT_FALSE((RetryPolicy{0, milliseconds(1)}.DelayAfter(Status(500), 0, kUrl)));
}

TEST(RetryPolicy, WaitsTwiceAsLongEachTimeGiveOrTakeAHalf) {
  const RetryPolicy policy{100, milliseconds(1'000)};
  milliseconds mean{1'000};
  for (int attempt = 0; attempt < 40; ++attempt) {
    std::set<milliseconds> waits;
    for (Fingerprint url = 0; url < 50; ++url) {
      const milliseconds wait = policy.DelayAfter(Status(500), attempt, url).value();
      EXPECT_GE(wait, mean / 2);
      EXPECT_LE(wait, mean / 2 + mean);
      EXPECT_EQ(wait, policy.DelayAfter(Status(500), attempt, url));
      waits.insert(wait);
    }
    EXPECT_GT(waits.size(), 30u) << "they come back at different times";
    mean = std::min(2 * mean, RetryPolicy::kMaxDelay);
  }
}

TEST(RetryPolicy, WaitsAsLongAsTheServerAsks) {
  const RetryPolicy policy{2, milliseconds(1'000)};
  const Failed asks{Error::kHttpStatus, "", 503, false, milliseconds(60'000)};
  EXPECT_EQ(policy.DelayAfter(asks, 0, kUrl), milliseconds(60'000));
  const Failed asks_for_little{Error::kHttpStatus, "", 503, false, milliseconds(1)};
  EXPECT_GE(policy.DelayAfter(asks_for_little, 0, kUrl), milliseconds(500));
}

}  // namespace
}  // namespace trawl

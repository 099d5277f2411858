#include "coordinator/frontier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace trawl {
namespace {

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);
constexpr int kNoLimit = 1'000;
constexpr HostBudget kQuick{4, milliseconds(0)};
constexpr HostBudget kPolite{2, milliseconds(100)};

/// Ends a lease and tells of it as a worker's report would.
void End(Frontier& frontier, const Frontier::Grant& grant) {
  frontier.Probed(grant.host, milliseconds(0));
  frontier.Release(grant.host, grant.terms.connections, true);
}

TEST(Frontier, HostsTakeTurns) {
  Frontier frontier(RoundMode::kExact, kQuick);
  for (const char* host : {"a", "b", "c"}) {
    frontier.Probed(host, milliseconds(0));
    frontier.Add(host, 0, 100);
  }
  std::string order;
  for (int i = 0; i < 6; ++i) order += frontier.Lease(2, 1, kNow).value().host;
  EXPECT_EQ(order, "abcabc");
}

TEST(Frontier, ExactRoundsLeaseTheOpenDepthOnly) {
  Frontier frontier(RoundMode::kExact, kPolite);
  frontier.Add("a", 1, 1);
  frontier.Add("b", 2, 1);
  EXPECT_FALSE(frontier.Lease(1, kNoLimit, kNow));
  EXPECT_EQ(frontier.LeastDepth(), 1);

  frontier.OpenRound(1);
  const auto first = frontier.Lease(1, kNoLimit, kNow);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->host, "a");
  EXPECT_EQ(first->depth, 1);
  EXPECT_FALSE(frontier.Lease(1, kNoLimit, kNow));
  EXPECT_EQ(frontier.LeastDepth(), 2);

  frontier.OpenRound(2);
  EXPECT_EQ(frontier.Lease(1, kNoLimit, kNow).value().host, "b");
  EXPECT_EQ(frontier.LeastDepth(), -1);
}

constexpr milliseconds kPatience = Frontier::kTailPatience;
constexpr HostBudget kWide{100, milliseconds(0)};

/// Where the next lease is; "" for none.
std::string NextLease(Frontier& frontier, TimePoint now) {
  const auto grant = frontier.Lease(1, kNoLimit, now);
  return grant ? grant->host + ' ' + std::to_string(grant->depth) : "";
}

TEST(Frontier, AHostRunsOneRoundAheadSomeTimeAfterTheLastUrlOfItsOwn) {
  Frontier frontier(RoundMode::kExact, kWide);
  frontier.Probed("a", milliseconds(0));
  frontier.Add("a", 0, 1);
  frontier.Add("a", 1, 1);
  frontier.Add("a", 2, 1);
  EXPECT_EQ(NextLease(frontier, kNow), "a 0");
  EXPECT_EQ(NextLease(frontier, kNow), "");
  EXPECT_EQ(NextLease(frontier, kNow + kPatience - milliseconds(1)), "");
  EXPECT_EQ(NextLease(frontier, kNow + kPatience), "a 1");
  frontier.Add("a", 1, 1);
  EXPECT_EQ(NextLease(frontier, kNow + kPatience), "a 1") << "it need not wait again";
  EXPECT_EQ(NextLease(frontier, kNow + 9 * kPatience), "");
  frontier.OpenRound(1);
  EXPECT_EQ(NextLease(frontier, kNow + 9 * kPatience), "");
  EXPECT_EQ(NextLease(frontier, kNow + 10 * kPatience), "a 2");
}

TEST(Frontier, AHostThatHasUrlsOfItsRoundDoesNotRunAheadAndIsNoHindranceToOthers) {
  Frontier frontier(RoundMode::kExact, kPolite);
  frontier.Add("a", 0, 2);
  frontier.Add("a", 1, 1);
  frontier.Add("b", 1, 1);
  const auto first = frontier.Lease(1, 1, kNow);
  EXPECT_EQ(first.value().host, "a");
  EXPECT_EQ(NextLease(frontier, kNow), "");
  EXPECT_EQ(NextLease(frontier, kNow + kPatience), "b 1");
  EXPECT_EQ(NextLease(frontier, kNow + kPatience), "") << "a is leased";
  End(frontier, *first);
  EXPECT_EQ(NextLease(frontier, kNow + kPatience), "a 0");
}

TEST(Frontier, AUrlOfItsRoundThatComesLateStopsAHostThatRunsAhead) {
  Frontier frontier(RoundMode::kExact, kWide);
  frontier.Probed("a", milliseconds(0));
  frontier.Add("a", 1, 999);
  EXPECT_EQ(NextLease(frontier, kNow), "");
  TimePoint now = kNow + kPatience;
  EXPECT_TRUE(frontier.Lease(1, 1, now));
  frontier.Add("a", 0, 1);
  EXPECT_EQ(NextLease(frontier, now), "a 0");
  EXPECT_EQ(NextLease(frontier, now), "");
  EXPECT_EQ(NextLease(frontier, now), "");
  now += kPatience;
  EXPECT_EQ(NextLease(frontier, now), "a 1");
}

TEST(Frontier, NothingRunsAheadOfTheDepthLimitNorWhereItMayNot) {
  for (const Frontier::Limits limits : {Frontier::Limits{0, true}, Frontier::Limits{9, false}}) {
    Frontier frontier(RoundMode::kExact, kQuick, limits);
    frontier.Add("a", 1, 1);
    EXPECT_EQ(NextLease(frontier, kNow), "");
    EXPECT_EQ(NextLease(frontier, kNow + kPatience), "");
  }
}

TEST(Frontier, AHostInTroubleDoesNotRunAheadBeforeItAnswersWell) {
  Frontier frontier(RoundMode::kExact, kQuick);
  frontier.Add("a", 1, 1);
  frontier.At("a").BackOff(milliseconds(0), kNow);
  EXPECT_EQ(NextLease(frontier, kNow), "");
  EXPECT_EQ(NextLease(frontier, kNow + 99 * kPatience), "");
  frontier.At("a").Recovered();
  frontier.Probed("a", milliseconds(0));
  EXPECT_EQ(NextLease(frontier, kNow + 99 * kPatience), "a 1");
}

TEST(Frontier, AHolderIsGrantedMoreOnceItHasCredit) {
  Frontier frontier(RoundMode::kExact, kPolite);
  frontier.Probed("a", milliseconds(0));
  frontier.Add("a", 0, 100);
  int credit = 0;
  const auto credit_of = [&](const std::string& worker) { return worker == "w" ? credit : 99; };
  ASSERT_TRUE(frontier.Lease(1, 4, kNow));
  frontier.At("a").HeldBy("w");
  EXPECT_FALSE(frontier.LeaseToHolder(credit_of, kNow)) << "both connections are in use";
  frontier.Release("a", 1, false);
  EXPECT_EQ(NextLease(frontier, kNow), "");
  EXPECT_FALSE(frontier.LeaseToHolder(credit_of, kNow));
  credit = 3;
  frontier.Release("a", 0, false);
  EXPECT_EQ(NextLease(frontier, kNow), "");
  const auto more = frontier.LeaseToHolder(credit_of, kNow);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->terms.count, 3);
  EXPECT_EQ(more->terms.connections, 1);
  EXPECT_EQ(frontier.waiting(), 93u);
}

TEST(Frontier, AUrlThatMovesAfterItWasGrantedIsCountedOnce) {
  Frontier frontier(RoundMode::kExact, kQuick);
  frontier.Add("a", 1, 1);
  EXPECT_EQ(NextLease(frontier, kNow), "");
  const auto grant = frontier.Lease(1, kNoLimit, kNow + kPatience);
  ASSERT_EQ(grant.value().terms.count, 1);
  frontier.Move("a", 1, 0);
  EXPECT_EQ(frontier.waiting(), 1u);
  EXPECT_EQ(frontier.LeastDepth(), 0);
  EXPECT_EQ(frontier.Missed("a", 1, 3), 2u);
  End(frontier, *grant);
  EXPECT_EQ(NextLease(frontier, kNow + kPatience), "a 0");
  frontier.Add("a", 1, 1);
  EXPECT_EQ(frontier.waiting(1), 1u);
  EXPECT_EQ(frontier.Missed("a", 1, 1), 1u);
}

TEST(Frontier, ADeferredHostIsLeasedWhenItsTimeHasCome) {
  const milliseconds kWait{500};
  for (const RoundMode mode : {RoundMode::kExact, RoundMode::kFree}) {
    Frontier frontier(mode, kQuick);
    frontier.Add("a", 0);
    frontier.Defer("a", kNow + kWait);
    frontier.Defer("a", kNow + milliseconds(100));  // does not shorten it
    frontier.Add("a", 0, 2);
    frontier.Add("b", 0);
    EXPECT_EQ(frontier.Lease(1, kNoLimit, kNow).value().host, "b") << "others go on";
    EXPECT_FALSE(frontier.Lease(1, kNoLimit, kNow + kWait - milliseconds(1)));
    EXPECT_EQ(frontier.LeastDepth(), 0) << "its round stays open";
    EXPECT_EQ(frontier.Lease(1, kNoLimit, kNow + kWait).value().host, "a");
  }
}

TEST(Frontier, ADeferredHostComesBackHoweverItIsTouchedMeanwhile) {
  Frontier frontier(RoundMode::kExact, kPolite);
  frontier.Add("a", 0, 2);
  const auto grant = frontier.Lease(1, kNoLimit, kNow);
  frontier.Defer("a", kNow + milliseconds(100));
  End(frontier, *grant);
  frontier.Add("a", 1);
  frontier.OpenRound(1);
  EXPECT_FALSE(frontier.Lease(1, kNoLimit, kNow + milliseconds(99)));
  EXPECT_EQ(frontier.Lease(1, kNoLimit, kNow + milliseconds(100)).value().depth, 0);
  EXPECT_FALSE(frontier.Lease(1, kNoLimit, kNow + milliseconds(100))) << "it is leased once";
}

TEST(Frontier, ADeferralOfAHostWithoutUrlsEndsAsWell) {
  Frontier frontier(RoundMode::kExact, kQuick);
  frontier.Defer("a", kNow + milliseconds(100));
  EXPECT_FALSE(frontier.Lease(1, kNoLimit, kNow + milliseconds(100)));
  frontier.Add("a", 0);
  EXPECT_TRUE(frontier.Lease(1, kNoLimit, kNow + milliseconds(100)));
}

TEST(Frontier, AHostThatIsBusyWhenItsRoundOpensComesAgainAfterItsRelease) {
  Frontier frontier(RoundMode::kExact, kPolite);
  frontier.Add("a", 0);
  const auto grant = frontier.Lease(1, kNoLimit, kNow);
  frontier.Add("a", 1);
  frontier.OpenRound(1);
  EXPECT_FALSE(frontier.Lease(1, kNoLimit, kNow));
  End(frontier, *grant);
  EXPECT_EQ(frontier.Lease(1, kNoLimit, kNow).value().depth, 1);
}

TEST(Frontier, FreeModeLeasesAHostsLeastDepthFirst) {
  Frontier frontier(RoundMode::kFree, kPolite);
  frontier.Add("a", 7);
  frontier.Add("a", 3);
  for (int depth : {3, 7}) {
    const auto grant = frontier.Lease(1, kNoLimit, kNow);
    ASSERT_TRUE(grant);
    EXPECT_EQ(grant->depth, depth);
    End(frontier, *grant);
  }
}

TEST(Frontier, AMovedUrlWaitsAtItsNewDepthOnly) {
  Frontier frontier(RoundMode::kExact, kPolite);
  frontier.Add("a", 1, 2);
  frontier.Move("a", 1, 0);
  EXPECT_EQ(frontier.waiting(0), 1u);
  EXPECT_EQ(frontier.waiting(1), 1u);
  EXPECT_EQ(frontier.waiting(), 2u);
  const auto grant = frontier.Lease(1, kNoLimit, kNow);
  ASSERT_TRUE(grant) << "it is in the open round now";
  EXPECT_EQ(grant->depth, 0);
}

TEST(Frontier, AReleaseBringsBackAHostThatItsBudgetHeldBack) {
  Frontier frontier(RoundMode::kExact, kQuick);
  frontier.Probed("a", milliseconds(0));
  frontier.Add("a", 0, 100);
  while (frontier.Lease(1, 2, kNow)) {
  }
  EXPECT_EQ(frontier.At("a").connections_out(), kQuick.connections);
  frontier.Release("a", 2, false);
  EXPECT_TRUE(frontier.Lease(1, 2, kNow));
}

TEST(Frontier, AReportLetsMoreWorkersAtAHostWithoutDelay) {
  Frontier frontier(RoundMode::kExact, kQuick);
  frontier.Add("a", 0, 100);
  ASSERT_TRUE(frontier.Lease(2, kNoLimit, kNow));
  EXPECT_FALSE(frontier.Lease(2, kNoLimit, kNow)) << "its robots.txt is not known";
  frontier.Probed("a", milliseconds(0));
  EXPECT_TRUE(frontier.Lease(2, kNoLimit, kNow));
}

TEST(Frontier, SharesAHostsConnectionsAmongWorkers) {
  const struct {
    int connections, workers, each;
  } kCases[] = {{8, 1, 4},        {8, 2, 2},         {8, 4, 1},         {8, 100, 1}, {1, 1, 1},
                {8, 0, 4},        {15, 7, 1},        {16, 8, 2},        {16, 9, 1},  {17, 8, 2},
                {2'000, 10, 100}, {2'000, 1'000, 2}, {2'000, 10'000, 1}};
  for (const auto& c : kCases) {
    Frontier frontier(RoundMode::kExact, {c.connections, milliseconds(0)});
    frontier.Probed("a", milliseconds(0));
    frontier.Add("a", 0, 10'000);
    EXPECT_EQ(frontier.Lease(c.workers, kNoLimit, kNow).value().terms.connections, c.each);
  }
}

TEST(Frontier, AConnectionThatIsFreeAloneWaitsForAnotherWhereAWorkerHasTwo) {
  Frontier frontier(RoundMode::kExact, {17, milliseconds(0)});
  frontier.Probed("a", milliseconds(0));
  frontier.Add("a", 0, 10'000);
  while (frontier.Lease(8, kNoLimit, kNow)) {
  }
  EXPECT_EQ(frontier.At("a").connections_out(), 16);
  frontier.Release("a", 1, false);
  EXPECT_EQ(frontier.Lease(8, kNoLimit, kNow).value().terms.connections, 2);
  EXPECT_FALSE(frontier.Lease(8, kNoLimit, kNow));
}

TEST(Frontier, LeasesNothingWhenNothingIsAskedForAndForgetsNobody) {
  Frontier frontier(RoundMode::kExact, kPolite);
  frontier.Add("a", 0);
  EXPECT_FALSE(frontier.Lease(1, 0, kNow));
  EXPECT_TRUE(frontier.Lease(1, 1, kNow));
}

TEST(Frontier, AddingNothingMakesNoHost) {
  Frontier frontier(RoundMode::kExact, kPolite);
  frontier.Add("a", 0, 0);
  EXPECT_EQ(frontier.hosts(), 0u);
  EXPECT_EQ(frontier.LeastDepth(), -1);
  EXPECT_FALSE(frontier.Lease(1, kNoLimit, kNow));
}

/// Crawls with random leases, additions, moves and returns; every URL is leased in the end.
void CrawlAtRandom(std::uint64_t seed, RoundMode mode) {
  std::mt19937_64 random(seed);
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  const HostBudget budget{draw(0, 3) > 0 ? draw(1, 5) : draw(6, 40), milliseconds(draw(0, 1) * 50)};
  Frontier frontier(mode, budget);
  constexpr int kDepths = 5;
  std::map<std::pair<std::string, int>, int> model;  // (host, depth) -> waiting
  std::vector<Frontier::Grant> leases;
  const auto host_at_random = [&] { return std::string(1, static_cast<char>('a' + draw(0, 5))); };
  for (int step = 0; step < 300; ++step) {
    const int open = frontier.open_depth();
    const std::string host = host_at_random();
    const int depth = draw(open, std::min(kDepths, open + 1));
    const int action = draw(0, 9);
    if (action < 3) {
      frontier.Add(host, depth, 3);
      model[{host, depth}] += 3;
    } else if (action == 3 && model[{host, open + 1}] > 0) {
      frontier.Move(host, open + 1, open);
      --model[{host, open + 1}];
      ++model[{host, open}];
    } else if (action < 7) {
      if (auto grant = frontier.Lease(draw(1, 3), draw(1, 10), kNow)) {
        int& waiting = model[{grant->host, grant->depth}];
        ASSERT_LE(grant->terms.count, waiting);
        if (mode == RoundMode::kExact) {
          ASSERT_EQ(grant->depth, open);
        }
        waiting -= grant->terms.count;
        leases.push_back(std::move(*grant));
      }
    } else if (!leases.empty()) {
      End(frontier, leases.back());
      leases.pop_back();
    }
    std::uint64_t total = 0;
    for (const auto& [place, count] : model) total += count;
    ASSERT_EQ(frontier.waiting(), total);
  }
  while (frontier.waiting() > 0) {
    if (const auto grant = frontier.Lease(1, kNoLimit, kNow)) {
      End(frontier, *grant);
    } else if (!leases.empty()) {
      End(frontier, leases.back());
      leases.pop_back();
    } else {
      ASSERT_EQ(mode, RoundMode::kExact);
      ASSERT_GT(frontier.LeastDepth(), frontier.open_depth()) << "a URL is never leased";
      frontier.OpenRound(frontier.LeastDepth());
    }
  }
}

TEST(Frontier, LeasesEveryUrlInTheEndWhateverTheOrder) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    CrawlAtRandom(seed, seed % 2 == 0 ? RoundMode::kExact : RoundMode::kFree);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace trawl

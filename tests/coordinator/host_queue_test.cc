#include "coordinator/host_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace trawl {
namespace {

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);
constexpr int kNoLimit = 1'000'000;

HostQueue Probed(int connections, milliseconds delay, milliseconds crawl_delay = milliseconds(0)) {
  HostQueue queue("a.test", {connections, delay});
  queue.Probed(crawl_delay);
  queue.Add(0, 100'000);
  return queue;
}

TEST(HostQueue, CountsWhatWaitsAtEachDepth) {
  HostQueue queue("a.test", {});
  queue.Add(3, 2);
  queue.Add(1, 1);
  queue.Add(3, 5);
  queue.Add(2, 0);
  EXPECT_EQ(queue.waiting(1), 1u);
  EXPECT_EQ(queue.waiting(2), 0u);
  EXPECT_EQ(queue.waiting(3), 7u);
  queue.Remove(3, 6);
  EXPECT_EQ(queue.waiting(3), 1u);
  queue.Remove(3, 1);
  queue.Remove(9, 1);
  EXPECT_EQ(queue.waiting(3), 0u);
  EXPECT_EQ(queue.waiting(1), 1u);
}

TEST(HostQueue, FindsTheLeastDepthOfARange) {
  HostQueue queue("a.test", {});
  EXPECT_EQ(queue.LeastDepth(0, 100), -1);
  for (int depth : {5, 2, 9}) queue.Add(depth, 1);
  const struct {
    int from, to, least;
  } kCases[] = {{0, 100, 2}, {2, 2, 2}, {3, 4, -1}, {3, 5, 5}, {6, 8, -1}, {10, 100, -1}};
  for (const auto& c : kCases) EXPECT_EQ(queue.LeastDepth(c.from, c.to), c.least) << c.from;
  queue.Remove(2, 1);
  EXPECT_EQ(queue.LeastDepth(0, 100), 5);
}

TEST(HostQueue, GivesOneUrlToOneWorkerUntilItsRobotsTxtIsKnown) {
  for (const milliseconds delay : {milliseconds(0), milliseconds(250)}) {
    HostQueue queue("a.test", {8, delay});
    queue.Add(0, 100);
    ASSERT_TRUE(queue.MayLease(1));
    const HostQueue::Grant grant = queue.Lease(0, 4, kNoLimit, kNow);
    EXPECT_EQ(grant.count, 1);
    EXPECT_EQ(grant.connections, 1);
    EXPECT_FALSE(queue.MayLease(1));
    queue.Release(1, true);
    EXPECT_TRUE(queue.MayLease(1));
    EXPECT_EQ(queue.Lease(0, 4, kNoLimit, kNow).count, 1) << "no report has come";
  }
}

TEST(HostQueue, WithADelayIsLeasedToOneWorkerAtATime) {
  HostQueue queue = Probed(4, milliseconds(250));
  const HostQueue::Grant grant = queue.Lease(0, 1, kNoLimit, kNow);
  EXPECT_EQ(grant.connections, 4) << "the one worker has the whole budget";
  queue.Release(3, false);
  EXPECT_FALSE(queue.MayLease(1));
  queue.Release(1, true);
  EXPECT_TRUE(queue.MayLease(1));
}

TEST(HostQueue, APoliteLeaseLastsAFewSeconds) {
  const struct {
    int delay_ms, count;
  } kCases[] = {{1, 64}, {10, 64}, {250, 20}, {1'000, 5}, {5'000, 1}, {3'600'000, 1}};
  for (const auto& c : kCases) {
    HostQueue queue = Probed(1, milliseconds(c.delay_ms));
    EXPECT_EQ(queue.Lease(0, 1, kNoLimit, kNow).count, c.count) << c.delay_ms;
  }
}

TEST(HostQueue, ALongerCrawlDelayWins) {
  const struct {
    int delay_ms, crawl_delay_ms, wins_ms;
  } kCases[] = {{250, 0, 250}, {250, 100, 250}, {250, 2'000, 2'000}, {0, 50, 50}};
  for (const auto& c : kCases) {
    HostQueue queue = Probed(2, milliseconds(c.delay_ms), milliseconds(c.crawl_delay_ms));
    EXPECT_EQ(queue.Lease(0, 1, kNoLimit, kNow).delay, milliseconds(c.wins_ms));
    EXPECT_FALSE(queue.MayLease(1));
  }
}

TEST(HostQueue, WithoutADelayIsSpreadOverWorkersUpToItsConnections) {
  HostQueue queue = Probed(10, milliseconds(0));
  for (int lease = 0; lease < 3; ++lease) {
    ASSERT_TRUE(queue.MayLease(3));
    EXPECT_EQ(queue.Lease(0, 3, kNoLimit, kNow).connections, 3);
  }
  EXPECT_FALSE(queue.MayLease(3)) << "a lease of one connection is not worth its message";
  EXPECT_TRUE(queue.MayLease(1));
  queue.Release(2, false);
  EXPECT_TRUE(queue.MayLease(3));
}

TEST(HostQueue, ALeaseIsBoundedByWhatIsAskedForAndByWhatWaits) {
  const struct {
    int waiting, most, count, connections;
  } kCases[] = {{100, 3, 3, 3}, {100, 1, 1, 1}, {2, 50, 2, 2}, {100, 50, 50, 10}, {1, 1, 1, 1}};
  for (const auto& c : kCases) {
    HostQueue queue("a.test", {10, milliseconds(0)});
    queue.Probed(milliseconds(0));
    queue.Add(7, c.waiting);
    const HostQueue::Grant grant = queue.Lease(7, 10, c.most, kNow);
    EXPECT_EQ(grant.count, c.count);
    EXPECT_EQ(grant.connections, c.connections) << "never more than URLs";
    EXPECT_EQ(queue.connections_out(), c.connections);
    EXPECT_EQ(queue.waiting(7), static_cast<std::uint64_t>(c.waiting - c.count));
  }
}

TEST(HostQueue, SpreadsTheLittleThatWaitsOverAllConnections) {
  HostQueue queue("a.test", {64, milliseconds(0)});
  queue.Probed(milliseconds(0));
  queue.Add(0, 111);
  for (int leases = 0; leases < 8; ++leases) {
    ASSERT_TRUE(queue.MayLease(8));
    EXPECT_LE(queue.Lease(0, 8, kNoLimit, kNow).count, 14);
  }
  EXPECT_EQ(queue.waiting(0), 0u);
  EXPECT_EQ(queue.connections_out(), 64);
}

TEST(HostQueue, ALeaseIsNeverLongerThanAMessageMayBe) {
  HostQueue queue = Probed(10'000, milliseconds(0));
  EXPECT_LE(queue.Lease(0, 10'000, kNoLimit, kNow).count, 1'000);
}

TEST(HostQueue, WaitsOutTheDelayAfterTheLastRequest) {
  const struct {
    int began_ms_ago, wait_ms;
  } kCases[] = {{0, 250}, {100, 150}, {249, 1}, {250, 0}, {10'000, 0}};
  for (const auto& c : kCases) {
    HostQueue queue = Probed(1, milliseconds(250));
    queue.Requested(kNow - milliseconds(c.began_ms_ago));
    EXPECT_EQ(queue.Lease(0, 1, 1, kNow).start_after, milliseconds(c.wait_ms)) << c.began_ms_ago;
  }
}

TEST(HostQueue, RoundsAWaitUp) {
  HostQueue queue = Probed(1, milliseconds(250));
  queue.Requested(kNow);
  const auto grant = queue.Lease(0, 1, 1, kNow + std::chrono::microseconds(1));
  EXPECT_EQ(grant.start_after, milliseconds(250));
}

TEST(HostQueue, AnEarlierRequestThatIsReportedLaterShortensNoWait) {
  HostQueue queue = Probed(1, milliseconds(250));
  queue.Requested(kNow);
  queue.Requested(kNow - milliseconds(200));
  EXPECT_EQ(queue.Lease(0, 1, 1, kNow).start_after, milliseconds(250));
}

TEST(HostQueue, CountsLeasesOfBeforeARestart) {
  HostQueue queue = Probed(4, milliseconds(0));
  queue.Adopt(3);
  EXPECT_TRUE(queue.MayLease(1));
  EXPECT_FALSE(queue.MayLease(2));
  HostQueue polite = Probed(4, milliseconds(1));
  polite.Adopt(1);
  EXPECT_FALSE(polite.MayLease(1));
}

TEST(HostQueue, NeverGrantsMoreThanItsBudgetWhateverHappens) {
  std::mt19937_64 random(1);
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  for (int run = 0; run < 300; ++run) {
    const HostBudget budget{draw(1, 20), milliseconds(draw(0, 1) * 100)};
    HostQueue queue("a.test", budget);
    queue.Add(0, 1'000'000);
    std::vector<int> leases;  // connections of each
    int out = 0;
    for (int step = 0; step < 200; ++step) {
      const int share = draw(1, 10);
      if (draw(0, 9) == 0) queue.Probed(milliseconds(0));
      if (draw(0, 1) == 0 && queue.MayLease(share)) {
        const HostQueue::Grant grant = queue.Lease(0, share, draw(1, 50), kNow);
        ASSERT_GE(grant.count, 1);
        ASSERT_GE(grant.connections, 1);
        leases.push_back(grant.connections);
        out += grant.connections;
      } else if (!leases.empty()) {
        int& connections = leases[draw(0, static_cast<int>(leases.size()) - 1)];
        const int released = draw(0, connections);
        queue.Release(released, released == connections);
        connections -= released;
        out -= released;
        std::erase(leases, 0);
      }
      ASSERT_LE(out, budget.connections);
      ASSERT_EQ(queue.connections_out(), out);
      if (budget.delay > milliseconds(0)) {
        ASSERT_LE(leases.size(), 1u);
      }
    }
  }
}

TEST(HostQueue, BacksOffLongerEachTimeUntilItRecovers) {
  HostQueue queue("h", {});
  TimePoint now = kNow;
  for (const int seconds : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
    const milliseconds pause = queue.BackOff(milliseconds(0), now);
    EXPECT_EQ(pause, std::chrono::seconds(seconds));
    now += pause;
  }
  queue.Recovered();
  EXPECT_EQ(queue.BackOff(milliseconds(0), now), milliseconds(1'000));
}

TEST(HostQueue, BacksOffOnceForAllThatWasUnderWay) {
  HostQueue queue("h", {});
  EXPECT_EQ(queue.BackOff(milliseconds(0), kNow), milliseconds(1'000));
  EXPECT_EQ(queue.BackOff(milliseconds(0), kNow + milliseconds(400)), milliseconds(600));
  EXPECT_EQ(queue.BackOff(milliseconds(0), kNow + milliseconds(1'000)), milliseconds(2'000));
}

TEST(HostQueue, BacksOffWhenItDoesNotAnswerForSeveralUrlsInARow) {
  HostQueue queue("h", {});
  Fingerprint url = 0;
  for (std::size_t i = 1; i < 2 * HostQueue::kSilencesBeforePause - 1; ++i) {
    if (i == HostQueue::kSilencesBeforePause) queue.Recovered();
    EXPECT_EQ(queue.Unanswered(++url, kNow), milliseconds(0)) << i;
  }
  EXPECT_EQ(queue.Unanswered(++url, kNow), milliseconds(1'000));
  EXPECT_TRUE(queue.IsPaused(kNow + milliseconds(999)));
  EXPECT_FALSE(queue.IsPaused(kNow + milliseconds(1'000)));
  EXPECT_EQ(queue.Unanswered(++url, kNow + milliseconds(1'000)), milliseconds(2'000)) << "at once";
}

TEST(HostQueue, BacksOffWhenUrlsFailAgainOnlyIfItIsInTroubleAlready) {
  HostQueue queue("h", {});
  constexpr Fingerprint kUrls = HostQueue::kSilencesBeforePause;
  for (int attempt = 0; attempt < 100; ++attempt) {
    for (Fingerprint url = 1; url < kUrls; ++url) {
      ASSERT_EQ(queue.Unanswered(url, kNow), milliseconds(0)) << attempt;
    }
  }
  EXPECT_EQ(queue.Unanswered(kUrls, kNow), milliseconds(1'000));
  EXPECT_EQ(queue.Unanswered(1, kNow + milliseconds(1'000)), milliseconds(2'000));
}

TEST(HostQueue, HasOneUrlAtATimeUntilItRecovers) {
  HostQueue queue("h", {4, milliseconds(0)});
  queue.Probed(milliseconds(0));
  queue.Add(0, 100);
  queue.BackOff(milliseconds(0), kNow);
  const HostQueue::Grant grant = queue.Lease(0, 2, 100, kNow);
  EXPECT_EQ(grant.count, 1);
  EXPECT_EQ(grant.connections, 1);
  EXPECT_FALSE(queue.MayLease(2));
  queue.Recovered();
  EXPECT_TRUE(queue.MayLease(2));
  EXPECT_GT(queue.Lease(0, 2, 100, kNow).count, 1);
}

TEST(HostQueue, IsHopelessWhenItsLastPauseIsOver) {
  HostQueue queue("h", {});
  TimePoint now = kNow;
  for (int i = 0; i < HostQueue::kMostPauses; ++i) {
    EXPECT_FALSE(queue.IsHopeless(now));
    const milliseconds pause = queue.BackOff(milliseconds(0), now);
    EXPECT_FALSE(queue.IsHopeless(now)) << "what was under way says the same";
    now += pause;
  }
  EXPECT_TRUE(queue.IsHopeless(now));
  queue.Recovered();
  EXPECT_FALSE(queue.IsHopeless(now));
}

TEST(HostQueue, TakesWhatWaitsUpToADepth) {
  HostQueue queue("h", {});
  queue.Add(0, 2);
  queue.Add(2, 3);
  queue.Add(5, 4);
  const auto taken = queue.TakeWaiting(2);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].count + taken[1].count, 5u);
  EXPECT_EQ(queue.LeastDepth(0, 9), 5);
}

TEST(HostQueue, BacksOffForAsLongAsItIsAsked) {
  HostQueue queue("h", {});
  EXPECT_EQ(queue.BackOff(milliseconds(7'000), kNow), milliseconds(7'000));
  EXPECT_EQ(queue.BackOff(milliseconds(9'000), kNow + milliseconds(1)), milliseconds(9'000));
  EXPECT_EQ(queue.BackOff(milliseconds(0), kNow + milliseconds(1'001)), milliseconds(8'000));
}

TEST(HostQueue, IsNotHopelessSoonBecauseItAsksForShortPauses) {
  HostQueue queue("h", {});
  TimePoint now = kNow;
  while (!queue.IsHopeless(now)) now += queue.BackOff(milliseconds(1'000), now);
  EXPECT_GT(now - kNow, std::chrono::minutes(10));
}

TEST(HostQueue, ThrottlesByTheLatency) {
  const struct {
    int latency_ms;
    bool good;
    int delay_ms;
  } kAnswers[] = {
      {50, true, 100},          // never below the given one
      {400, true, 400},         // at once
      {200, true, 300},         // half of the way
      {100, true, 200},         //
      {100, false, 200},        // an error that came quickly
      {500, false, 500},        // and one that did not
      {100'000, true, 60'000},  // no longer than a minute
      {100, true, 30'050},
  };
  HostQueue queue("h", {2, milliseconds(100)});
  for (const auto& [latency, good, delay] : kAnswers) {
    queue.Throttle(milliseconds(latency), good);
    EXPECT_EQ(queue.delay(), milliseconds(delay)) << latency;
  }
}

TEST(HostQueue, LeasesWithTheThrottledDelay) {
  HostQueue queue("h", {4, milliseconds(0)});
  queue.Probed(milliseconds(0));
  queue.Add(0, 100);
  queue.Throttle(milliseconds(1'000), true);
  queue.Requested(kNow);
  const HostQueue::Grant grant = queue.Lease(0, 4, 100, kNow);
  EXPECT_EQ(grant.delay, milliseconds(1'000));
  EXPECT_EQ(grant.start_after, milliseconds(1'000));
  EXPECT_EQ(grant.count, 5);
  EXPECT_FALSE(queue.MayLease(1)) << "one worker at a time, as with any delay";
  queue.Probed(milliseconds(3'000));
  EXPECT_EQ(queue.delay(), milliseconds(3'000)) << "a longer Crawl-delay wins";
}

TEST(HostQueue, AHolderMayHaveAnotherLeaseForTheConnectionsThatItsUrlsLeaveFree) {
  HostQueue queue("h", {2, milliseconds(100)});
  queue.Add(0, 1'000);
  EXPECT_FALSE(queue.MayLeaseMore()) << "nobody holds it";
  queue.Probed(milliseconds(0));
  EXPECT_EQ(queue.Lease(0, 1, kNoLimit, kNow).connections, 2);
  queue.HeldBy("w");
  EXPECT_FALSE(queue.MayLeaseMore());
  queue.Release(1, false);
  EXPECT_TRUE(queue.MayLeaseMore());
  EXPECT_FALSE(queue.MayLease(1)) << "not another worker";
  EXPECT_EQ(queue.Lease(0, 1, kNoLimit, kNow).connections, 1);
  queue.HeldBy("w");
  EXPECT_FALSE(queue.MayLeaseMore());
  queue.Release(1, true);
  EXPECT_EQ(queue.holder(), "w");
  EXPECT_TRUE(queue.MayLeaseMore());
  queue.BackOff(milliseconds(0), kNow);
  EXPECT_FALSE(queue.MayLeaseMore());
  queue.Recovered();
  queue.Release(1, true);
  EXPECT_EQ(queue.holder(), "");
  EXPECT_FALSE(queue.MayLeaseMore());
}

TEST(HostQueue, WhatSeveralWorkersHoldWhenADelayIsFoundIsGrantedToNone) {
  HostQueue queue("h", {8, milliseconds(0)});
  queue.Add(0, 1'000);
  queue.Probed(milliseconds(0));
  for (const char* worker : {"w", "v"}) {
    queue.Lease(0, 1, kNoLimit, kNow);
    queue.HeldBy(worker);
  }
  queue.Probed(milliseconds(100));
  EXPECT_FALSE(queue.MayLeaseMore());
  queue.Release(1, true);
  queue.Release(1, true);
  EXPECT_TRUE(queue.MayLease(1));
}

}  // namespace
}  // namespace trawl

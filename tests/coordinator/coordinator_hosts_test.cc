// URLs that failed, and hosts that are in trouble.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/coordinator/coordinator_fixture.h"

namespace trawl {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(CoordinatorTest, DropsTheLinksOfABodyThatAHostRepeats) {
  options_.crawl.max_same_body = 2;
  Start();
  SayHello("w");
  Report report;
  report.body_digest = 5;
  for (int page = 0; page < 3; ++page) {
    const Lease lease = TheLease("w");
    report.sequence = page + 1;
    report.lease_id = lease.lease_id;
    report.entry = lease.entries[0];
    report.links = {"http://a.test/" + std::to_string(page)};
    report.outcome = Fetched{};
    Say("w", Reports{{report, report}});  // a body counts once, however often it is told
  }
  EXPECT_EQ(store_.stats().at("admitted"), 3u) << "the seed and the links of two pages";
  EXPECT_EQ(store_.stats().at("dropped:same_body"), 1u);
  EXPECT_EQ(store_.stats().at("fetched"), 3u);
  EXPECT_EQ(store_.job().at("state"), "finished");
}

TEST_F(CoordinatorTest, TriesAFailureAgainLaterAndKeepsTheRoundOpen) {
  options_.crawl.seeds = {"http://a.test/", "http://b.test/"};
  options_.crawl.scope = ScopeKind::kAny;
  Start();
  SayHello("w");
  const std::vector<Lease> leases = Take<Lease>("w");
  ASSERT_EQ(leases.size(), 2u);
  Tell(kReset, "w", leases[0]);
  Tell(Fetched{}, "w", leases[1], 0, {"http://b.test/deeper"});
  PassWith("w", milliseconds(400));
  const Lease ahead = TheLease("w");
  EXPECT_EQ(ahead.depth, 1);
  Tell(Fetched{}, "w", ahead, 0, {"http://b.test/deepest"});
  PassWith("w", milliseconds(100));
  EXPECT_THAT(Take<Lease>("w"), IsEmpty()) << "neither the same nor the round after the next";
  EXPECT_EQ(coordinator_->progress().waiting, 2u);
  PassWith("w", milliseconds(800));
  const Lease again = TheLease("w");
  EXPECT_EQ(again.entries[0].url, leases[0].entries[0].url);
  EXPECT_EQ(again.entries[0].attempt, 1);
  EXPECT_EQ(again.depth, 0);
  Tell(Fetched{}, "w", again);
  EXPECT_EQ(TheLease("w").depth, 2);
}

TEST_F(CoordinatorTest, GivesAFailureUpAfterItsRetries) {
  options_.crawl.retries = 2;
  options_.crawl.retry_delay = milliseconds(0);
  Start();
  SayHello("w");
  for (int attempt = 0; attempt <= 2; ++attempt) {
    const Lease lease = TheLease("w");
    EXPECT_EQ(lease.entries[0].attempt, attempt);
    Tell(kReset, "w", lease);
    PassWith("w", milliseconds(200));
  }
  ASSERT_EQ(rows_.size(), 1u);
  EXPECT_THAT(rows_[0], HasSubstr(R"("attempts":3)"));
  EXPECT_EQ(store_.job().at("state"), "finished");
}

TEST_F(CoordinatorTest, TriesAgainAfterARestart) {
  Start();
  SayHello("w");
  Tell(kReset, "w", TheLease("w"));
  Start();
  SayHello("w");
  EXPECT_NE(store_.job().at("state"), "finished");
  PassWith("w", milliseconds(1'600));
  Tell(Fetched{}, "w", TheLease("w"));
  EXPECT_EQ(store_.job().at("state"), "finished");
}

TEST_F(CoordinatorTest, LeavesAHostAloneThatAsksForFewerRequests) {
  options_.crawl.seeds = {"http://a.test/", "http://a.test/2", "http://b.test/"};
  options_.crawl.scope = ScopeKind::kAny;
  Start();
  SayHello("w");
  std::vector<Lease> leases = Take<Lease>("w");
  ASSERT_EQ(leases.size(), 2u);
  if (leases[0].host != "a.test") std::swap(leases[0], leases[1]);
  Failed asks = kUnavailable;
  asks.retry_after = milliseconds(4'000);
  Tell(asks, "w", leases[0]);
  Tell(Fetched{}, "w", leases[1], 0, {"http://a.test/deeper"});
  PassWith("w", milliseconds(3'900));
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  PassWith("w", milliseconds(300));
  EXPECT_EQ(Take<Lease>("w").at(0).host, "a.test");
}

TEST_F(CoordinatorTest, LeavesAHostAloneAfterARestartToo) {
  options_.crawl.seeds = {"http://a.test/", "http://a.test/2"};
  Start();
  SayHello("w");
  Failed asks = kUnavailable;
  asks.retry_after = milliseconds(4'000);
  Tell(asks, "w", TheLease("w"));
  PassWith("w", milliseconds(1'000));
  Start();
  SayHello("w");
  PassWith("w", milliseconds(2'900));
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  PassWith("w", milliseconds(300));
  EXPECT_EQ(Take<Lease>("w").at(0).host, "a.test");
}

TEST_F(CoordinatorTest, LeavesAHostAloneLongerEachTimeItIsOverloaded) {
  options_.crawl.retries = 10;
  options_.crawl.retry_delay = milliseconds(0);
  Start();
  SayHello("w");
  for (const int seconds : {1, 2, 4}) {
    Tell(kUnavailable, "w", TheLease("w"));
    for (int i = 0; i < seconds; ++i) {
      EXPECT_THAT(Take<Lease>("w"), IsEmpty());
      PassWith("w", milliseconds(900));
    }
    PassWith("w", milliseconds(300) * seconds);
  }
}

TEST_F(CoordinatorTest, GivesTheUrlsOfAHostUpThatWasLeftAloneTooOften) {
  constexpr int kUrls = 15;
  options_.crawl.seeds.clear();
  for (int i = 0; i < kUrls; ++i) {
    options_.crawl.seeds.push_back("http://a.test/" + std::to_string(i));
  }
  options_.crawl.host_delay = milliseconds(10'000);  // one URL a lease
  Start();
  SayHello("w");
  Failed asks = kUnavailable;
  asks.retry_after = milliseconds(3'600'000);
  int tries = 0;
  for (int hour = 0; hour < 14 && store_.job().at("state") != "finished"; ++hour) {
    for (int i = 0; i < 10 && store_.job().at("state") != "finished"; ++i) {
      for (const Lease& lease : Take<Lease>("w")) {
        ++tries;
        Tell(asks, "w", lease);
      }
      PassWith("w", milliseconds(400));
    }
    now_ += std::chrono::hours(1);  // in which the worker is heard of
    Beat("w", {});
    PassWith("w", milliseconds(400));
  }
  EXPECT_EQ(store_.job().at("state"), "finished");
  EXPECT_EQ(store_.stats().at("failed"), std::uint64_t{kUrls});
  EXPECT_LE(tries, HostQueue::kMostPauses + 1) << "and then the rest is not asked for";
}

TEST_F(CoordinatorTest, PutsAHostAsideThatDoesNotAnswerAndGivesItUpInTheEnd) {
  constexpr int kUrls = 200;
  options_.crawl.seeds = {"http://b.test/"};
  options_.crawl.scope = ScopeKind::kAny;
  options_.crawl.host_connections = 16;
  for (int i = 0; i < kUrls; ++i) {
    options_.crawl.seeds.push_back("http://a.test/" + std::to_string(i));
  }
  Start();
  SayHello("w", 1'000);
  const Failed silent{Error::kTimeout, "no answer in 120 s", 0};
  std::map<std::string, int> tries;
  for (int i = 0; i < 20'000 && store_.job().at("state") != "finished"; ++i) {
    for (const Lease& lease : Take<Lease>("w")) {
      for (int index = 0; index < static_cast<int>(lease.entries.size()); ++index) {
        ++tries[lease.host];
        Tell(lease.host == "a.test" ? Outcome(silent) : Outcome(Fetched{}), "w", lease, index);
      }
    }
    PassWith("w", milliseconds(500));
  }
  EXPECT_EQ(store_.job().at("state"), "finished");
  EXPECT_EQ(store_.stats().at("failed:timeout"), std::uint64_t{kUrls});
  EXPECT_EQ(store_.stats().at("fetched"), 1u);
  EXPECT_LT(tries["a.test"], 160) << "most are given up without a try";
  EXPECT_THAT(rows_, Contains(HasSubstr("given_up timeout 0 http://a.test/")));
  EXPECT_THAT(logs_, Contains(HasSubstr("URLs of a.test are given up (timeout)")));
}

TEST_F(CoordinatorTest, UrlsThatFailAgainDoNotPutTheirHostAside) {
  constexpr int kUrls = static_cast<int>(HostQueue::kSilencesBeforePause) - 1;
  options_.crawl.retries = 4;
  options_.crawl.seeds.clear();
  for (int i = 0; i < kUrls; ++i) {
    options_.crawl.seeds.push_back("http://a.test/" + std::to_string(i));
  }
  Start();
  SayHello("w");
  int tries = 0;
  for (int i = 0; i < 1'000 && store_.job().at("state") != "finished"; ++i) {
    for (const Lease& lease : Take<Lease>("w")) {
      for (int index = 0; index < static_cast<int>(lease.entries.size()); ++index) {
        ++tries;
        Tell(Failed{Error::kReset, "reset", 0}, "w", lease, index);
        EXPECT_THAT(store_.Peek().paused, IsEmpty()) << "after try " << tries;
      }
    }
    PassWith("w", milliseconds(500));
  }
  EXPECT_EQ(store_.stats().at("failed:reset"), std::uint64_t{kUrls});
  EXPECT_EQ(tries, kUrls * 5);
}

TEST_F(CoordinatorTest, PutsAHostAsideThatFailedBeforeItFellSilent) {
  options_.crawl.seeds.clear();
  for (int i = 0; i < 20; ++i) {
    options_.crawl.seeds.push_back("http://a.test/" + std::to_string(i));
  }
  options_.crawl.host_connections = 20;
  Start();
  SayHello("w");
  const Failed broken{Error::kHttpStatus, "HTTP status 502", 502};
  for (int i = 0; i < 1'000 && store_.Peek().paused.empty(); ++i) {
    for (const Lease& lease : Take<Lease>("w")) {
      for (int index = 0; index < static_cast<int>(lease.entries.size()); ++index) {
        const bool was_tried = lease.entries[static_cast<std::size_t>(index)].attempt > 0;
        Tell(was_tried ? Failed{Error::kReset, "reset", 0} : broken, "w", lease, index);
      }
    }
    PassWith("w", milliseconds(500));
  }
  EXPECT_TRUE(store_.Peek().paused.contains("a.test"));
}

TEST_F(CoordinatorTest, CallsBackWhatIsLeasedOfAHostThatDoesNotAnswer) {
  options_.crawl.seeds.clear();
  for (int i = 0; i < 40; ++i) {
    options_.crawl.seeds.push_back("http://a.test/" + std::to_string(i));
  }
  options_.crawl.host_delay = milliseconds(250);
  options_.crawl.host_connections = 1;
  Start();
  SayHello("w");
  Tell(Fetched{}, "w", TheLease("w"));
  const Lease lease = TheLease("w");
  ASSERT_GT(lease.entries.size(), 10u);
  constexpr int kSilences = static_cast<int>(HostQueue::kSilencesBeforePause);
  for (int i = 0; i < kSilences; ++i) {
    Tell(Failed{Error::kConnect, "refused", 0}, "w", lease, i);
  }
  const std::vector<Recall> recalls = Take<Recall>("w");
  ASSERT_EQ(recalls.size(), 1u);
  EXPECT_EQ(recalls[0].host, "a.test");
  const int last = static_cast<int>(lease.entries.size()) - 1;
  for (int i = kSilences; i < last; ++i) Tell(Returned{}, "w", lease, i);
  Tell(Fetched{}, "w", lease, last);  // was under way
  EXPECT_EQ(coordinator_->progress().leased, 0u);
  EXPECT_EQ(store_.stats().at("fetched"), 2u);
}

TEST_F(CoordinatorTest, SendsNoLeaseOfAHostThatHasAskedForFewerRequestsMeanwhile) {
  options_.crawl.seeds.clear();
  for (int i = 0; i < 200; ++i) {
    options_.crawl.seeds.push_back("http://a.test/" + std::to_string(i));
  }
  options_.crawl.host_connections = 8;
  Start();
  SayHello("w");
  Tell(Fetched{}, "w", TheLease("w"));
  const std::vector<Lease> leases = Take<Lease>("w");
  ASSERT_FALSE(leases.empty());
  hold_leases_ = true;
  SayHello("other");
  for (int i = 0; held_.empty(); ++i) Tell(Fetched{}, "w", leases[0], i);
  const std::vector<Coordinator::Apply> under_way = std::exchange(held_, {});
  hold_leases_ = false;
  Take<Lease>("w");
  Failed asks = kUnavailable;
  asks.retry_after = milliseconds(4'000);
  Tell(asks, "w", leases.back(), static_cast<int>(leases.back().entries.size()) - 1);
  for (const Coordinator::Apply& apply : under_way) ApplyStep(apply);
  CarryOut();
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  EXPECT_THAT(Take<Lease>("other"), IsEmpty());
}

}  // namespace
}  // namespace trawl

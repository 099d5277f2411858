// How rounds follow each other, and overlap.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/coordinator/coordinator_fixture.h"

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Phase = Coordinator::Phase;
using Verdict = Ack::Verdict;

TEST_F(CoordinatorTest, ARoundOpensWhenTheOneBeforeIsClosed) {
  options_.crawl.seeds = {"http://a.test/", "http://b.test/"};
  Start();
  SayHello("w");
  const auto seeds = Take<Lease>("w");
  ASSERT_EQ(seeds.size(), 2u);
  Tell(Fetched{}, "w", seeds[0], 0, {"http://a.test/1"});
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  Tell(Fetched{}, "w", seeds[1]);
  const Lease lease = TheLease("w");
  EXPECT_EQ(lease.depth, 1);
  EXPECT_EQ(lease.entries[0].url, "http://a.test/1");
  EXPECT_EQ(lease.entries[0].referrer, "http://a.test/");
}

TEST_F(CoordinatorTest, ARoundStaysOpenForWhatItsSitemapsList) {
  options_.crawl.depth = 0;
  options_.crawl.sitemap_urls = {"http://a.test/s"};
  Start();
  SayHello("w");
  const Lease first = TheLease("w");
  EXPECT_EQ(first.entries.at(0).sitemap, 1);
  Tell(Fetched{0, 1}, "w", first, 0, {"http://a.test/1"});
  std::vector<FrontierEntry> entries;
  for (auto leases = Take<Lease>("w"); !leases.empty(); leases = Take<Lease>("w")) {
    for (const Lease& lease : leases) {
      EXPECT_EQ(lease.depth, 0);
      for (std::size_t i = 0; i < lease.entries.size(); ++i) {
        entries.push_back(lease.entries[i]);
        Tell(Fetched{}, "w", lease, static_cast<int>(i));
      }
    }
  }
  EXPECT_THAT(entries, ElementsAre(FrontierEntry{"http://a.test/", ""},
                                   FrontierEntry{"http://a.test/1", "http://a.test/s"}));
  EXPECT_GE(phase(), Phase::kClosing);
}

TEST_F(CoordinatorTest, LeasesNothingBelowASmallerDepthOfAResumedJob) {
  for (const RoundMode mode : {RoundMode::kExact, RoundMode::kFree}) {
    store_ = MemoryStore();
    sent_.clear();
    options_.crawl.rounds = RoundMode::kExact;
    options_.crawl.depth = 5;
    Start();
    SayHello("w");
    Tell(Fetched{}, "w", TheLease("w"), 0, {"http://a.test/1"});
    Tell(Fetched{}, "w", TheLease("w"), 0, {"http://a.test/2"});
    EXPECT_EQ(TheLease("w").depth, 2);
    options_.crawl.rounds = mode;
    options_.crawl.depth = 1;
    Start();
    SayHello("w");  // the lease goes back
    Pass(milliseconds(1'000));
    EXPECT_THAT(Take<Lease>("w"), IsEmpty());
    EXPECT_EQ(store_.job().at("state"), "stopped");
    EXPECT_EQ(coordinator_->progress().waiting, 1u);
  }
}

TEST_F(CoordinatorTest, ASeedAddedOnResumeIsLeasedThoughADeeperRoundIsOpen) {
  options_.crawl.max_pages = 1;
  Start();
  SayHello("w");
  Tell(Fetched{}, "w", TheLease("w"), 0, {"http://a.test/next"});
  Pass(milliseconds(500));
  ASSERT_EQ(coordinator_->progress().round, 1);
  options_.crawl.max_pages = 0;
  options_.crawl.seeds.push_back("http://a.test/added");
  Start();
  SayHello("w2");
  for (int leases = 0; leases < 2; ++leases) Tell(Fetched{}, "w2", TheLease("w2"));
  Pass(milliseconds(500));
  EXPECT_EQ(coordinator_->progress().counts.fetched, 3u);
}

class CoordinatorWithADelay : public CoordinatorTest,
                              public ::testing::WithParamInterface<milliseconds> {};

INSTANTIATE_TEST_SUITE_P(Delays, CoordinatorWithADelay,
                         ::testing::Values(milliseconds(0), milliseconds(250)));

/// A page at each depth, "/DEPTH", leads to the next one and to a slow one, "/DEPTH/slow".
TEST_P(CoordinatorWithADelay, RoundsOverlapWhereEachHasASlowPage) {
  options_.crawl.host_delay = GetParam();
  constexpr int kRounds = 10;
  constexpr milliseconds kSlow{5'000};
  options_.crawl.seeds = {"http://a.test/0", "http://a.test/0/slow"};
  options_.crawl.depth = kRounds - 1;
  Start();
  SayHello("w");
  const TimePoint start = now_;
  std::multimap<TimePoint, std::pair<Lease, int>> under_way;
  while (phase() == Coordinator::Phase::kRunning && now_ < start + kRounds * kSlow) {
    for (const Lease& lease : Take<Lease>("w")) {
      for (int i = 0; i < static_cast<int>(lease.entries.size()); ++i) {
        const std::string& url = lease.entries[i].url;
        EXPECT_TRUE(url.starts_with("http://a.test/" + std::to_string(lease.depth))) << url;
        under_way.emplace(now_ + (url.ends_with("slow") ? kSlow : milliseconds(10)),
                          std::pair(lease, i));
      }
    }
    Pass(milliseconds(100));
    std::vector<LeaseId> held;
    for (const auto& [time, url] : under_way) held.push_back(url.first.lease_id);
    Beat("w", held);
    while (!under_way.empty() && under_way.begin()->first <= now_) {
      const auto [lease, index] = under_way.begin()->second;
      under_way.erase(under_way.begin());
      const std::string next = "http://a.test/" + std::to_string(lease.depth + 1);
      std::vector<std::string> links;
      if (!lease.entries[index].url.ends_with("slow")) links = {next, next + "/slow"};
      Tell(Fetched{}, "w", lease, index, links);
    }
  }
  EXPECT_EQ(store_.job().at("state"), "finished");
  EXPECT_EQ(store_.stats().at("fetched"), 2u * kRounds);
  EXPECT_EQ(store_.Peek().open_depth, kRounds - 1) << "nothing is kept for what moves";
  EXPECT_LE(now_ - start, kRounds * kSlow * 6 / 10);
}

TEST_F(CoordinatorTest, AnotherLeaseOfAPoliteHostGoesToItsHolderAlone) {
  options_.crawl.seeds.clear();
  for (int i = 0; i < 100; ++i) {
    options_.crawl.seeds.push_back("http://a.test/" + std::to_string(i));
  }
  options_.crawl.host_delay = milliseconds(250);
  Start();
  SayHello("holder");
  SayHello("other");
  std::string holder = "holder";
  std::vector<Lease> leases = Take<Lease>(holder);
  if (leases.empty()) {
    holder = "other";
    leases = Take<Lease>(holder);
  }
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].entries.size(), 1u);
  Tell(Fetched{}, holder, leases[0]);
  std::vector<Lease> more = Take<Lease>(holder);
  for (int i = 0; i < 20; ++i) {
    ASSERT_FALSE(more.empty());
    const Lease next = more.back();
    more.pop_back();
    for (std::size_t url = 0; url + 1 < next.entries.size(); ++url) {
      Tell(Fetched{}, holder, next, static_cast<int>(url));
    }
    std::ranges::move(Take<Lease>(holder), std::back_inserter(more));  // its last URL is slow
    int connections = 0;
    for (const Snapshot::Lease& live : store_.Peek().leases) {
      EXPECT_EQ(live.worker, holder);
      connections += std::min(live.connections, static_cast<int>(live.indexes.size()));
    }
    EXPECT_LE(connections, options_.crawl.host_connections);
    if (more.empty()) break;
  }
  EXPECT_GT(store_.stats().at("fetched"), 20u) << "more than one lease";
}

TEST_F(CoordinatorTest, ARoundWaitsForAUrlThatHasMovedToItWhileItWasLeasedAhead) {
  options_.crawl.host_connections = 9;
  const Lease second = CrawlTheFirstOfTwo();
  Pass(milliseconds(400));
  Beat("w", {second.lease_id});
  const Lease ahead = TheLease("w");
  EXPECT_EQ(ahead.entries[0].url, "http://a.test/x");
  Tell(Redirected{301, "http://a.test/x", true}, "w", second);
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  EXPECT_EQ(coordinator_->progress().round, 0);
  Tell(Fetched{}, "w", ahead, 0, {"http://a.test/deep"});
  EXPECT_EQ(Verdicts("w").back(), Verdict::kNeverRetry);
  const Lease again = TheLease("w");
  EXPECT_EQ(again.depth, 0);
  EXPECT_EQ(again.entries[0].url, "http://a.test/x");
  Start();
  SayHello("w", 100, {again.lease_id});
  EXPECT_EQ(coordinator_->progress().round, 0);
  Tell(Fetched{}, "w", again, 0, {"http://a.test/deep"});
  const Lease deep = TheLease("w");
  EXPECT_EQ(deep.depth, 1);
  Tell(Fetched{}, "w", deep);
  EXPECT_EQ(store_.job().at("state"), "finished");
  EXPECT_EQ(store_.stats().at("fetched"), 3u);
}

TEST_F(CoordinatorTest, NothingRunsAheadWhereSomethingHangsOnItsPlace) {
  const std::vector<std::function<void(CrawlOptions&)>> limits = {
      [](CrawlOptions& crawl) { crawl.sitemaps = true; },
      [](CrawlOptions& crawl) { crawl.max_pages = 9; },
      [](CrawlOptions& crawl) { crawl.max_pages_per_host = 9; }};
  const CoordinatorOptions before = options_;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    store_ = MemoryStore();
    sent_.clear();
    options_ = before;
    limits[i](options_.crawl);
    CrawlTheFirstOfTwo();
    Pass(milliseconds(800));
    EXPECT_THAT(Take<Lease>("w"), IsEmpty()) << i;
  }
}

TEST_F(CoordinatorTest, APageThatIsFetchedAgainAsItMovesIsNoRepeatedBody) {
  options_.crawl.max_same_body = 1;
  const Lease second = CrawlTheFirstOfTwo();
  Pass(milliseconds(400));
  Beat("w", {second.lease_id});
  const auto page = [&](const Lease& lease) {
    Report report;
    report.sequence = ++sequence_;
    report.lease_id = lease.lease_id;
    report.entry = lease.entries[0];
    report.body_digest = 7;
    report.links = {"http://a.test/deep"};
    report.outcome = Fetched{};
    Say("w", Reports{{report}});
  };
  page(TheLease("w"));
  Tell(Redirected{301, "http://a.test/x", true}, "w", second);
  page(TheLease("w"));
  const Lease deep = TheLease("w");
  EXPECT_EQ(deep.entries[0].url, "http://a.test/deep");
  EXPECT_EQ(deep.depth, 1);
}

TEST_F(CoordinatorTest, AUrlThatMovesBeforeTheLeaseThatItIsGrantedWithIsCountedOnce) {
  options_.crawl.host_connections = 9;
  const Lease second = CrawlTheFirstOfTwo();
  Pass(milliseconds(200));
  hold_reports_ = true;
  Tell(Redirected{301, "http://a.test/x", true}, "w", second);
  Pass(milliseconds(200));
  EXPECT_EQ(coordinator_->progress().waiting, 0u) << "x is granted, ahead";
  hold_reports_ = false;
  for (const Coordinator::Apply& apply : std::exchange(held_, {})) ApplyStep(apply);
  CarryOut();
  EXPECT_THAT(logs_, IsEmpty());
  const Lease again = TheLease("w");
  EXPECT_EQ(again.depth, 0);
  Tell(Fetched{}, "w", again);
  EXPECT_EQ(store_.job().at("state"), "finished");
}

TEST_F(CoordinatorTest, CountsOnceWhatMovesAfterItEndedAhead) {
  struct Case {
    Outcome outcome;
    bool is_tried_again;
  };
  for (const Case& ahead :
       {Case{Fetched{50, 0}, false}, Case{Redirected{301, "http://b.test/", true}, false},
        Case{Failed{Error::kHttpStatus, "404", 404, true}, false}, Case{kReset, true}}) {
    store_ = MemoryStore();
    sent_.clear();
    const Lease second = CrawlTheFirstOfTwo();
    Pass(milliseconds(400));
    Beat("w", {second.lease_id});
    Tell(ahead.outcome, "w", TheLease("w"));
    EXPECT_EQ(coordinator_->progress().waiting, ahead.is_tried_again ? 1u : 0u);
    Tell(Redirected{301, "http://a.test/x", true}, "w", second);
    const Lease again = TheLease("w");
    EXPECT_EQ(again.depth, 0);
    EXPECT_EQ(again.entries[0].attempt, 0);
    Tell(Fetched{7, 0}, "w", again);
    const auto& counts = coordinator_->progress().counts;
    EXPECT_EQ(store_.job().at("state"), "finished");
    EXPECT_EQ(counts.admitted, 3u);
    EXPECT_EQ(counts.fetched, 2u);
    EXPECT_EQ(counts.redirected, 1u);
    EXPECT_EQ(counts.failed, 0u);
    EXPECT_EQ(counts.bytes, 7u);
    EXPECT_EQ(store_.stats().at("bytes"), 7u);
    for (const auto& [reason, failed] : counts.failed_by_reason) EXPECT_EQ(failed, 0u) << reason;
  }
}

TEST_F(CoordinatorTest, ClosesARoundAtItsDeadline) {
  options_.crawl.seeds = {"http://a.test/", "http://b.test/", "http://c.test/1", "http://c.test/2",
                          "http://d.test/"};
  options_.crawl.scope = ScopeKind::kAny;
  options_.crawl.host_delay = milliseconds(250);
  options_.crawl.retry_delay = milliseconds(100'000);
  options_.crawl.round_deadline = milliseconds(5'000);
  Start();
  SayHello("w");
  std::map<std::string, Lease> leases;
  for (const Lease& lease : Take<Lease>("w")) leases[lease.host] = lease;
  ASSERT_EQ(leases.size(), 4u);
  Tell(Fetched{}, "w", leases["a.test"], 0, {"http://a.test/deeper"});
  Tell(kReset, "w", leases["b.test"]);  // waits for its next try; the others never end
  Pass(milliseconds(400));
  const Lease ahead = TheLease("w");
  EXPECT_EQ(ahead.depth, 1);
  for (int i = 0; i < 11; ++i) {
    Beat("w", {leases["c.test"].lease_id, leases["d.test"].lease_id, ahead.lease_id});
    Pass(milliseconds(400));
  }
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  Pass(milliseconds(400));
  const auto& stats = store_.stats();
  EXPECT_EQ(stats.at("failed:round_deadline"), 4u);
  EXPECT_EQ(stats.at("failed"), 4u);
  const Lease deeper = TheLease("w");
  EXPECT_EQ(deeper.depth, 1);
  Tell(Fetched{}, "w", leases["d.test"]);
  EXPECT_EQ(Verdicts("w").back(), Verdict::kNeverRetry);
  Tell(Fetched{}, "w", deeper);
  EXPECT_EQ(store_.job().at("state"), "finished");
  EXPECT_EQ(stats.at("admitted"), stats.at("fetched") + stats.at("failed"));
}

}  // namespace
}  // namespace trawl

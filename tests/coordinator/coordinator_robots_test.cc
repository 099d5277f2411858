// What the coordinator makes of questions about robots.txt: who fetches it, and when its host is
// leased again. The rules of single origins are in robots_table_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/coordinator/coordinator_fixture.h"

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kOrigin[] = "http://a.test";
constexpr milliseconds kRetryDelay{1'000};

class CoordinatorRobots : public CoordinatorTest {
 protected:
  CoordinatorRobots() {
    options_.lease_timeout = std::chrono::hours(1);
    options_.crawl.robots_retry_delay = kRetryDelay;
    options_.crawl.robots_retries = 1;
  }

  void Ask(const std::string& worker, const Lease& lease, const std::string& origin = kOrigin) {
    Say(worker, RobotsQuery{lease.lease_id, origin});
  }
  void Report(const std::string& worker, const Lease& lease, decltype(RobotsReport::result) result,
              int failures = 0) {
    Say(worker, RobotsReport{lease.lease_id, kOrigin, failures, 0, std::move(result)});
  }
  void Fail(const std::string& worker, const Lease& lease, int failures = 0) {
    Report(worker, lease, RobotsFailure{Error::kRobots, "HTTP status 503"}, failures);
  }
  /// What the worker is told, by the index of the verdict.
  std::vector<std::size_t> Told(const std::string& worker) {
    std::vector<std::size_t> told;
    for (const RobotsAnswer& answer : Take<RobotsAnswer>(worker)) {
      told.push_back(answer.verdict.index());
    }
    return told;
  }
  /// Two workers with a lease each of the host, whose Crawl-delay is known.
  std::pair<Lease, Lease> TwoLeases() {
    options_.crawl.seeds = {"http://a.test/", "http://a.test/1", "https://a.test/2"};
    options_.crawl.host_connections = 2;
    Start();
    SayHello("w1", 1);
    Tell(trawl::Failed{Error::kHttpStatus, "404", 404}, "w1", TheLease("w1"));
    SayHello("w2", 1);
    return {TheLease("w1"), TheLease("w2")};
  }
  /// The host is deferred, and all URLs wait.
  void Defer() {
    Start();
    SayHello("w");
    const Lease lease = TheLease("w");
    Ask("w", lease);
    Fail("w", lease);
    Tell(Returned{}, "w", lease);
    sent_.clear();
  }

  static constexpr std::size_t kRules = 0, kFetch = 2, kDefer = 3, kGivenUp = 4;
};

TEST_F(CoordinatorRobots, OneWorkerFetchesAndAllAreAnswered) {
  const auto [first, second] = TwoLeases();
  Ask("w1", first);
  Ask("w2", second);
  EXPECT_THAT(Told("w1"), ElementsAre(kFetch));
  EXPECT_THAT(Told("w2"), IsEmpty());
  Report("w1", first, RobotsFile{"x"});
  EXPECT_THAT(Told("w1"), ElementsAre(kRules));
  EXPECT_THAT(Told("w2"), ElementsAre(kRules));
  Ask("w2", second, "https://a.test");
  EXPECT_THAT(Told("w2"), ElementsAre(kFetch)) << "the host's other origin";
}

TEST_F(CoordinatorRobots, TheNextOneFetchesWhenTheFirstIsLost) {
  const auto [first, second] = TwoLeases();
  Ask("w1", first);
  Ask("w2", second);
  sent_.clear();
  Say("w1", WorkerGoodbye{});
  EXPECT_THAT(Told("w2"), ElementsAre(kFetch));
}

TEST_F(CoordinatorRobots, TheNextOneFetchesWhenTheFirstHandsItsUrlsBack) {
  const auto [first, second] = TwoLeases();
  Ask("w1", first);
  Ask("w2", second);
  sent_.clear();
  Tell(Returned{}, "w1", first);
  EXPECT_THAT(Told("w2"), ElementsAre(kFetch));
}

TEST_F(CoordinatorRobots, WhoAsksNeedsALeaseOfTheHost) {
  const auto [first, second] = TwoLeases();
  Lease foreign = second;
  Lease none = first;
  none.lease_id += 1'000;
  Ask("w1", foreign);
  Ask("w1", none);
  Report("w1", foreign, RobotsFile{"x"});
  for (const char* origin : {"http://b.test", "http://a.test:80", "ftp://a.test", "a.test", "",
                             "http://a.test/", "http://A.test"}) {
    Ask("w1", first, origin);
  }
  EXPECT_THAT(Told("w1"), IsEmpty());
  EXPECT_EQ(Steps<ReadRobotsStep>() + Steps<KeepRobotsStep>(), 0);
}

TEST_F(CoordinatorRobots, ItIsKnownAfterARestart) {
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  Ask("w", lease);
  Report("w", lease, RobotsFile{"x"});
  sent_.clear();
  Start();
  SayHello("w", 100, {lease.lease_id});
  Ask("w", lease);
  EXPECT_THAT(Told("w"), ElementsAre(kRules));
}

TEST_F(CoordinatorRobots, AReportFromBeforeARestartIsTaken) {
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  Ask("w", lease);
  sent_.clear();
  Start();
  SayHello("w", 100, {lease.lease_id});
  Report("w", lease, RobotsFile{"x"});
  EXPECT_THAT(Told("w"), ElementsAre(kRules));
}

TEST_F(CoordinatorRobots, ADeferredHostIsLeasedAgainWhenItIsTimeAndAtLastGivenUp) {
  options_.crawl.seeds.push_back("http://b.test/");
  Start();
  SayHello("w");
  const auto leases = Take<Lease>("w");
  ASSERT_EQ(leases.size(), 2u);
  Ask("w", leases[0]);
  Fail("w", leases[0]);
  EXPECT_THAT(Told("w"), ElementsAre(kFetch, kDefer));
  EXPECT_THAT(logs_, ElementsAre(::testing::AllOf(HasSubstr(kOrigin), HasSubstr("503"))));
  Tell(Returned{}, "w", leases[0]);
  Tell(Fetched{}, "w", leases[1], 0, {"http://a.test/next"});
  Pass(kRetryDelay - milliseconds(100));
  EXPECT_THAT(Take<Lease>("w"), IsEmpty()) << "the host waits, and its round stays open";
  Pass(milliseconds(100));
  const Lease again = TheLease("w");
  EXPECT_EQ(again.entries, leases[0].entries) << "it has lost nothing";
  Ask("w", again);
  Fail("w", again, 1);
  EXPECT_THAT(Told("w"), ElementsAre(kFetch, kGivenUp));
  EXPECT_THAT(logs_.back(), HasSubstr("given up"));
  Tell(trawl::Failed{Error::kRobots, "HTTP status 503", 0}, "w", again);
  EXPECT_EQ(coordinator_->progress().counts.failed_by_reason.at("robots"), 1u);
}

TEST_F(CoordinatorRobots, ARestartKeepsFailuresAndTheNextTry) {
  Defer();
  now_ += kRetryDelay / 2;
  Start();
  SayHello("w2");
  const Lease lease = TheLease("w2");
  Ask("w2", lease);
  EXPECT_THAT(Told("w2"), ElementsAre(kDefer));
  Tell(Returned{}, "w2", lease);
  Pass(kRetryDelay / 2 - milliseconds(100));
  EXPECT_THAT(Take<Lease>("w2"), IsEmpty());
  Pass(milliseconds(100));
  const Lease again = TheLease("w2");
  Ask("w2", again);
  Fail("w2", again, 1);
  EXPECT_THAT(Told("w2"), ElementsAre(kFetch, kGivenUp));
}

TEST_F(CoordinatorRobots, ADeferredHostDoesNotKeepAJobFromStopping) {
  Defer();
  coordinator_->Stop(now_);
  CarryOut();
  EXPECT_EQ(store_.job().at("state"), "stopped");
  EXPECT_EQ(coordinator_->progress().waiting, 1u);
}

TEST_F(CoordinatorRobots, APausedJobLeasesNothingThoughADeferralEnds) {
  Defer();
  store_.SetControl("pause");
  Pass(kRetryDelay * 2);
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  store_.SetControl("run");
  Pass(milliseconds(300));
  EXPECT_EQ(Take<Lease>("w").size(), 1u);
}

TEST_F(CoordinatorRobots, MaxPagesEndsAJobThoughAHostIsDeferred) {
  options_.crawl.seeds.push_back("http://b.test/");
  options_.crawl.max_pages = 1;
  Start();
  SayHello("w");
  const Lease deferred = TheLease("w");
  Ask("w", deferred);
  Fail("w", deferred);
  Tell(Returned{}, "w", deferred);
  Tell(Fetched{}, "w", TheLease("w"));
  EXPECT_THAT(coordinator_->stopped_because(), StartsWith("--max-pages"));
  EXPECT_EQ(store_.job().at("state"), "stopped");
}

TEST_F(CoordinatorRobots, TheHostIsAskedNothingTooSoonAfterItsRobotsTxt) {
  options_.crawl.robots_retry_delay = milliseconds(0);
  options_.crawl.host_delay = milliseconds(300);
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  Ask("w", lease);
  Fail("w", lease);
  Tell(Returned{}, "w", lease);
  EXPECT_EQ(TheLease("w").start_after, milliseconds(300));
}

// ---- Sitemaps ----

TEST_F(CoordinatorRobots, SitemapsAreAdmittedBeforeTheUrlThatWaitsForTheAnswerCanEnd) {
  options_.crawl.sitemaps = true;
  options_.crawl.depth = 0;
  Start();
  SayHello("w");
  const Lease seed = TheLease("w");
  Ask("w", seed);
  Report("w", seed, RobotsFile{"Sitemap: http://a.test/s\nSitemap: http://b.test/s\n"});
  EXPECT_EQ(coordinator_->progress().counts.admitted, 3u);
  Ask("w", seed);
  EXPECT_EQ(coordinator_->progress().counts.admitted, 3u);
  std::vector<FrontierEntry> entries;
  Tell(trawl::Fetched{}, "w", seed);
  for (const Lease& lease : Take<Lease>("w")) {
    EXPECT_EQ(lease.depth, 0);
    entries.insert(entries.end(), lease.entries.begin(), lease.entries.end());
  }
  EXPECT_THAT(entries,
              ::testing::UnorderedElementsAre(
                  FrontierEntry{"http://a.test/s", "http://a.test/robots.txt", 0, 0, 0, 1},
                  FrontierEntry{"http://b.test/s", "http://a.test/robots.txt", 0, 0, 0, 1}));
}

TEST_F(CoordinatorRobots, AreAnsweredWhenTheirSitemapsAreInTheStore) {
  options_.crawl.sitemaps = true;
  Start();
  SayHello("w");
  const Lease seed = TheLease("w");
  Ask("w", seed);
  Take<RobotsAnswer>("w");
  hold_admissions_ = true;
  Report("w", seed, RobotsFile{"Sitemap: http://a.test/s\n"});
  EXPECT_THAT(Told("w"), ::testing::IsEmpty());
  hold_admissions_ = false;
  for (const Coordinator::Apply& apply : std::exchange(held_, {})) ApplyStep(apply);
  CarryOut();
  EXPECT_EQ(Told("w").size(), 1u);
}

TEST_F(CoordinatorRobots, SitemapsOfALeaseOfBeforeAreNoPartOfTheStart) {
  options_.crawl.sitemaps = true;
  Start();
  SayHello("w");
  const Lease seed = TheLease("w");
  hold_admissions_ = true;
  Start();
  SayHello("w", 100, {seed.lease_id});
  Report("w", seed, RobotsFile{"Sitemap: http://a.test/s\n"});
  const auto run = [&](const Coordinator::Apply& apply) {
    store_.Apply(apply.step, [&](Result<Reply> reply) {
      coordinator_->OnReply(apply, std::move(reply).value(), now_);
    });
    CarryOut();
  };
  const std::vector<Coordinator::Apply> start = std::exchange(held_, {});
  ASSERT_TRUE(std::holds_alternative<AdmitStep>(start[0].step)) << "the seeds";
  for (std::size_t i = 1; i < start.size(); ++i) run(start[i]);
  for (const Coordinator::Apply& sitemaps : std::exchange(held_, {})) run(sitemaps);
  EXPECT_EQ(coordinator_->progress().counts.admitted, 2u);
  EXPECT_EQ(phase(), Coordinator::Phase::kStarting);
  run(start[0]);
  EXPECT_EQ(phase(), Coordinator::Phase::kRunning);
}

TEST_F(CoordinatorRobots, SitemapsAreLeftAloneUnlessTheyAreAskedFor) {
  Start();
  SayHello("w");
  const Lease seed = TheLease("w");
  Ask("w", seed);
  Report("w", seed, RobotsFile{"Sitemap: http://a.test/s\n"});
  EXPECT_EQ(coordinator_->progress().counts.admitted, 1u);
}

}  // namespace
}  // namespace trawl

// The rules of message in, actions out. Whole crawls are in crawl_property_test.cc.

#include "coordinator/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/coordinator/coordinator_fixture.h"

namespace trawl {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Verdict = Ack::Verdict;

TEST_F(CoordinatorTest, RefusesAnotherProtocolVersionAndLogsWhose) {
  Start();
  Hello hello;
  hello.name = "w";
  hello.protocol_version = 77;
  hello.capacity = 10;
  Say("w", hello);
  const auto refused = Take<Refused>("w");
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].why, Refused::Why::kVersion);
  EXPECT_THAT(refused[0].detail, HasSubstr("77"));
  EXPECT_THAT(logs_, ElementsAre(::testing::AllOf(HasSubstr("w"), HasSubstr("77"))));
  EXPECT_EQ(coordinator_->progress().workers, 0u);
  EXPECT_EQ(Steps<LeaseStep>(), 0);
}

TEST_F(CoordinatorTest, RefusesANameThatIsNotTheRoutingId) {
  Start();
  Hello hello;
  hello.name = "other";
  Say("w", hello);
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(Take<Refused>("w").at(0).why, Refused::Why::kMalformed);
  EXPECT_EQ(coordinator_->progress().workers, 0u);
}

TEST_F(CoordinatorTest, TellsAStrangerToSayHello) {
  Start();
  const std::size_t steps = steps_.size();
  for (const ToCoordinator& message :
       {ToCoordinator(WorkerHeartbeat{}), ToCoordinator(Reports{{Report{}}}),
        ToCoordinator(WorkerGoodbye{})}) {
    Say("w", message);
    ASSERT_EQ(sent_.size(), 1u);
    EXPECT_EQ(Take<Refused>("w").at(0).why, Refused::Why::kUnknown);
  }
  EXPECT_EQ(steps_.size(), steps);
}

TEST_F(CoordinatorTest, RefusesGarbageWhichChangesNothing) {
  Start();
  SayHello("w");
  sent_.clear();
  const std::size_t steps = steps_.size();
  for (const char* peer : {"w", "stranger"}) {
    coordinator_->OnGarbage(peer, now_);
    CarryOut();
    EXPECT_EQ(Take<Refused>(peer).at(0).why, Refused::Why::kMalformed);
  }
  EXPECT_EQ(logs_.size(), 1u) << "not more often than once a second";
  EXPECT_EQ(steps_.size(), steps);
  EXPECT_EQ(coordinator_->progress().workers, 1u);
}

TEST_F(CoordinatorTest, AnswersHelloWithWelcomeAndWhatHasEnded) {
  options_.crawl.user_agent = "bot";
  Start();
  SayHello("w", 100, {42});
  const auto welcome = Take<Welcome>("w");
  ASSERT_EQ(welcome.size(), 1u);
  EXPECT_EQ(welcome[0].job, "job");
  EXPECT_EQ(welcome[0].settings.user_agent, "bot");
  EXPECT_EQ(welcome[0].lease_timeout, kTimeout);
  EXPECT_LT(welcome[0].heartbeat_interval * 3, kTimeout) << "two lost ones do no harm";
  EXPECT_THAT(Take<CoordinatorHeartbeat>("w").at(0).ended_lease_ids, ElementsAre(42));
}

TEST_F(CoordinatorTest, NeverLeasesMoreThanAWorkersCredit) {
  SeedHosts(50);
  Start();
  SayHello("w", 3);
  auto leases = Take<Lease>("w");
  EXPECT_EQ(leases.size(), 3u);
  Tell(Fetched{}, "w", leases[0]);
  EXPECT_EQ(Take<Lease>("w").size(), 1u);
}

TEST_F(CoordinatorTest, AReportUnderAForeignLeaseIsNeverToBeRetried) {
  Start();
  SayHello("w1");
  SayHello("w2");
  const Lease lease = TheLease("w1");
  Tell(Fetched{}, "w2", lease);
  EXPECT_THAT(Verdicts("w2"), ElementsAre(Verdict::kNeverRetry));
  EXPECT_EQ(Steps<AcceptStep>(), 0);
  Tell(Fetched{}, "w1", lease);
  EXPECT_THAT(Verdicts("w1"), ElementsAre(Verdict::kDone));
  Tell(Fetched{}, "w1", lease);
  EXPECT_THAT(Verdicts("w1"), ElementsAre(Verdict::kNeverRetry)) << "it came twice";
  EXPECT_EQ(coordinator_->progress().counts.fetched, 1u);
}

TEST_F(CoordinatorTest, OffersNoLinksBeyondTheDepth) {
  options_.crawl.depth = 0;
  Start();
  SayHello("w");
  Tell(Fetched{0, 1}, "w", TheLease("w"), 0, {"http://a.test/1"});
  ASSERT_EQ(Steps<AcceptStep>(), 1);
  for (const Step& step : steps_) {
    const auto* accept = std::get_if<AcceptStep>(&step);
    EXPECT_TRUE(!accept || accept->links.empty());
  }
  EXPECT_EQ(coordinator_->progress().counts.admitted, 1u);
  EXPECT_THAT(events_, ::testing::Contains("finished"));
}

TEST_F(CoordinatorTest, ARedirectHasAnOutcome) {
  const struct {
    const char* outcome;
    Redirected redirected;
    ScopeKind scope;
    int max_hops;
  } kCases[] = {
      {"admitted", {301, "http://a.test/x", true}, ScopeKind::kHost, 10},
      {"admitted", {301, "http://a.test/x", true}, ScopeKind::kHost, 1},
      {"seen", {301, "http://a.test/", true}, ScopeKind::kHost, 10},
      {"scope", {301, "http://b.test/", true}, ScopeKind::kHost, 10},
      {"address", {301, "http://127.0.0.1/", true}, ScopeKind::kAny, 10},
      {"address", {301, "http://[::1]/", true}, ScopeKind::kAny, 10},
      {"malformed", {301, "mailto:a", false}, ScopeKind::kAny, 10},
      {"malformed", {301, "no URL", true}, ScopeKind::kAny, 10},
      {"too_many", {301, "http://a.test/x", true}, ScopeKind::kHost, 0},
  };
  for (const auto& c : kCases) {
    store_ = MemoryStore();
    rows_.clear();
    options_.crawl.scope = c.scope;
    options_.crawl.max_hops = c.max_hops;
    Start();
    SayHello("w");
    Tell(c.redirected, "w", TheLease("w"));
    Pass(milliseconds(300));
    EXPECT_THAT(rows_, ElementsAre(StartsWith("redirected " + std::string(c.outcome) + " {")));
    const auto leases = Take<Lease>("w");
    ASSERT_EQ(leases.size(), c.outcome == std::string("admitted") ? 1u : 0u) << c.redirected.to;
    if (leases.empty()) continue;
    EXPECT_EQ(leases[0].depth, 0) << "redirects cost no depth";
    EXPECT_EQ(leases[0].entries[0].hops, 1);
  }
}

TEST_F(CoordinatorTest, ObeysTheLimitsOfHostsAndDomains) {
  options_.crawl.scope = ScopeKind::kAny;
  options_.crawl.max_pages_per_host = 2;
  options_.crawl.max_hosts_per_domain = 1;
  Start();
  SayHello("w");
  Tell(Fetched{}, "w", TheLease("w"), 0,
       {"http://a.test/1", "http://a.test/2", "http://x.b.test/", "http://y.b.test/",
        "http://z.a.test/", "http://b.test:81/"});
  const Drops wanted = {{"hosts_per_domain", 2}, {"pages_per_host", 1}};
  EXPECT_EQ(coordinator_->progress().counts.dropped_by_reason, wanted);
  EXPECT_EQ(coordinator_->progress().counts.admitted, 4u);
  EXPECT_EQ(coordinator_->progress().waiting + coordinator_->progress().leased, 3u);
}

TEST_F(CoordinatorTest, OffersALinkToTheStoreUntilItIsSettledAtThatDepth) {
  options_.crawl.seeds = {"http://a.test/", "http://b.test/"};
  options_.crawl.scope = ScopeKind::kAny;
  options_.crawl.max_pages_per_host = 1;
  Start();
  SayHello("w");
  const std::vector<Lease> seeds = Take<Lease>("w");
  ASSERT_EQ(seeds.size(), 2u);
  const auto offered = [this] {
    std::vector<std::string> urls;
    for (const Step& step : steps_) {
      const auto* accept = std::get_if<AcceptStep>(&step);
      for (const Candidate& link : accept ? accept->links : std::vector<Candidate>()) {
        urls.push_back(link.url);
      }
    }
    return urls;
  };
  const auto tell = [&](const Lease& lease, int sitemap = 0) {  // a part of a report
    Report report;
    report.lease_id = lease.lease_id;
    report.entry = lease.entries[0];
    report.entry.sitemap = sitemap;
    report.links = {"http://a.test/full", "http://c.test/", "http://b.test/"};
    Say("w", Reports{{report}});
  };
  tell(seeds[0]);
  EXPECT_THAT(offered(), ElementsAre("http://a.test/full", "http://c.test/", "http://b.test/"));
  steps_.clear();
  tell(seeds[1]);
  EXPECT_THAT(offered(), ElementsAre("http://a.test/full")) << "its host may have room again";
  steps_.clear();
  tell(seeds[1], 1);
  EXPECT_EQ(offered().size(), 3u) << "what a sitemap lists has a smaller depth";
}

TEST_F(CoordinatorTest, TellsWhetherTheLinksOfAReportAreSettled) {
  const struct {
    const char* what;
    std::string link;
    int sitemap;
    std::uint64_t pages_per_host;
    std::uint64_t hosts_per_domain;
    std::uint64_t same_body;
    bool settled;
  } kCases[] = {
      {"new", "http://a.test/1", 0, 0, 0, 0, true},
      {"seen", "http://a.test/", 0, 0, 0, 0, true},
      {"kept out by a rule", "http://a.test/no?no", 0, 0, 0, 0, true},
      {"the host is full", "http://a.test/1", 0, 2, 0, 0, false},
      {"the first of a domain", "http://x.a.test/", 0, 0, 1, 0, true},
      {"another of a full domain", "http://y.b.test/", 0, 0, 1, 0, false},
      {"a repeated body", "http://a.test/1", 0, 0, 0, 1, false},
      {"of a sitemap", "http://a.test/1", 1, 0, 0, 0, false},
  };
  for (const auto& c : kCases) {
    options_.crawl.seeds = {"http://a.test/", "http://a.test/2"};
    options_.crawl.scope = ScopeKind::kAny;
    options_.crawl.exclude = {"no"};
    options_.crawl.max_pages_per_host = c.pages_per_host;
    options_.crawl.max_hosts_per_domain = c.hosts_per_domain;
    options_.crawl.max_same_body = c.same_body;
    store_ = MemoryStore();
    sent_.clear();
    Start();
    SayHello("w");
    Report report;
    report.body_digest = 5;
    report.outcome = Fetched{};
    for (int page = 0; page < 2; ++page) {
      const auto leases = Take<Lease>("w");  // what a sitemap lists has its own depth
      const auto lease = std::find_if(leases.begin(), leases.end(),
                                      [](const Lease& each) { return each.host == "a.test"; });
      ASSERT_NE(lease, leases.end()) << c.what;
      report.lease_id = lease->lease_id;
      report.entry = lease->entries[0];
      report.entry.sitemap = c.sitemap;
      report.links = {page == 0 ? "http://x.b.test/" : c.link};
      Say("w", Reports{{report}});
    }
    const auto acks = Take<Acks>("w");
    ASSERT_EQ(acks.size(), 2u) << c.what;
    EXPECT_EQ(acks[1].acks.at(0).links_settled, c.settled) << c.what;
  }
}

TEST_F(CoordinatorTest, CountsDropsByReasonOverRestarts) {
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  Tell(Fetched{}, "w", lease, 0, {"http://b.test/", "http://a.test/x/x/x/x/x", "http://c.test/"});
  Tell(Fetched{}, "w", lease, 0, {"http://b.test/"});
  const Drops wanted = {{"repeated_segments", 1}, {"scope", 2}};
  EXPECT_EQ(coordinator_->progress().counts.dropped_by_reason, wanted);
  Start();
  EXPECT_EQ(coordinator_->progress().counts.dropped_by_reason, wanted);
}

}  // namespace
}  // namespace trawl

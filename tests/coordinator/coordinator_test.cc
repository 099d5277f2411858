// The rules of message in, actions out. Whole crawls are in crawl_property_test.cc.

#include "coordinator/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/coordinator/coordinator_fixture.h"

namespace trawl {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Phase = Coordinator::Phase;
using Verdict = Ack::Verdict;

// ---- Who may say what ----

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

// ---- Leases and reports ----

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

TEST_F(CoordinatorTest, AnotherProcessUnderTheSameNameTellsThatTheOneBeforeHasDied) {
  Start();
  Hello hello;
  hello.name = "w";
  hello.capacity = 10;
  for (int losses = 0; losses < kMaxLosses; ++losses) {
    ++hello.process;
    Say("w", hello);
    const Lease lease = TheLease("w");
    ASSERT_EQ(lease.entries.size(), 1u);
    EXPECT_EQ(lease.entries[0].losses, losses);
    hello.lease_ids = {lease.lease_id};
    Say("w", hello);  // the same one
    hello.lease_ids = {};
  }
  ++hello.process;
  Say("w", hello);
  EXPECT_EQ(store_.stats().at("failed:worker_lost"), 1u);
  EXPECT_EQ(coordinator_->progress().counts.failed, 1u);
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

TEST_F(CoordinatorTest, TakesFewerUrlsFromTheStoreThanItCounted) {
  hold_leases_ = true;
  Start();
  SayHello("w");
  ASSERT_EQ(held_.size(), 1u);
  coordinator_->OnReply(std::exchange(held_, {})[0], LeaseReply{}, now_);
  CarryOut();
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  EXPECT_EQ(logs_.size(), 1u);
  EXPECT_EQ(coordinator_->progress().leased, 0u);
}

// ---- Leases that end badly ----

TEST_F(CoordinatorTest, ASilentWorkersUrlsLoseALifeAndTheThirdIsTheLast) {
  Start();
  for (int losses = 0; losses < 3; ++losses) {
    const std::string name = "w" + std::to_string(losses);
    SayHello(name);
    EXPECT_EQ(TheLease(name).entries[0].losses, losses);
    Pass(kTimeout + milliseconds(200));
    EXPECT_EQ(coordinator_->progress().workers, 0u);
    EXPECT_THAT(logs_.back(), HasSubstr(name));
  }
  const auto counts = coordinator_->progress().counts;
  EXPECT_EQ(counts.leases_expired, 3u);
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(counts.failed_by_reason.at("worker_lost"), 1u);
  EXPECT_EQ(rows_.back(), "given_up worker_lost 0 http://a.test/ - 0 0 3");
}

TEST_F(CoordinatorTest, WhoDidNotListenTakesNobodyForSilent) {
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  Pass(milliseconds(100));
  // Its loop stood still for long; then the heartbeats that waited are read.
  now_ += kTimeout * 3;
  coordinator_->OnTick(now_);
  CarryOut();
  EXPECT_EQ(coordinator_->progress().workers, 1u);
  Beat("w", {lease.lease_id});
  // It does not listen for as long, because Redis is slow.
  for (int tick = 0; tick < 30; ++tick) {
    now_ += milliseconds(100);
    coordinator_->OnTick(now_, false);
    CarryOut();
  }
  EXPECT_EQ(coordinator_->progress().workers, 1u);
  Pass(kTimeout * 2);
  EXPECT_EQ(coordinator_->progress().workers, 0u) << "it listens, and hears nothing";
}

TEST_F(CoordinatorTest, UrlsThatNeverReachedALostWorkerLoseNoLife) {
  Start();
  hold_leases_ = true;
  SayHello("w");
  ASSERT_FALSE(held_.empty());
  Pass(kTimeout + milliseconds(200));
  EXPECT_THAT(logs_.back(), HasSubstr("fell silent"));
  hold_leases_ = false;
  for (const Coordinator::Apply& apply : std::exchange(held_, {})) ApplyStep(apply);
  CarryOut();
  SayHello("next");
  EXPECT_EQ(TheLease("next").entries[0].losses, 0);
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

TEST_F(CoordinatorTest, ALeaseThatItsLivingWorkerNamesNoMoreExpiresWithoutBlame) {
  Start();
  SayHello("w");
  const Lease lost = TheLease("w");
  for (int beat = 0; beat < 15; ++beat) {
    Pass(milliseconds(100));
    Beat("w", {});
  }
  EXPECT_EQ(TheLease("w").entries[0].losses, 0);
  EXPECT_EQ(coordinator_->progress().counts.leases_expired, 0u);
  sent_.clear();
  Beat("w", {lost.lease_id});
  EXPECT_THAT(Take<CoordinatorHeartbeat>("w").at(0).ended_lease_ids, ElementsAre(lost.lease_id));
  Tell(Fetched{}, "w", lost);
  EXPECT_THAT(Verdicts("w"), ElementsAre(Verdict::kNeverRetry));
}

TEST_F(CoordinatorTest, HeartbeatsKeepALeaseForEver) {
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  for (int beat = 0; beat < 100; ++beat) {
    Pass(milliseconds(900));
    Beat("w", {lease.lease_id});
  }
  EXPECT_EQ(Steps<ExpireStep>(), 0);
  Tell(Fetched{}, "w", lease);
  EXPECT_THAT(Verdicts("w"), ElementsAre(Verdict::kDone));
}

TEST_F(CoordinatorTest, AWorkersGoodbyeReturnsWhatItHeldWithoutBlame) {
  Start();
  SayHello("w1");
  TheLease("w1");
  Say("w1", WorkerGoodbye{"done"});
  SayHello("w2");
  EXPECT_EQ(TheLease("w2").entries[0].losses, 0);
}

TEST_F(CoordinatorTest, ALeaseWhoseWorkerLeftBeforeItWasMadeGoesBack) {
  hold_leases_ = true;
  Start();
  SayHello("w1");
  Say("w1", WorkerGoodbye{});
  hold_leases_ = false;
  EXPECT_EQ(held_.size(), 2u) << "the lease and its end";
  for (const Coordinator::Apply& apply : std::exchange(held_, {})) ApplyStep(apply);
  CarryOut();
  EXPECT_THAT(Take<Lease>("w1"), IsEmpty());
  Pass(kTimeout * 2);
  SayHello("w2");
  EXPECT_EQ(TheLease("w2").entries[0].losses, 0);
}

TEST_F(CoordinatorTest, AWorkersLeasesSurviveARestartOfTheCoordinator) {
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  Start();
  Beat("w", {lease.lease_id});
  EXPECT_EQ(Take<Refused>("w").at(0).why, Refused::Why::kUnknown);
  Take<CoordinatorHeartbeat>("w");
  SayHello("w", 100, {lease.lease_id});
  EXPECT_THAT(Take<CoordinatorHeartbeat>("w").at(0).ended_lease_ids, IsEmpty());
  Tell(Fetched{}, "w", lease);
  EXPECT_THAT(Verdicts("w"), ElementsAre(Verdict::kDone));
}

// ---- Ways to the end ----

TEST_F(CoordinatorTest, NeverFetchesMoreThanMaxPages) {
  SeedHosts(20);
  options_.crawl.max_pages = 5;
  Start();
  SayHello("w1");
  SayHello("w2");
  std::uint64_t fetched = 0;
  for (int turn = 0; phase() == Phase::kRunning; ++turn) {
    ASSERT_LT(turn, 100);
    for (const char* worker : {"w1", "w2"}) {
      for (const Lease& lease : Take<Lease>(worker)) {
        EXPECT_LE(fetched + coordinator_->progress().leased, 5u);
        const bool page = ++turn % 2 == 0;
        Tell(page ? Outcome(Fetched{}) : Outcome(Failed{Error::kHttpStatus, "404", 404}), worker,
             lease);
        fetched += page;
      }
    }
  }
  EXPECT_EQ(fetched, 5u);
  EXPECT_EQ(coordinator_->progress().counts.fetched, 5u);
  EXPECT_THAT(coordinator_->stopped_because(), HasSubstr("--max-pages"));
  EXPECT_EQ(store_.job().at("state"), "stopped");
}

TEST_F(CoordinatorTest, APersonPausesResumesAndStopsByTheControlKey) {
  for (const char* resume : {"run", ""}) {
    store_ = MemoryStore();
    sent_.clear();
    Start();
    store_.SetControl("pause");
    Pass(milliseconds(300));
    EXPECT_EQ(phase(), Phase::kPaused);
    EXPECT_EQ(store_.job().at("state"), "paused");
    SayHello("w");
    EXPECT_THAT(Take<Lease>("w"), IsEmpty());
    store_.SetControl(resume);
    Pass(milliseconds(300));
    EXPECT_EQ(store_.job().at("state"), "running");
    EXPECT_EQ(Take<Lease>("w").size(), 1u);
    store_.SetControl("stop");
    Pass(milliseconds(300));
    EXPECT_EQ(phase(), Phase::kDraining);
    EXPECT_EQ(Take<Drain>("w").size(), 1u);
  }
}

TEST_F(CoordinatorTest, APauseCallsBackWhatWorkersHold) {
  SeedHosts(2);
  Start();
  SayHello("w", 1);
  const Lease lease = TheLease("w");
  hold_leases_ = true;
  SayHello("late");
  ASSERT_EQ(held_.size(), 1u);
  store_.SetControl("pause");
  const Coordinator::Apply under_way = std::exchange(held_, {})[0];
  hold_leases_ = false;
  Pass(milliseconds(300));
  EXPECT_EQ(Take<Recall>("w").size(), 1u);
  ApplyStep(under_way);
  CarryOut();
  EXPECT_THAT(Take<Lease>("late"), IsEmpty()) << "it goes back";
  Tell(Returned{}, "w", lease);
  EXPECT_EQ(coordinator_->progress().leased, 0u);
  EXPECT_EQ(coordinator_->progress().waiting, 2u);
  SayHello("later");
  EXPECT_EQ(Take<Recall>("later").size(), 1u);
  EXPECT_EQ(store_.stats().at("leases_expired"), 0u) << "nobody is to blame";
}

TEST_F(CoordinatorTest, APauseOrAStopTakesBackWhatWaitsForItsTurn) {
  for (const char* word : {"pause", "stop"}) {
    store_ = MemoryStore();
    sent_.clear();
    SeedHosts(3);
    Start();
    for (int worker = 1; worker < kMaxLosses; ++worker) {  // all are on their last life then
      SayHello("w" + std::to_string(worker));
      Pass(2 * kTimeout);
    }
    SayHello("last");
    EXPECT_EQ(Take<Lease>("last").size(), 1u) << "one at a time";
    EXPECT_EQ(coordinator_->progress().leased, 3u);
    store_.SetControl(word);
    Pass(milliseconds(300));
    EXPECT_EQ(coordinator_->progress().leased, 1u) << word;
    EXPECT_EQ(coordinator_->progress().waiting, 2u) << word;
  }
}

TEST_F(CoordinatorTest, OneThatIsStartedAgainObeysTheControlKey) {
  Start();
  store_.SetControl("pause");
  Start();
  SayHello("w");
  EXPECT_EQ(phase(), Phase::kPaused);
  EXPECT_EQ(store_.job().at("state"), "paused");
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  store_.SetControl("stop");
  Start();
  EXPECT_EQ(store_.job().at("state"), "stopped");
}

TEST_F(CoordinatorTest, LeasesAgainAtOnceWhatHadNotReachedItsWorkerBeforeARestart) {
  SeedHosts(2);
  Start();
  SayHello("w");
  const std::vector<Lease> leases = Take<Lease>("w");
  ASSERT_EQ(leases.size(), 2u);
  Start();
  SayHello("w", 100, {leases[0].lease_id});
  const Lease again = TheLease("w");
  EXPECT_EQ(again.host, leases[1].host);
  EXPECT_EQ(again.entries[0].losses, 0) << "no life is lost";
}

TEST_F(CoordinatorTest, StopsWhenAllWorkersHaveHandedBackWhatTheyHeld) {
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  coordinator_->Stop(now_);
  CarryOut();
  EXPECT_EQ(Take<Drain>("w").size(), 1u);
  SayHello("late");
  EXPECT_EQ(Take<Drain>("late").size(), 1u);
  EXPECT_EQ(phase(), Phase::kDraining);
  Tell(Returned{}, "w", lease);
  EXPECT_THAT(Verdicts("w"), ElementsAre(Verdict::kDone));
  EXPECT_EQ(store_.job().at("state"), "stopped");
  EXPECT_EQ(coordinator_->progress().waiting, 1u);
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  EXPECT_NE(coordinator_->stopped_because(), "");
}

TEST_F(CoordinatorTest, StopsSoonWhenItsWorkersAreDead) {
  options_.lease_timeout = std::chrono::hours(1);
  Start();
  SayHello("dead");
  TheLease("dead");
  coordinator_->Stop(now_);
  CarryOut();
  Pass(milliseconds(3'900));
  EXPECT_EQ(phase(), Phase::kDraining) << "it may just be slow";
  Pass(milliseconds(400));
  EXPECT_EQ(events_.back(), "end");
  EXPECT_EQ(store_.job().at("state"), "stopped");
  EXPECT_EQ(store_.stats().at("leased"), 0u) << "what it had waits for the next one";
}

TEST_F(CoordinatorTest, WaitsForNobodyWhoHandsNothingBack) {
  Start();
  SayHello("w");
  const Lease lease = TheLease("w");
  coordinator_->Stop(now_);
  CarryOut();
  for (int second = 0; second < 60 && events_.back() != "end"; ++second) {
    Pass(milliseconds(500));
    Beat("w", {lease.lease_id});
  }
  EXPECT_EQ(events_.back(), "end");
  EXPECT_EQ(store_.job().at("state"), "stopped");
}

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

const Failed kReset{Error::kReset, "connection reset", 0};
const Failed kUnavailable{Error::kHttpStatus, "HTTP status 503", 503};

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
  options_.crawl.seeds = {"http://a.test/1", "http://a.test/2"};
  options_.crawl.host_connections = 9;
  Start();
  SayHello("w");
  Lease first = TheLease("w");  // one URL, until robots.txt is known
  Tell(Fetched{}, "w", first, 0, {"http://a.test/x"});
  const Lease second = TheLease("w");
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
  options_.crawl.seeds = {"http://a.test/1", "http://a.test/2"};
  const CoordinatorOptions before = options_;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    store_ = MemoryStore();
    sent_.clear();
    options_ = before;
    limits[i](options_.crawl);
    Start();
    SayHello("w");
    Tell(Fetched{}, "w", TheLease("w"), 0, {"http://a.test/x"});
    const Lease second = TheLease("w");
    Pass(milliseconds(800));
    EXPECT_THAT(Take<Lease>("w"), IsEmpty()) << i;
  }
}

TEST_F(CoordinatorTest, APageThatIsFetchedAgainAsItMovesIsNoRepeatedBody) {
  options_.crawl.seeds = {"http://a.test/1", "http://a.test/2"};
  options_.crawl.max_same_body = 1;
  Start();
  SayHello("w");
  Tell(Fetched{}, "w", TheLease("w"), 0, {"http://a.test/x"});
  const Lease second = TheLease("w");
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
  options_.crawl.seeds = {"http://a.test/1", "http://a.test/2"};
  options_.crawl.host_connections = 9;
  Start();
  SayHello("w");
  Tell(Fetched{}, "w", TheLease("w"), 0, {"http://a.test/x"});
  const Lease second = TheLease("w");
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
    options_.crawl.seeds = {"http://a.test/1", "http://a.test/2"};
    Start();
    SayHello("w");
    Tell(Fetched{}, "w", TheLease("w"), 0, {"http://a.test/x"});
    const Lease second = TheLease("w");
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

TEST_F(CoordinatorTest, EndsByItsPageLimitWhileUrlsAreDelayed) {
  options_.crawl.seeds = {"http://a.test/", "http://b.test/"};
  options_.crawl.max_pages = 1;
  Start();
  SayHello("w");
  Tell(kReset, "w", TheLease("w"));
  Tell(Fetched{}, "w", TheLease("w"));
  EXPECT_EQ(store_.job().at("state"), "stopped");
  EXPECT_EQ(store_.stats().at("delayed"), 1u);
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

TEST_F(CoordinatorTest, NoUrlIsGivenUpForAnother) {
  constexpr int kUrls = 60;
  options_.crawl.seeds.clear();
  for (int i = 0; i < kUrls; ++i) {
    options_.crawl.seeds.push_back("http://a.test/" + std::to_string(i));
  }
  options_.crawl.host_connections = 8;
  Start();
  // The page /7 takes down each worker that has it. Workers fetch all that they have at once.
  int workers = 0;
  const auto start_worker = [&] { SayHello("w" + std::to_string(++workers)); };
  start_worker();
  for (int turn = 0; turn < 200 && store_.job().at("state") != "finished"; ++turn) {
    const std::string worker = "w" + std::to_string(workers);
    const std::vector<Lease> leases = Take<Lease>(worker);
    const bool dies = std::any_of(leases.begin(), leases.end(), [](const Lease& lease) {
      return std::any_of(lease.entries.begin(), lease.entries.end(),
                         [](const auto& entry) { return entry.url == "http://a.test/7"; });
    });
    if (dies) {
      Pass(2 * kTimeout);
      start_worker();
      continue;
    }
    for (const Lease& lease : leases) {
      for (int i = 0; i < static_cast<int>(lease.entries.size()); ++i) {
        Tell(Fetched{}, worker, lease, i);
      }
    }
    Pass(milliseconds(500));
    std::vector<LeaseId> held;
    for (const Coordinator::Send& send : sent_) {
      const auto* lease = std::get_if<Lease>(&send.message);
      if (lease && send.worker == worker) held.push_back(lease->lease_id);
    }
    Beat(worker, held);
  }
  EXPECT_EQ(workers, 1 + kMaxLosses);
  EXPECT_EQ(store_.stats().at("fetched"), std::uint64_t{kUrls - 1});
  EXPECT_EQ(store_.stats().at("failed:worker_lost"), 1u);
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

TEST_F(CoordinatorTest, LeasesNothingWhileRowsCannotBeWritten) {
  Start();
  coordinator_->OnRowsStalled(true, now_);
  SayHello("w");
  EXPECT_THAT(Take<Lease>("w"), IsEmpty());
  coordinator_->OnRowsStalled(false, now_);
  CarryOut();
  EXPECT_EQ(Take<Lease>("w").size(), 1u);
}

TEST_F(CoordinatorTest, EndsInOrderRowsThenStateThenGoodbyes) {
  Start();
  SayHello("w");
  events_.clear();
  Tell(Failed{Error::kDns, "no such name", 0, true}, "w", TheLease("w"));
  EXPECT_THAT(events_, ElementsAre("rows", "finished", "goodbye"));
  EXPECT_THAT(rows_, ElementsAre(StartsWith("failed {")));
  EXPECT_THAT(store_.outbox(), IsEmpty());
  EXPECT_THAT(store_.job().at("finished"), HasSubstr("Z"));
  EXPECT_EQ(coordinator_->stopped_because(), "");

  SayHello("late");
  EXPECT_EQ(Take<CoordinatorGoodbye>("late").size(), 1u) << "the job has ended";
  EXPECT_THAT(Take<Welcome>("late"), IsEmpty());
  Pass(milliseconds(100));
  EXPECT_NE(events_.back(), "end") << "the worker has not said goodbye";
  Say("w", WorkerGoodbye{});
  Pass(milliseconds(100));
  EXPECT_EQ(events_.back(), "end");
  EXPECT_EQ(std::count(events_.begin(), events_.end(), "end"), 1);
}

TEST_F(CoordinatorTest, AJobWithoutWorkersCanBeStopped) {
  Start();
  coordinator_->Stop(now_);
  CarryOut();
  Pass(milliseconds(100));
  EXPECT_EQ(events_.back(), "end");
}

}  // namespace
}  // namespace trawl

// The rules of coordinator/store/store.h, on both implementations.

#include <chrono>
#include <numeric>

#include "tests/coordinator/store/store_fixture.h"

namespace trawl {
namespace {

INSTANTIATE_TEST_SUITE_P(Stores, StoreRules, testing::Values("Memory", "Redis"),
                         [](const auto& info) { return info.param; });

TEST_P(StoreRules, CreatesTheJobOnceAndCountsItsCoordinators) {
  StoreUser next(*backend_);
  const Result<Snapshot> second = next.Open(Store::OpenMode::kCreate, {{"state", "new"}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), Error::kUsage);
  const Snapshot snapshot = next.Open(Store::OpenMode::kResume, {{"seeds", "s"}}).value();
  EXPECT_EQ(snapshot.epoch, 2u);
  EXPECT_EQ(snapshot.job, (std::map<std::string, std::string>{{"state", "running"}}));
  EXPECT_EQ(snapshot.open_depth, 0);
  EXPECT_EQ(snapshot.rounds.size(), 1u);
}

TEST_P(StoreRules, ResumesOnlyAJobThatIsThere) {
  const std::unique_ptr<Backend> empty = NewBackend(GetParam());
  StoreUser early(*empty);
  const Result<Snapshot> resumed = early.Open(Store::OpenMode::kResume, {{"state", "running"}});
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error(), Error::kUsage);
  EXPECT_EQ(early.Open(Store::OpenMode::kCreate, {{"state", "running"}}).value().epoch, 1u);
}

TEST_P(StoreRules, ObeysTheLastCoordinatorOnly) {
  coordinator_.Admit(0, {"http://a/"});
  const Strings leased = coordinator_.Lease(1, "a", 0, 1);
  StoreUser next(*backend_);
  const std::string before = Text(next.Open());
  for (const Step& step : std::initializer_list<Step>{
           AdmitStep{0, {Offer("http://b/")}}, LeaseStep{2, "w", "a", 0, 1, 1},
           AcceptStep{1, 0, {Offer("http://c/")}, Fetched()}, ExpireStep{1, true},
           GiveUpStep{"b", 0, 1}, SetLimitsStep{1, 1}, OpenRoundStep{1},
           SaveJobStep{{{"state", "x"}}}, SaveWorkersStep{{{"w", "{}"}}}, ReadControlStep{},
           ReadOutboxStep{1, 1}, ReadRobotsStep{"http://a", {}},
           KeepRobotsStep{"http://a", {}, {}}}) {
    const Result<Reply> reply = coordinator_.Apply(step);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error(), Error::kStepRefused);
  }
  EXPECT_EQ(Text(next.Open()), before);
  EXPECT_TRUE(next.Accept(1, 0, Fetched()).accepted);
}

TEST_P(StoreRules, RefusesStepsBeforeItIsOpened) {
  StoreUser unopened(*backend_);
  EXPECT_EQ(unopened.Apply(ReadControlStep{}).error(), Error::kStepRefused);
}

TEST_P(StoreRules, AdmitsAUrlOnce) {
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/1"})), "+ + = ");
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/2", "http://a/3"})), "= + ");
  EXPECT_EQ(Queues(0), Strings{"a 3"});
}

TEST_P(StoreRules, QueuesAUrlUnderItsAuthority) {
  coordinator_.Admit(0, {"http://a/x", "https://a/y", "http://a:8080/", "http://[::1]:81/z?q",
                         "http://b?q=http://a/", "https://b/?/"});
  EXPECT_EQ(Queues(0), (Strings{"[::1]:81 1", "a 2", "a:8080 1", "b 2"}));
}

TEST_P(StoreRules, ChangesNothingWhenACandidateIsNoUrl) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  const std::string before = Text(Now());
  for (const char* bad : {"", "a", "ftp://a/", "http:///", "http://?q", "http://a/ b"}) {
    const std::vector<Candidate> offers = {Offer("http://new/"), {7, bad}};
    EXPECT_FALSE(coordinator_.Apply(AdmitStep{0, offers})) << bad;
    EXPECT_FALSE(coordinator_.Apply(AcceptStep{1, 0, offers, Fetched()})) << bad;
    EXPECT_FALSE(coordinator_.Apply(AdmitStep{0, {}, offers, ""})) << bad;
    EXPECT_FALSE(coordinator_.Apply(AcceptStep{1, 0, {}, Fetched(), true, offers})) << bad;
  }
  EXPECT_FALSE(coordinator_.Apply(AdmitStep{-1, {Offer("http://new/")}}));
  EXPECT_EQ(Text(Now()), before);
}

TEST_P(StoreRules, LeasesTheFirstEntriesOfAHostQueue) {
  coordinator_.Admit(0, {"http://a/1", "http://b/", "http://a/2", "http://a/3"});
  EXPECT_EQ(coordinator_.Lease(1, "a", 0, 2), (Strings{"http://a/1", "http://a/2"}));
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 2), (Strings{"http://a/3"}));
  EXPECT_EQ(Queues(0), Strings{"b 1"});
  EXPECT_EQ(Stat("leased"), 3u);
}

TEST_P(StoreRules, AnswersARepeatedLeaseStepAsTheFirst) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3"});
  const Strings first = coordinator_.Lease(1, "a", 0, 2);
  EXPECT_EQ(coordinator_.Lease(1, "a", 0, 2), first);
  EXPECT_EQ(Queues(0), Strings{"a 1"});
}

TEST_P(StoreRules, MakesNoLeaseWithoutUrls) {
  coordinator_.Admit(0, {"http://a/"});
  EXPECT_EQ(coordinator_.Lease(1, "b", 0, 1), Strings());
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 0), Strings());
  EXPECT_TRUE(Now().leases.empty());
}

TEST_P(StoreRules, LeasesOnlyFromOpenRoundsAndTheNext) {
  coordinator_.Admit(2, {"http://a/2"});
  coordinator_.Admit(1, {"http://a/1"});
  EXPECT_FALSE(coordinator_.Apply(LeaseStep{1, "w", "a", 2, 1, 1}));
  EXPECT_EQ(coordinator_.Lease(1, "a", 1, 1), Strings{"http://a/1"});
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(2, "a", 2, 1), Strings{"http://a/2"});
}

TEST_P(StoreRules, KeepsTheHighestLeaseIdExactly) {
  coordinator_.Admit(0, {"http://a/"});
  const LeaseId highest = std::numeric_limits<LeaseId>::max();
  coordinator_.Lease(highest, "a", 0, 1);
  EXPECT_EQ(Now().leases.at(0).id, highest);
  EXPECT_FALSE(coordinator_.Accept(highest - 1, 0, Fetched()).accepted);
  EXPECT_TRUE(coordinator_.Accept(highest, 0, Fetched()).accepted);
}

TEST_P(StoreRules, AcceptsAReportOnlyWhileTheUrlIsLeased) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2"});
  coordinator_.Lease(1, "a", 0, 2);
  EXPECT_FALSE(coordinator_.Accept(2, 0, Fetched(), {"http://x/"}).accepted);
  EXPECT_FALSE(coordinator_.Accept(1, 2, Fetched(), {"http://x/"}).accepted);
  EXPECT_TRUE(coordinator_.Accept(1, 0, Fetched(), {"http://a/3"}).accepted);
  EXPECT_FALSE(coordinator_.Accept(1, 0, Fetched(), {"http://x/"}).accepted);
  coordinator_.Expire(1);
  EXPECT_FALSE(coordinator_.Accept(1, 1, Fetched(), {"http://x/"}).accepted);
  EXPECT_FALSE(coordinator_.Accept(1, 1, std::nullopt, {"http://x/"}).accepted);
  const Snapshot now = Now();
  EXPECT_EQ(now.stats.at("reports_refused"), 4u);
  EXPECT_EQ(now.stats.at("fetched"), 1u);
  EXPECT_EQ(now.stats.at("admitted"), 3u);
}

TEST_P(StoreRules, KeepsAUrlLeasedUntilItsReportEnds) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, std::nullopt, {"http://a/1"})), "accepted + -> none");
  EXPECT_EQ(Now().leases.size(), 1u);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, Fetched(), {"http://a/1", "http://a/2"})),
            "accepted = + -> none");
  EXPECT_TRUE(Now().leases.empty());
}

TEST_P(StoreRules, AdmitsLinksOneDepthDeeperWithTheirReferrer) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Accept(1, 0, Fetched(), {"http://a/1", "http://a/", "http://b/"});
  EXPECT_EQ(Queues(1), (Strings{"a 1", "b 1"}));
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(2, "b", 1, 1), Strings{"http://b/ http://a/"});
}

TEST_P(StoreRules, CountsHowUrlsEnd) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3"});
  coordinator_.Lease(1, "a", 0, 3);
  Ending page = Fetched();
  page.body_bytes = 5'000'000'000;
  page.links = 12;
  coordinator_.Accept(1, 0, page);
  for (int index : {1, 2}) {
    Ending failure = Ended(Ending::Kind::kFailed, R"({"n":)" + std::to_string(index) + "}");
    failure.reason = index == 1 ? Error::kTimeout : Error::kTooManyHops;
    coordinator_.Accept(1, index, failure);
  }
  auto stats = Now().stats;
  EXPECT_EQ(stats["bytes"], 5'000'000'000u);
  EXPECT_EQ(stats["links"], 12u);
  EXPECT_EQ(stats["fetched"], 1u);
  EXPECT_EQ(stats["failed"], 2u);
  EXPECT_EQ(stats["failed:timeout"], 1u);
  EXPECT_EQ(stats["failed:too_many"], 1u);
  EXPECT_EQ(coordinator_.Outbox(), (Strings{R"(failed {"n":1})", R"(failed {"n":2})"}));
}

TEST_P(StoreRules, CountsDropsWithWhatItAccepts) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  AcceptStep part{1, 0, {}};
  part.drops = {{"scope", 12}, {"url_length", 1}};
  coordinator_.Do<AcceptReply>(part);
  part.ending = Fetched();
  part.drops = {{"scope", 3}};
  coordinator_.Do<AcceptReply>(part);
  EXPECT_FALSE(coordinator_.Do<AcceptReply>(part).accepted);
  EXPECT_EQ(Stat("dropped:scope"), 15u);
  EXPECT_EQ(Stat("dropped:url_length"), 1u);
}

TEST_P(StoreRules, AdmitsARedirectTargetAtTheSameDepthForTheSameReferrer) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, RedirectedTo("http://b/", 1))), "accepted -> +");
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 1), Strings{"http://b/ - 0 1 0"});
  coordinator_.Accept(2, 0, Fetched(), {"http://c/"});
  coordinator_.OpenRound(1);
  coordinator_.Lease(3, "c", 1, 1);
  coordinator_.Accept(3, 0, RedirectedTo("http://d/", 2));
  EXPECT_EQ(coordinator_.Lease(4, "d", 1, 1), Strings{"http://d/ http://b/ 0 2 0"});
}

TEST_P(StoreRules, AdmitsSitemapsBeforeSeedsWithTheirReferrer) {
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(
                AdmitStep{0, Offers({"http://a/", "http://a/s"}), Offers({"http://a/s"}), ""})),
            "+ / + = ");
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(
                AdmitStep{0, {}, Offers({"http://b/s", "http://a/s"}), "http://b/robots.txt"})),
            "+ = / ");
  EXPECT_EQ(coordinator_.Lease(1, "a", 0, 9), (Strings{"http://a/s - 0 0 0 1", "http://a/"}));
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 9), Strings{"http://b/s http://b/robots.txt 0 0 0 1"});
}

TEST_P(StoreRules, AdmitsWhatASitemapListsAtItsOwnDepth) {
  coordinator_.OpenRound(1);
  coordinator_.Do<AdmitReply>(AdmitStep{1, {}, Offers({"http://a/s"}), "http://a/robots.txt"});
  coordinator_.Lease(1, "a", 1, 1);
  AcceptStep part{1, 0, Offers({"http://a/1"}), std::nullopt, true, Offers({"http://b/t"})};
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(part)), "accepted + / + -> none");
  part.ending = Fetched();
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(part)), "accepted = / = -> none");
  EXPECT_EQ(Queues(1), (Strings{"a 1", "b 1"}));
  EXPECT_EQ(coordinator_.Lease(2, "a", 1, 9), Strings{"http://a/1 http://a/s"});
  EXPECT_EQ(coordinator_.Lease(3, "b", 1, 9), Strings{"http://b/t http://a/robots.txt 0 0 0 2"});
}

TEST_P(StoreRules, ASitemapStaysOneWhateverHappensToIt) {
  coordinator_.Do<AdmitReply>(AdmitStep{0, {}, Offers({"http://a/s"}), ""});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Expire(1);
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 1), Strings{"http://a/s - 0 0 1 1"});
  coordinator_.Accept(2, 0, RedirectedTo("http://b/s", 1));
  EXPECT_EQ(coordinator_.Lease(3, "b", 0, 1), Strings{"http://b/s - 0 1 0 1"});
  coordinator_.Accept(3, 0, Returned());
  EXPECT_EQ(coordinator_.Lease(4, "b", 0, 1), Strings{"http://b/s - 0 1 0 1"});
}

TEST_P(StoreRules, AUrlThatWaitsDeeperBecomesTheSitemapThatItIsFoundToBe) {
  coordinator_.Admit(1, {"http://a/s"});
  const AdmitStep step{0, {}, Offers({"http://a/s"}), "http://a/robots.txt"};
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(step)), "1 / ");
  EXPECT_EQ(coordinator_.Lease(1, "a", 0, 1), Strings{"http://a/s http://a/robots.txt 0 0 0 1"});
}

TEST_P(StoreRules, PostsWhatBecameOfARedirect) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3"});
  coordinator_.Lease(1, "a", 0, 3);
  coordinator_.Accept(1, 0, RedirectedTo("http://b/"));
  coordinator_.Accept(1, 1, RedirectedTo("http://b/"));
  Ending refused = Ended(Ending::Kind::kRedirected, "row");
  refused.refusal = "scope";
  coordinator_.Accept(1, 2, refused);
  EXPECT_EQ(coordinator_.Outbox(),
            (Strings{"redirected admitted row", "redirected seen row", "redirected scope row"}));
}

TEST_P(StoreRules, PutsAReturnedUrlUnchangedToTheFront) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3"});
  const Strings leased = coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Accept(1, 0, Returned());
  EXPECT_EQ(coordinator_.Outbox(), Strings{"refused 1 0"});
  EXPECT_FALSE(coordinator_.Accept(1, 0, Fetched()).accepted);
  coordinator_.Accept(1, 1, Fetched());
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 9), (Strings{"http://a/1", "http://a/3"}));
}

Ending RetriedIn(milliseconds delay) {
  Ending ending = Ended(Ending::Kind::kRetried);
  ending.delay = delay;
  ending.body_bytes = 7;
  return ending;
}

TEST_P(StoreRules, DelaysWhatIsTriedAgainUntilItsTime) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://b/1", "http://a/3"});
  coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Lease(2, "b", 0, 1);
  const auto retry = [&](LeaseId lease, int index, int delay) {
    AcceptStep step{lease, index, {}, RetriedIn(milliseconds(delay))};
    step.now = kNoon;
    return coordinator_.Do<AcceptReply>(step).accepted;
  };
  EXPECT_TRUE(retry(1, 1, 300));
  EXPECT_FALSE(retry(1, 1, 300)) << "it has left the lease";
  EXPECT_TRUE(retry(1, 0, 100));
  EXPECT_TRUE(retry(2, 0, 200));
  EXPECT_EQ(Stat("delayed"), 3u);
  EXPECT_EQ(Stat("retries"), 3u);
  EXPECT_EQ(Stat("bytes"), 0u);
  EXPECT_EQ(Now().rounds[0].delayed, 3u);
  EXPECT_EQ(Queues(0), Strings{"a 1"});
  EXPECT_TRUE(Now().leases.empty());
  EXPECT_EQ(coordinator_.Admit(0, {"http://a/1"})[0].kind, Admitted::kSeen);
  EXPECT_TRUE(coordinator_.Outbox().empty());

  const auto wake = [&](int after, int limit = 10) {
    return Text(coordinator_.Do<WakeReply>(WakeStep{kNoon + milliseconds(after), limit}));
  };
  const std::string noon = std::to_string(kNoon.time_since_epoch().count()).substr(0, 10);
  EXPECT_EQ(wake(99), "next " + noon + "100");
  EXPECT_EQ(wake(300, 2), "a:0 1, b:0 1, next " + noon + "300");
  EXPECT_EQ(wake(299), "next " + noon + "300");
  EXPECT_EQ(Text(coordinator_.Do<WakeReply>(WakeStep{kNoon, 10, true})), "a:0 1, next none");
  EXPECT_EQ(wake(300), "next none");
  EXPECT_EQ(coordinator_.Lease(3, "a", 0, 9),
            (Strings{"http://a/2 - 1 0 0", "http://a/1 - 1 0 0", "http://a/3"}));
  EXPECT_EQ(coordinator_.Lease(4, "b", 0, 9), Strings{"http://b/1 - 1 0 0"});
  EXPECT_EQ(Stat("delayed"), 0u);
}

TEST_P(StoreRules, RemembersTheLongestPauseOfAHostUntilItIsOver) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://b/1"});
  coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Lease(2, "b", 0, 1);
  const auto pause = [&](LeaseId lease, int index, int time) {
    AcceptStep step{lease, index, {}, Ended(Ending::Kind::kFailed, "row")};
    step.now = kNoon;
    step.pause = milliseconds(time);
    coordinator_.Do<AcceptReply>(step);
  };
  pause(1, 0, 500);
  pause(1, 1, 300);
  pause(2, 0, 100);
  pause(2, 0, 900);  // refused
  using Paused = std::map<std::string, WallTime>;
  const WallTime long_pause = kNoon + milliseconds(500);
  EXPECT_EQ(Now().paused, (Paused{{"a", long_pause}, {"b", kNoon + milliseconds(100)}}));
  coordinator_.Do<WakeReply>(WakeStep{kNoon + milliseconds(100)});
  EXPECT_EQ(Now().paused, (Paused{{"a", long_pause}}));
}

TEST_P(StoreRules, PutsALostWorkersUrlsBackInOrderWithALossEach) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3", "http://a/4"});
  coordinator_.Lease(5, "a", 0, 3);
  coordinator_.Accept(5, 1, Fetched());
  EXPECT_EQ(Text(coordinator_.Expire(5)), "2 returned, 0 lost");
  EXPECT_EQ(Text(coordinator_.Expire(5)), "0 returned, 0 lost");
  EXPECT_EQ(coordinator_.Outbox(), (Strings{"refused 5 0", "refused 5 2"}));
  EXPECT_EQ(coordinator_.Lease(6, "a", 0, 9),
            (Strings{"http://a/1 - 0 0 1", "http://a/3 - 0 0 1", "http://a/4"}));
  EXPECT_EQ(Stat("leases_expired"), 1u);
}

TEST_P(StoreRules, BlamesNoUrlForAWorkerThatLeft) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Expire(1, false)), "1 returned, 0 lost");
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 1), Strings{"http://a/"});
  EXPECT_EQ(Stat("leases_expired"), 0u);
}

TEST_P(StoreRules, GivesAUrlUpAtItsLastLoss) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Accept(1, 0, RedirectedTo("http://b/", 4));
  for (LeaseId id : {2, 3, 4}) {
    coordinator_.Lease(id, "b", 0, 1);
    EXPECT_EQ(coordinator_.Expire(id).given_up, id == 4 ? 1 : 0);
  }
  const Snapshot now = Now();
  EXPECT_TRUE(now.queues.empty());
  EXPECT_EQ(now.stats.at("failed:worker_lost"), 1u);
  EXPECT_EQ(coordinator_.Outbox().back(), "given_up worker_lost 0 http://b/ - 0 4 3");
}

TEST_P(StoreRules, LeasesAUrlOnItsLastLifeAlone) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2"});
  for (const LeaseId id : {1, 2}) {
    coordinator_.Lease(id, "a", 0, 2);
    coordinator_.Expire(id);
  }
  coordinator_.Admit(0, {"http://a/3", "http://a/4"});
  const auto lease = [&](LeaseId id, int count) {
    return Text(coordinator_.Do<LeaseReply>(LeaseStep{id, "w", "a", 0, count, 1}));
  };
  EXPECT_EQ(lease(3, 3), "lease, http://a/1 - 0 0 2, 2 left");
  EXPECT_EQ(lease(3, 3), "lease, http://a/1 - 0 0 2") << "of a step that comes again";
  EXPECT_EQ(lease(4, 9), "lease, http://a/2 - 0 0 2, 2 left");
  EXPECT_EQ(lease(5, 9), "lease, http://a/3, http://a/4");
  coordinator_.Accept(5, 0, Ended(Ending::Kind::kReturned, ""));
  EXPECT_EQ(coordinator_.Expire(3, false).returned, 1);
  EXPECT_EQ(lease(6, 2), "lease, http://a/1 - 0 0 2, 1 left");
  ExpectBalance(Now());
}

TEST_P(StoreRules, GivesUpWhatWaitsOfAHost) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3", "http://b/1"});
  const auto give_up = [&](const char* host, int depth, std::uint64_t count) {
    return coordinator_.Do<GiveUpReply>(GiveUpStep{host, depth, count, Error::kConnect}).given_up;
  };
  EXPECT_EQ(give_up("a", 0, 2), 2u);
  EXPECT_EQ(Queues(0), (Strings{"a 1", "b 1"}));
  EXPECT_EQ(give_up("a", 0, 5), 1u);
  EXPECT_EQ(give_up("a", 0, 5), 0u);
  EXPECT_EQ(Queues(0), Strings{"b 1"});
  EXPECT_EQ(Stat("failed"), 3u);
  EXPECT_EQ(Stat("failed:connect"), 3u);
  EXPECT_EQ(coordinator_.Outbox(),
            (Strings{"given_up connect 0 http://a/1", "given_up connect 0 http://a/2",
                     "given_up connect 0 http://a/3"}));
  coordinator_.Admit(1, {"http://b/2"});
  EXPECT_FALSE(coordinator_.Apply(GiveUpStep{"b", 1, 1, Error::kConnect}))
      << "it may still move to a smaller depth";
  ExpectBalance(Now());
}

TEST_P(StoreRules, KeepsWhatIsFoundBeyondTheDepthEachUrlOnce) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://b/"});
  coordinator_.Lease(1, "a", 0, 2);
  const auto accept = [&](LeaseId lease, int index, const Strings& beyond) {
    AcceptStep step{lease, index, {}, Fetched()};
    step.beyond = Offers(beyond);
    EXPECT_TRUE(coordinator_.Do<AcceptReply>(step).accepted);
  };
  accept(1, 0, {"http://c/1", "http://b/", "http://c/2", "http://c/1"});
  accept(1, 1, {"http://c/2", "http://c/3"});
  EXPECT_EQ(coordinator_.Outbox(), (Strings{"beyond 1 http://a/1 http://c/1 http://c/2",
                                            "beyond 1 http://a/2 http://c/3"}));
  EXPECT_EQ(Stat("admitted"), 3u);
  AdmitStep step{1, Offers({"http://c/1", "http://b/"})};
  step.referrer = "http://a/1";
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(step)), "/ + = ");
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(2, "c", 1, 1), Strings{"http://c/1 http://a/1"});
  accept(2, 0, {"http://c/2"});
  EXPECT_EQ(coordinator_.Outbox().back(), "beyond 2 http://c/1 http://c/2") << "of another depth";
}

TEST_P(StoreRules, IsNotResumedUnderOtherRules) {
  coordinator_.Apply(SaveJobStep{{{"rules", "host"}}});
  const Snapshot before = Now();
  StoreUser next(*backend_);
  const auto refused = next.Open(Store::OpenMode::kResume, {{"rules", "any"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::kRulesChanged);
  EXPECT_TRUE(coordinator_.Apply(ReadControlStep{})) << "it has not taken the job over";
  EXPECT_TRUE(next.Open(Store::OpenMode::kResume, {{"rules", "host"}}));
  EXPECT_TRUE(next.Open(Store::OpenMode::kResume, {}));
}

TEST_P(StoreRules, TakesACreationThatComesOnceMoreForTheSame) {
  StoreUser first(*backend_);
  const std::map<std::string, std::string> job = {{"coordinator", "c1"}, {"state", "running"}};
  EXPECT_FALSE(first.Open(Store::OpenMode::kCreate, job)) << "the job is there, made by another";
  EXPECT_TRUE(first.Open(Store::OpenMode::kResume, job));
  EXPECT_TRUE(first.Open(Store::OpenMode::kCreate, job));
  EXPECT_FALSE(first.Open(Store::OpenMode::kCreate, {{"coordinator", "c2"}}));
}

TEST_P(StoreRules, IsReopenedByTheCoordinatorAloneThatHasOpenedItLast) {
  const std::map<std::string, std::string> own = {{"coordinator", "c1"}};
  const std::map<std::string, std::string> others = {{"coordinator", "c2"}};
  StoreUser first(*backend_);
  EXPECT_EQ(first.Open(Store::OpenMode::kReopen, own).error(), Error::kStepRefused);
  const Snapshot opened = first.Open(Store::OpenMode::kResume, own).value();
  EXPECT_EQ(opened.job.at("coordinator"), "c1");
  EXPECT_EQ(first.Open(Store::OpenMode::kReopen, own).value().epoch, opened.epoch + 1);

  StoreUser second(*backend_);
  const Snapshot taken = second.Open(Store::OpenMode::kResume, others).value();
  const Result<Snapshot> refused = first.Open(Store::OpenMode::kReopen, own);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::kStepRefused);
  EXPECT_TRUE(second.Apply(ReadControlStep{})) << "it is in charge still";
  EXPECT_EQ(second.Open(Store::OpenMode::kReopen, others).value().epoch, taken.epoch + 1);
  EXPECT_TRUE(first.Open(Store::OpenMode::kResume, own)) << "as a person asks for it";
}

TEST_P(StoreRules, ReopensNoJobThatIsNotThere) {
  const std::unique_ptr<Backend> empty = NewBackend(GetParam());
  StoreUser coordinator(*empty);
  const Result<Snapshot> refused =
      coordinator.Open(Store::OpenMode::kReopen, {{"coordinator", "c1"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::kUsage);
}

TEST_P(StoreRules, ForgetsTheWordToStopOnceItHasStoppedTheJob) {
  const auto control = [&] { return coordinator_.Do<ReadControlReply>(ReadControlStep{}).control; };
  coordinator_.Apply(SaveJobStep{{{"state", "running"}}});
  backend_->SetControl("stop");
  coordinator_.Open();
  EXPECT_EQ(control(), "stop");
  coordinator_.Apply(SaveJobStep{{{"state", "stopped"}}});
  coordinator_.Open();
  EXPECT_EQ(control(), "run");
}

TEST_P(StoreRules, LeasesThatAreAskedForTogetherTakeTurns) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Admit(1, {"http://b/1", "http://b/2", "http://b/3", "http://b/4", "http://b/5"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Accept(1, 0, RedirectedTo("http://b/2"));
  coordinator_.OpenRound(1);
  const auto lease = [](LeaseId id, int count) { return LeaseStep{id, "w", "b", 1, count, 1}; };
  Strings leased;
  for (const Result<Reply>& reply : coordinator_.Apply(std::vector<Step>{
           lease(2, 2), lease(3, 1), lease(2, 2), lease(4, 9), lease(5, 1), lease(5, 1)})) {
    leased.push_back(Text(reply));
  }
  const std::string first = "lease, http://b/1, http://b/3";
  EXPECT_EQ(leased,
            (Strings{first, "lease, http://b/4", first, "lease, http://b/5", "lease", "lease"}));
  EXPECT_EQ(Queues(1), Strings());
  EXPECT_EQ(Stat("leased"), 4u);
}

TEST_P(StoreRules, NumbersTheOutboxAndDropsWhatWasRead) {
  coordinator_.Admit(0, {"http://a/0", "http://a/1", "http://a/2", "http://a/3"});
  coordinator_.Lease(1, "a", 0, 4);
  for (int i = 0; i < 4; ++i) coordinator_.Accept(1, i, Ended(Ending::Kind::kFailed, "r"));
  const auto read = [this](std::uint64_t from, int limit) {
    const auto reply = coordinator_.Do<ReadOutboxReply>(ReadOutboxStep{from, limit});
    return std::pair(reply.first, reply.items.size());
  };
  EXPECT_EQ(read(0, 3), std::pair(std::uint64_t{0}, std::size_t{3}));
  EXPECT_EQ(read(3, 0), std::pair(std::uint64_t{3}, std::size_t{0}));
  EXPECT_EQ(read(1, 9), std::pair(std::uint64_t{3}, std::size_t{1}));
  EXPECT_EQ(read(9, 9), std::pair(std::uint64_t{4}, std::size_t{0}));
  Now();
  EXPECT_EQ(read(0, 9), std::pair(std::uint64_t{4}, std::size_t{0}));
}

TEST_P(StoreRules, KeepsTheJobsFields) {
  coordinator_.Apply(SaveJobStep{{{"state", "paused"}, {"finished", "now, \"at\" once\n"}}});
  coordinator_.Apply(SaveJobStep{});
  const auto job = Now().job;
  EXPECT_EQ(job.at("state"), "paused");
  EXPECT_EQ(job.at("finished"), "now, \"at\" once\n");
  EXPECT_EQ(job.size(), 2u);
}

TEST_P(StoreRules, ReadsWhatAPersonControls) {
  EXPECT_EQ(coordinator_.Do<ReadControlReply>(ReadControlStep{}).control, "");
  backend_->SetControl("pause");
  EXPECT_EQ(coordinator_.Do<ReadControlReply>(ReadControlStep{}).control, "pause");
}

TEST_P(StoreRules, GoesOnAfterARestartWhereItStopped) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://b/", "http://a/3"});
  coordinator_.Lease(7, "a", 0, 2);
  coordinator_.Accept(7, 0, Fetched(), {"http://c/1", "http://c/2", "http://d/"});
  coordinator_.Lease(8, "b", 0, 1);
  coordinator_.Accept(8, 0, RedirectedTo("http://c/1"));
  const Snapshot snapshot = Now();
  EXPECT_EQ(
      Text(snapshot),
      "state=running\n"
      "admitted=7\nbytes=0\ndelayed=0\nfailed=0\nfetched=1\nleased=1\nleases_expired=0\nlinks=0\n"
      "moved=1\nredirected=1\nreports_refused=0\nretries=0\n"
      "open 0\nround 5 1 1 1 0 0\nround 2 0 0 0 0 0\n"
      "queue 0 a 1\nqueue 0 c 1\nqueue 1 c 1\nqueue 1 d 1\n"
      "lease 7 w a 0 2: 1\n");
  EXPECT_EQ(Text(StoreUser(*backend_).Open()), Text(snapshot));
}

}  // namespace
}  // namespace trawl

// The rules of coordinator/store/store.h for URLs that turn out to be nearer: what waits deeper, or
// was leased ahead, moves.

#include <chrono>

#include "tests/coordinator/store/store_fixture.h"

namespace trawl {
namespace {

TEST_P(StoreRules, MovesAWaitingUrlToTheSmallerDepth) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Admit(1, {"http://b/1", "http://b/2", "http://b/3"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, RedirectedTo("http://b/2"))), "accepted -> 1");
  EXPECT_EQ(Queues(0), Strings{"b 1"});
  EXPECT_EQ(Queues(1), Strings{"b 2"});
  EXPECT_EQ(Stat("moved"), 1u);
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 1), Strings{"http://b/2 - 0 1 0"});
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(3, "b", 1, 9), (Strings{"http://b/1", "http://b/3"}));
  EXPECT_EQ(coordinator_.Outbox(), Strings{"redirected admitted row"});
}

TEST_P(StoreRules, MovesAUrlAgainWhileItsRoundWaits) {
  coordinator_.Admit(3, {"http://b/", "http://b/x"});
  EXPECT_EQ(Text(coordinator_.Admit(2, {"http://b/"})), "3 ");
  EXPECT_EQ(Text(coordinator_.Admit(2, {"http://b/"})), "= ");
  EXPECT_EQ(Text(coordinator_.Admit(3, {"http://b/"})), "= ");
  EXPECT_EQ(Text(coordinator_.Admit(1, {"http://b/", "http://b/x"})), "2 3 ");
  EXPECT_EQ(Queues(1), Strings{"b 2"});
  EXPECT_EQ(Queues(2), Strings());
  EXPECT_EQ(Queues(3), Strings());
}

TEST_P(StoreRules, MovesNothingOutOfAnOpenRound) {
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Admit(2, {"http://c/"});
  coordinator_.OpenRound(1);
  coordinator_.OpenRound(0);
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://b/", "http://c/"})), "= 2 ");
  EXPECT_EQ(Now().open_depth, 1);
}

TEST_P(StoreRules, TakesAUrlWhoseQueueMovedAwayAndGrewAgain) {
  coordinator_.Admit(1, {"http://b/1"});
  coordinator_.Admit(0, {"http://b/1"});
  coordinator_.Admit(1, {"http://b/2", "http://b/3", "http://b/4"});
  coordinator_.Admit(0, {"http://b/3", "http://b/4"});
  EXPECT_EQ(Queues(1), Strings{"b 1"});
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(1, "b", 1, 1), Strings{"http://b/2"});
  EXPECT_EQ(Queues(1), Strings());
}

// What becomes of a URL that was leased ahead, and what is told when it moves.
struct AheadCase {
  const char* name;
  Ending ending;
  const char* told;
  Strings outbox;  // from its ending on
};

std::vector<AheadCase> AheadCases() {
  Ending fetched = Fetched();
  fetched.body_bytes = 70;
  fetched.links = 3;
  Ending failed = Ended(Ending::Kind::kFailed, "row");
  failed.reason = Error::kTls;
  Ending retried = Ended(Ending::Kind::kRetried);
  retried.delay = milliseconds(1'000);
  Ending redirected = Ended(Ending::Kind::kRedirected, "row");
  redirected.refusal = "scope";
  return {{"fetched", fetched, "1:fetched:70", {"refused 2 1"}},
          {"failed", failed, "1:failed:tls", {"failed row", "withdrawn 0"}},
          {"delayed", retried, "1:delayed", {}},
          {"redirected", redirected, "1:redirected", {"redirected scope row", "withdrawn 0"}},
          {"returned", Ended(Ending::Kind::kReturned), "1", {"refused 2 1"}}};
}

TEST_P(StoreRules, UndoesWhatHasBecomeOfAUrlThatWasLeasedAheadWhenItMoves) {
  for (const AheadCase& ahead : AheadCases()) {
    SCOPED_TRACE(ahead.name);
    const std::unique_ptr<Backend> backend = NewBackend(GetParam());
    StoreUser coordinator(*backend);
    coordinator.Open();
    coordinator.Admit(0, {"http://a/"});
    coordinator.Admit(1, {"http://b/1", "http://b/2"});
    coordinator.Lease(1, "a", 0, 1);
    coordinator.Lease(2, "b", 1, 2);
    coordinator.Accept(2, 1, ahead.ending, {"http://b/3"});
    coordinator.Expire(2, false);
    EXPECT_EQ(Text(coordinator.Admit(0, {"http://b/2"})), std::string(ahead.told) + ' ');
    EXPECT_EQ(Text(coordinator.Admit(0, {"http://b/2"})), "= ");
    Strings outbox = coordinator.Outbox();
    std::erase(outbox, "refused 2 0");
    EXPECT_EQ(outbox, ahead.outbox);
    const Snapshot now = coordinator.Open();
    ExpectBalance(now);
    for (const char* none : {"fetched", "redirected", "failed", "delayed", "bytes", "links"}) {
      EXPECT_EQ(now.stats.at(none), 0u) << none;
    }
    EXPECT_EQ(now.rounds[0].admitted, 2u);
    EXPECT_EQ(now.rounds[1].admitted, 1u);
    EXPECT_EQ(coordinator.Lease(3, "b", 0, 9), Strings{"http://b/2"});
    EXPECT_EQ(coordinator.Lease(4, "b", 1, 9), Strings{"http://b/1"});
    EXPECT_EQ(Text(coordinator.Do<WakeReply>(WakeStep{.now = kNoon, .all = true})), "next none");
    EXPECT_EQ(Text(coordinator.Accept(3, 0, Fetched(), {"http://b/3"})), "accepted 2 -> none")
        << "what it leads to follows it";
  }
}

TEST_P(StoreRules, MakesRoomForAPageThatMovesAsItDidBefore) {
  for (const Ending::Kind kind : {Ending::Kind::kFailed, Ending::Kind::kRedirected}) {
    const std::unique_ptr<Backend> backend = NewBackend(GetParam());
    StoreUser coordinator(*backend);
    coordinator.Open();
    coordinator.Apply(SetLimitsStep{1, 0});
    coordinator.Admit(1, {"http://b/"});
    coordinator.Lease(1, "b", 1, 1);
    coordinator.Accept(1, 0, Ended(kind, "row"));
    coordinator.Admit(0, {"http://b/"});
    EXPECT_EQ(Text(coordinator.Admit(0, {"http://b/2"})), "pages_per_host ");
  }
}

TEST_P(StoreRules, AUrlThatMovesWhileItIsLeasedWaitsThereWhenItIsReported) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Admit(1, {"http://b/1", "http://b/2"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Lease(2, "b", 1, 2);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, RedirectedTo("http://b/2"))), "accepted -> 1:leased");
  EXPECT_EQ(Now().rounds[0].leased, 1u);
  EXPECT_EQ(Now().rounds[1].leased, 1u);
  EXPECT_EQ(Queues(0), Strings()) << "its host is still busy with it";
  EXPECT_EQ(Text(coordinator_.Accept(2, 1, std::nullopt, {"http://c/"})), "refused -> none");
  EXPECT_EQ(Text(coordinator_.Accept(2, 1, Fetched(), {"http://c/"})), "moved to 0");
  EXPECT_EQ(Text(coordinator_.Accept(2, 1, Fetched())), "refused -> none");
  EXPECT_EQ(Text(coordinator_.Accept(2, 0, Fetched())), "accepted -> none");
  EXPECT_EQ(coordinator_.Outbox(), (Strings{"redirected admitted row", "refused 2 1"}));
  EXPECT_EQ(Stat("admitted"), 3u) << "a report that does not count admits nothing";
  EXPECT_EQ(Stat("fetched"), 1u);
  EXPECT_EQ(coordinator_.Lease(3, "b", 0, 1), Strings{"http://b/2 - 0 1 0"});
  EXPECT_EQ(Text(coordinator_.Accept(3, 0, Fetched(), {"http://c/"})), "accepted + -> none");
}

TEST_P(StoreRules, AUrlThatMovesWhileItIsLeasedWaitsThereWhenItsWorkerIsLost) {
  coordinator_.Admit(1, {"http://b/1", "http://b/2", "http://b/3"});
  coordinator_.Lease(1, "b", 1, 9);
  coordinator_.Admit(0, {"http://b/2"});
  EXPECT_EQ(Text(coordinator_.Expire(1)), "2 returned, 0 lost, moved to 0");
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 9), Strings{"http://b/2 - 0 0 1"});
  EXPECT_EQ(coordinator_.Lease(3, "b", 1, 9),
            (Strings{"http://b/1 - 0 0 1", "http://b/3 - 0 0 1"}));
}

TEST_P(StoreRules, AUrlThatMovesWhileItIsLeasedKeepsItsLosses) {
  coordinator_.Admit(1, {"http://b/"});
  for (LeaseId id = 1; id <= 2; ++id) {
    coordinator_.Lease(id, "b", 1, 1);
    coordinator_.Expire(id);
  }
  coordinator_.Lease(3, "b", 1, 1);
  coordinator_.Admit(0, {"http://b/"});
  EXPECT_EQ(Text(coordinator_.Expire(3)), "0 returned, 0 lost, lost at 0");
  EXPECT_EQ(coordinator_.Outbox().back(), "given_up worker_lost 0 http://b/ - 0 0 3");
  EXPECT_EQ(Now().rounds[0].failed, 1u);
}

TEST_P(StoreRules, AUrlGivenUpAheadMovesWithOneLifeLeft) {
  coordinator_.Admit(1, {"http://b/"});
  for (LeaseId id = 1; id <= 3; ++id) {
    coordinator_.Lease(id, "b", 1, 1);
    coordinator_.Expire(id);
  }
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://b/"})), "1:failed:worker_lost ");
  EXPECT_EQ(coordinator_.Outbox().back(), "withdrawn 3");
  EXPECT_EQ(coordinator_.Lease(4, "b", 0, 1), Strings{"http://b/ - 0 0 2"});
}

TEST_P(StoreRules, AUrlThatMovesWhileItIsDelayedKeepsItsLosses) {
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Lease(1, "b", 1, 1);
  coordinator_.Expire(1);
  coordinator_.Lease(2, "b", 1, 1);
  coordinator_.Accept(2, 0, Ended(Ending::Kind::kRetried));
  coordinator_.Admit(0, {"http://b/"});
  EXPECT_EQ(coordinator_.Lease(3, "b", 0, 1), Strings{"http://b/ - 0 0 1"});
}

TEST_P(StoreRules, AHostIsLeftAloneThoughTheUrlThatSaysSoHasMoved) {
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Lease(1, "b", 1, 1);
  coordinator_.Admit(0, {"http://b/"});
  AcceptStep step{1, 0, {}, Ended(Ending::Kind::kRetried)};
  step.now = kNoon;
  step.pause = milliseconds(500);
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(step)), "moved to 0");
  EXPECT_EQ(Now().paused.at("b"), kNoon + milliseconds(500));
}

TEST_P(StoreRules, NumbersOfWithdrawnItemsGoOnWhenTheOutboxIsRead) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2"});
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Accept(1, 0, Ended(Ending::Kind::kFailed, "row"));
  coordinator_.Accept(1, 1, Ended(Ending::Kind::kFailed, "row"));
  coordinator_.Do<ReadOutboxReply>(ReadOutboxStep{1, 9});
  coordinator_.Lease(2, "b", 1, 1);
  coordinator_.Accept(2, 0, Ended(Ending::Kind::kFailed, "row"));
  coordinator_.Admit(0, {"http://b/"});
  EXPECT_EQ(coordinator_.Outbox().back(), "withdrawn 2");
}

TEST_P(StoreRules, NothingMovesAnyMoreWhenTheRoundOfWhatWasLeasedAheadOpens) {
  coordinator_.Admit(1, {"http://b/1", "http://b/2", "http://b/3"});
  coordinator_.Lease(1, "b", 1, 2);
  coordinator_.Accept(1, 0, Fetched());
  coordinator_.OpenRound(1);
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://b/1", "http://b/2", "http://b/3"})), "= = = ");
  EXPECT_EQ(Text(coordinator_.Accept(1, 1, Fetched())), "accepted -> none");
}

TEST_P(StoreRules, WhatHasMovedWhileLeasedDoesSoThoughAllRoundsOpen) {
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Lease(1, "b", 1, 1);
  coordinator_.Admit(0, {"http://b/"});
  coordinator_.OpenRound(5);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, Fetched())), "moved to 0");
  EXPECT_EQ(Queues(0), Strings{"b 1"});
}

TEST_P(StoreRules, WhatCameBackAheadMovesAsWhatWaits) {
  coordinator_.Admit(1, {"http://b/1", "http://b/2"});
  coordinator_.Lease(1, "b", 1, 2);
  Ending retried = Ended(Ending::Kind::kRetried);
  coordinator_.Accept(1, 0, retried);
  coordinator_.Expire(1);
  coordinator_.Do<WakeReply>(WakeStep{.now = kNoon, .all = true});
  EXPECT_EQ(Queues(1), Strings{"b 2"});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://b/1", "http://b/2"})), "1 1 ");
  EXPECT_EQ(Queues(1), Strings());
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 9), (Strings{"http://b/1", "http://b/2"}));
}

}  // namespace
}  // namespace trawl

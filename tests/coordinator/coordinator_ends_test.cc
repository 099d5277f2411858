// Ways to the end of a crawl, and to a pause.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tests/coordinator/coordinator_fixture.h"

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Phase = Coordinator::Phase;
using Verdict = Ack::Verdict;

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

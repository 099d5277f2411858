// Leases that end badly, and what outlives a worker or a coordinator.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/coordinator/coordinator_fixture.h"

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Verdict = Ack::Verdict;

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

}  // namespace
}  // namespace trawl

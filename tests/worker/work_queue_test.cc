#include "worker/work_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);

TimePoint In(int ms) { return kNow + milliseconds(ms); }

Lease LeaseOf(std::uint64_t id, const std::string& host, int urls, int delay_ms = 0,
              int connections = 1, int start_after_ms = 0) {
  Lease lease{id, host, 3, connections, milliseconds(delay_ms), milliseconds(start_after_ms), {}};
  for (int i = 0; i < urls; ++i) {
    FrontierEntry entry;
    entry.url = "http://" + host + "/" + std::to_string(id) + "/" + std::to_string(i);
    lease.entries.push_back(entry);
  }
  return lease;
}

/// Takes the next URL and begins a request for it.
WorkItem StartNext(WorkQueue& queue, TimePoint now) {
  WorkItem item = queue.Take();
  queue.RequestStarted(item.host, now);
  queue.RequestSent(item.host, now);
  return item;
}

void EndRequest(WorkQueue& queue, const WorkItem& item) {
  queue.RequestEnded(item.host, true);
  queue.Ended(item);
}

TEST(WorkQueue, GivesALeasesUrlsInOrder) {
  WorkQueue queue;
  queue.Add(LeaseOf(7, "a", 2), kNow);
  EXPECT_EQ(queue.waiting(), 2u);
  for (int index = 0; index < 2; ++index) {
    const WorkItem* next = queue.Next(kNow);
    ASSERT_NE(next, nullptr);
    const WorkItem item = queue.Take();
    EXPECT_EQ(item.lease, 7u);
    EXPECT_EQ(item.index, index);
    EXPECT_EQ(item.depth, 3);
    EXPECT_EQ(item.host, "a");
    EXPECT_EQ(item.entry.url, "http://a/7/" + std::to_string(index));
  }
  EXPECT_EQ(queue.Next(kNow), nullptr);
  EXPECT_EQ(queue.NextStart(), std::nullopt);
  EXPECT_EQ(queue.waiting(), 0u);
}

TEST(WorkQueue, HandsOutAllThatWaitsOfAHostAndNoMore) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 3, 0, 3), kNow);
  queue.Add(LeaseOf(2, "a", 1), kNow);
  queue.Add(LeaseOf(3, "b", 1), kNow);
  const WorkItem running = StartNext(queue, kNow);
  queue.Hold("a");
  const std::vector<WorkItem> taken = queue.TakeHost(running.host);
  queue.Unhold("a", milliseconds(0));
  std::vector<std::pair<std::uint64_t, int>> places;
  for (const WorkItem& item : taken) places.emplace_back(item.lease, item.index);
  EXPECT_THAT(places, ElementsAre(std::pair(1, 1), std::pair(1, 2), std::pair(2, 0)));
  EXPECT_THAT(queue.leases(), UnorderedElementsAre(1, 3)) << "one of its URLs is under way";
  EXPECT_EQ(queue.waiting(), 1u);
  EXPECT_EQ(queue.Next(kNow)->host, "b");
  EndRequest(queue, running);
  EXPECT_THAT(queue.leases(), ElementsAre(3));
  EXPECT_THAT(queue.TakeHost("a"), IsEmpty());
}

TEST(WorkQueue, WaitsOutTheDelayBetweenTwoStarts) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 3, 100, 3), kNow);
  StartNext(queue, In(0));
  EXPECT_EQ(queue.Next(In(99)), nullptr);
  EXPECT_EQ(queue.NextStart(), In(100));
  EXPECT_NE(queue.Next(In(100)), nullptr) << "a connection is free";
  StartNext(queue, In(130));
  EXPECT_EQ(queue.NextStart(), In(230));
}

TEST(WorkQueue, WaitsUntilTheLeaseMayStart) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 1, 0, 1, 500), kNow);
  EXPECT_EQ(queue.Next(In(499)), nullptr);
  EXPECT_EQ(queue.NextStart(), In(500));
  EXPECT_NE(queue.Next(In(500)), nullptr);
}

TEST(WorkQueue, UsesNoMoreConnectionsThanGranted) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 10, 0, 2), kNow);
  const WorkItem first = StartNext(queue, kNow);
  StartNext(queue, kNow);
  EXPECT_EQ(queue.Next(kNow), nullptr);
  EXPECT_EQ(queue.NextStart(), std::nullopt) << "time alone frees no connection";
  EndRequest(queue, first);
  EXPECT_NE(queue.Next(kNow), nullptr);
}

TEST(WorkQueue, ALeaseGrantsNoMoreConnectionsThanItHasUrls) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 1, 0, 5), kNow);
  queue.Add(LeaseOf(2, "a", 10, 0, 1), kNow);
  const WorkItem first = StartNext(queue, kNow);
  StartNext(queue, kNow);
  EXPECT_EQ(queue.Next(kNow), nullptr) << "1 + 1, not 5 + 1";
  EndRequest(queue, first);
  EXPECT_EQ(queue.Next(kNow), nullptr) << "lease 1 has ended and grants nothing";
}

TEST(WorkQueue, HostsDoNotWaitForEachOther) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "slow", 5, 10'000), kNow);
  queue.Add(LeaseOf(2, "late", 5, 0, 1, 300), kNow);
  queue.Add(LeaseOf(3, "quick", 5, 0), kNow);
  std::vector<std::string> hosts;
  for (int i = 0; i < 2; ++i) hosts.push_back(StartNext(queue, kNow).host);
  EXPECT_THAT(hosts, UnorderedElementsAre("slow", "quick"));
  EXPECT_EQ(queue.Next(kNow), nullptr);
  EXPECT_EQ(queue.NextStart(), In(300));
}

TEST(WorkQueue, AHeldHostStartsNothing) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 2), kNow);
  queue.Hold("a");
  EXPECT_EQ(queue.Next(In(1'000)), nullptr);
  EXPECT_EQ(queue.NextStart(), std::nullopt);
  queue.Add(LeaseOf(2, "a", 2), kNow);
  EXPECT_EQ(queue.Next(In(1'000)), nullptr);
  queue.Unhold("a", milliseconds(0));
  EXPECT_NE(queue.Next(kNow), nullptr);
}

TEST(WorkQueue, ALongerCrawlDelayWinsAndCountsFromTheRobotsTxtRequest) {
  const struct {
    int delay_ms, crawl_delay_ms, next_ms;
  } kCases[] = {{100, 0, 100}, {100, 50, 100}, {100, 2'000, 2'000}, {0, 300, 300}, {0, 0, 0}};
  for (const auto& c : kCases) {
    WorkQueue queue;
    queue.Add(LeaseOf(1, "a", 3, c.delay_ms, 3), kNow);
    queue.Hold("a");
    queue.RequestStarted("a", kNow);
    queue.RequestSent("a", kNow);
    queue.RequestEnded("a", true);
    queue.Unhold("a", milliseconds(c.crawl_delay_ms));
    EXPECT_EQ(queue.NextStart(), In(c.next_ms));
    StartNext(queue, In(5'000));
    EXPECT_EQ(queue.NextStart(), In(5'000 + c.next_ms)) << "and so on";
  }
}

TEST(WorkQueue, ALongerDelayOfALaterLeaseCountsFromTheLastRequest) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 2, 100, 2), kNow);
  StartNext(queue, kNow);
  queue.Add(LeaseOf(2, "a", 2, 1'000, 2), In(10));
  EXPECT_EQ(queue.NextStart(), In(1'000));
}

TEST(WorkQueue, TellsTheDelayOfAHost) {
  WorkQueue queue;
  EXPECT_EQ(queue.Delay("a"), milliseconds(0));
  queue.Add(LeaseOf(1, "a", 2, 100, 2), kNow);
  EXPECT_EQ(queue.Delay("a"), milliseconds(100));
  queue.Slow("a", milliseconds(20'000));
  EXPECT_EQ(queue.Delay("a"), milliseconds(20'000));
}

TEST(WorkQueue, TellsHowLongAgoTheLastRequestBegan) {
  WorkQueue queue;
  EXPECT_EQ(queue.SinceRequest("a", kNow), milliseconds(0));
  queue.Add(LeaseOf(1, "a", 2), kNow);
  EXPECT_EQ(queue.SinceRequest("a", In(50)), milliseconds(0)) << "there was none";
  StartNext(queue, kNow);
  EXPECT_EQ(queue.SinceRequest("a", In(50)), milliseconds(50));
  EXPECT_EQ(queue.SinceRequest("a", In(50) + std::chrono::microseconds(1)), milliseconds(51));
}

TEST(WorkQueue, HoldsALeaseUntilItsLastUrlHasEnded) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 2, 0, 2), kNow);
  queue.Add(LeaseOf(2, "b", 1), kNow);
  EXPECT_THAT(queue.leases(), UnorderedElementsAre(1, 2));
  std::vector<WorkItem> items;
  while (queue.Next(kNow)) items.push_back(StartNext(queue, kNow));
  EXPECT_THAT(queue.leases(), UnorderedElementsAre(1, 2)) << "taken is not ended";
  for (const WorkItem& item : items) EndRequest(queue, item);
  EXPECT_THAT(queue.leases(), IsEmpty());
  EXPECT_FALSE(queue.Holds(1));
}

TEST(WorkQueue, ALeaseThatComesTwiceOrEmptyChangesNothing) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 2), kNow);
  queue.Add(LeaseOf(1, "a", 2), kNow);
  queue.Add(LeaseOf(2, "b", 0), kNow);
  EXPECT_EQ(queue.waiting(), 2u);
  EXPECT_THAT(queue.leases(), ElementsAre(1));
}

TEST(WorkQueue, ADroppedLeasesWaitingUrlsVanish) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 3), kNow);
  queue.Add(LeaseOf(2, "a", 2), kNow);
  const WorkItem under_way = StartNext(queue, kNow);
  queue.DropLease(under_way.lease);
  queue.DropLease(99);
  EXPECT_EQ(queue.waiting(), 2u);
  EXPECT_FALSE(queue.Holds(1));
  EXPECT_EQ(queue.Next(kNow), nullptr) << "the dropped lease's request uses the connection still";
  EndRequest(queue, under_way);
  ASSERT_NE(queue.Next(kNow), nullptr);
  EXPECT_EQ(queue.Next(kNow)->lease, 2u);
}

TEST(WorkQueue, HandsBackAllThatWaits) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 3), kNow);
  queue.Add(LeaseOf(2, "b", 2), kNow);
  queue.Hold("b");
  const WorkItem under_way = StartNext(queue, kNow);
  std::vector<std::uint64_t> leases;
  for (const WorkItem& item : queue.TakeAll()) leases.push_back(item.lease);
  EXPECT_THAT(leases, UnorderedElementsAre(1, 1, 2, 2));
  EXPECT_EQ(queue.waiting(), 0u);
  EXPECT_THAT(queue.leases(), ElementsAre(1)) << "what is under way";
  queue.Unhold("b", milliseconds(0));
  EndRequest(queue, under_way);
  EXPECT_THAT(queue.leases(), IsEmpty());
  EXPECT_EQ(queue.Next(In(1'000)), nullptr);
}

TEST(WorkQueue, TheDelayCountsFromWhenARequestIsSent) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 3, 100, 2), kNow);
  const WorkItem first = queue.Take();
  queue.RequestStarted("a", kNow);
  EXPECT_EQ(queue.NextStart(), std::nullopt) << "it still connects";
  queue.RequestSent("a", In(300));
  EXPECT_EQ(queue.NextStart(), In(400));
  EXPECT_EQ(queue.SinceRequest("a", In(310)), milliseconds(10));
  queue.RequestSent("a", In(350), true);
  EXPECT_EQ(queue.NextStart(), In(450)) << "its connection had died";
  queue.RequestEnded("a", true);
  queue.Ended(first);

  const WorkItem second = queue.Take();
  queue.RequestStarted("a", In(500));
  queue.RequestEnded("a", false);
  queue.Ended(second);
  EXPECT_EQ(queue.NextStart(), In(600)) << "it could not be sent";
}

TEST(WorkQueue, WithoutADelayNobodyWaitsForAnother) {
  WorkQueue queue;
  queue.Add(LeaseOf(1, "a", 3, 0, 2), kNow);
  queue.Take();
  queue.RequestStarted("a", kNow);
  EXPECT_EQ(queue.NextStart(), kNow);
}

TEST(WorkQueue, TheUnknownChangeNothing) {
  WorkQueue queue;
  queue.Hold("x");
  queue.Unhold("x", milliseconds(9));
  queue.RequestStarted("x", kNow);
  queue.RequestSent("x", kNow);
  queue.RequestEnded("x", true);
  queue.Ended({1, 0, 0, "x", {}});
  EXPECT_THAT(queue.TakeAll(), IsEmpty());
}

// ---- Politeness, whatever happens ----

/// A worker's queue in virtual time, with the coordinator's side of the terms: a host with a delay
/// is leased once at a time, and no lease starts sooner than the delay allows.
class PolitenessCheck {
 public:
  explicit PolitenessCheck(std::uint64_t seed) : random_(seed) {
    for (const char* name : {"a", "b", "c"}) {
      hosts_[name].delay_ms = Draw(0, 1) * Draw(1, 200);
    }
  }

  void Run() {
    for (int step = 0; step < 400 && !::testing::Test::HasFatalFailure(); ++step) {
      const int action = Draw(0, 9);
      if (action < 2) AddLease();
      if (action == 2) EndOne();
      if (action == 3 && Draw(0, 3) == 0) Drop();
      if (action > 3) now_ += milliseconds(Draw(0, 50));
      StartAll();
    }
    for (int step = 0; step < 10'000 && (queue_.waiting() > 0 || !running_.empty()); ++step) {
      EndOne();
      now_ += milliseconds(10);
      StartAll();
    }
    EXPECT_EQ(queue_.waiting(), 0u) << "a URL never started";
    EXPECT_THAT(queue_.leases(), IsEmpty());
  }

 private:
  struct Host {
    int delay_ms = 0;
    std::map<std::uint64_t, std::pair<int, int>> leases;  // connections, URLs that have not ended
    int requests = 0;
    std::optional<TimePoint> last_start;

    int granted() const {
      int sum = 0;
      for (const auto& [id, grant] : leases) sum += std::min(grant.first, grant.second);
      return sum;
    }
  };

  int Draw(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  void AddLease() {
    const auto host = std::next(hosts_.begin(), Draw(0, 2));
    Host& state = host->second;
    if (state.delay_ms > 0 && !state.leases.empty()) return;
    int wait_ms = 0;
    if (state.last_start) {
      const TimePoint next = *state.last_start + milliseconds(state.delay_ms);
      wait_ms = std::max(0, static_cast<int>((next - now_) / milliseconds(1)));
    }
    const Lease lease =
        LeaseOf(++leases_made_, host->first, Draw(1, 8), state.delay_ms, Draw(1, 4), wait_ms);
    state.leases[leases_made_] = {lease.connections, static_cast<int>(lease.entries.size())};
    queue_.Add(lease, now_);
  }

  void StartAll() {
    while (queue_.Next(now_)) {
      const WorkItem item = StartNext(queue_, now_);
      Host& host = hosts_.at(item.host);
      ++host.requests;
      ASSERT_LE(host.requests, host.granted()) << item.host;
      if (host.last_start) {
        ASSERT_GE(now_ - *host.last_start, milliseconds(host.delay_ms)) << item.host;
      }
      host.last_start = now_;
      running_.push_back(item);
    }
    const auto next = queue_.NextStart();
    ASSERT_TRUE(!next || *next > now_);
  }

  void EndOne() {
    if (running_.empty()) return;
    const auto item = std::next(running_.begin(), Draw(0, static_cast<int>(running_.size()) - 1));
    Host& host = hosts_.at(item->host);
    --host.requests;
    if (const auto lease = host.leases.find(item->lease); lease != host.leases.end()) {
      if (--lease->second.second == 0) host.leases.erase(lease);
    }
    EndRequest(queue_, *item);
    running_.erase(item);
  }

  void Drop() {
    const std::vector<std::uint64_t> ids = queue_.leases();
    if (ids.empty()) return;
    const std::uint64_t id = *std::min_element(ids.begin(), ids.end());
    queue_.DropLease(id);
    for (auto& [name, host] : hosts_) host.leases.erase(id);
  }

  std::mt19937_64 random_;
  TimePoint now_ = kNow;
  WorkQueue queue_;
  std::map<std::string, Host> hosts_;
  std::vector<WorkItem> running_;
  std::uint64_t leases_made_ = 0;
};

TEST(WorkQueue, IsPoliteToEveryHostWhateverTheLeases) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    PolitenessCheck(seed).Run();
    if (HasFailure()) return;
  }
}

TEST(WorkQueue, HoldsAHostWhileALeaseOfItHasUrlsThatHaveNotEnded) {
  WorkQueue queue;
  EXPECT_FALSE(queue.HoldsHost("a.test"));
  queue.Add(LeaseOf(1, "a.test", 1), kNow);
  queue.Add(LeaseOf(2, "b.test", 1), kNow);
  EXPECT_TRUE(queue.HoldsHost("a.test"));
  queue.DropLease(2);
  EXPECT_FALSE(queue.HoldsHost("b.test"));
  const WorkItem item = StartNext(queue, kNow);
  EXPECT_TRUE(queue.HoldsHost("a.test"));
  EndRequest(queue, item);
  EXPECT_FALSE(queue.HoldsHost("a.test"));
}

}  // namespace
}  // namespace trawl

#include "coordinator/worker_table.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);
using Names = std::vector<std::string>;

TimePoint In(int ms) { return kNow + milliseconds(ms); }

void Join(WorkerTable& table, const std::string& name, std::uint32_t capacity,
          std::uint32_t outstanding = 0, TimePoint now = kNow) {
  Hello hello;
  hello.name = name;
  hello.host = "machine";
  hello.pid = 7;
  hello.capacity = capacity;
  table.Hello(hello, now, outstanding);
}

WorkerHeartbeat Beat(std::uint32_t capacity) {
  WorkerHeartbeat heartbeat;
  heartbeat.capacity = capacity;
  heartbeat.in_flight = 3;
  heartbeat.pages = 9;
  return heartbeat;
}

std::string LeastLoaded(const WorkerTable& table) {
  const Worker* worker = table.LeastLoaded();
  return worker ? worker->name : "nobody";
}

TEST(WorkerTable, RemembersWhoSaidHello) {
  WorkerTable table;
  EXPECT_EQ(table.Find("w"), nullptr);
  Join(table, "w", 10, 4);
  const Worker* worker = table.Find("w");
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(worker->name, "w");
  EXPECT_EQ(worker->host, "machine");
  EXPECT_EQ(worker->pid, 7);
  EXPECT_EQ(worker->outstanding, 4u);
  EXPECT_EQ(worker->last_heard, kNow);
  EXPECT_EQ(table.all().size(), 1u);
}

TEST(WorkerTable, CreditIsCapacityWithoutWhatIsOutstanding) {
  const struct {
    std::uint32_t capacity, outstanding, credit;
  } kCases[] = {{10, 0, 10}, {10, 4, 6}, {10, 10, 0}, {10, 12, 0}, {0, 0, 0}};
  for (const auto& c : kCases) {
    WorkerTable table;
    Join(table, "w", c.capacity, c.outstanding);
    EXPECT_EQ(table.Find("w")->credit(), c.credit);
    EXPECT_EQ(LeastLoaded(table), c.credit > 0 ? "w" : "nobody");
  }
}

TEST(WorkerTable, TheLeastLoadedWorkerWithCreditIsNext) {
  WorkerTable table;
  EXPECT_EQ(LeastLoaded(table), "nobody");
  Join(table, "a", 10);
  Join(table, "b", 10, 5);
  Join(table, "full", 1, 1);
  EXPECT_EQ(LeastLoaded(table), "a");
  table.Outstanding("a", 6);
  EXPECT_EQ(LeastLoaded(table), "b");
  table.Outstanding("b", 5);
  EXPECT_EQ(LeastLoaded(table), "a");
  table.Outstanding("a", 4);
  EXPECT_EQ(LeastLoaded(table), "nobody");
  table.Outstanding("full", -1);
  EXPECT_EQ(LeastLoaded(table), "full");
}

TEST(WorkerTable, AHeartbeatChangesWhatAWorkerCanTake) {
  WorkerTable table;
  Join(table, "w", 10, 8);
  table.Heartbeat("w", Beat(5), In(1));
  EXPECT_EQ(LeastLoaded(table), "nobody");
  EXPECT_EQ(table.Find("w")->in_flight, 3u);
  EXPECT_EQ(table.Find("w")->pages, 9u);
  EXPECT_EQ(table.Find("w")->outstanding, 8u);
  table.Heartbeat("w", Beat(9), In(2));
  EXPECT_EQ(LeastLoaded(table), "w");
}

TEST(WorkerTable, CountsTheWorkersThatTakeWork) {
  WorkerTable table;
  Join(table, "a", 10, 10);
  Join(table, "b", 10);
  EXPECT_EQ(table.working(), 2) << "a full worker works too";
  table.Heartbeat("a", Beat(0), In(1));
  EXPECT_EQ(table.working(), 1);
  Join(table, "a", 5);
  Join(table, "a", 6);
  EXPECT_EQ(table.working(), 2);
  table.Remove("a");
  table.TakeSilent(In(1'000));
  EXPECT_EQ(table.working(), 0);
}

TEST(WorkerTable, HelloAgainReplacesWhatWasKnown) {
  WorkerTable table;
  Join(table, "w", 10, 10);
  Join(table, "w", 20, 5, In(9));
  EXPECT_EQ(table.all().size(), 1u);
  EXPECT_EQ(table.Find("w")->credit(), 15u);
  EXPECT_TRUE(table.TakeSilent(In(9)).empty());
}

TEST(WorkerTable, AnyMessageIsASignOfLife) {
  WorkerTable table;
  for (const char* name : {"beats", "reports", "silent"}) Join(table, name, 1);
  table.Heartbeat("beats", Beat(1), In(10));
  table.Heard("reports", In(10));
  EXPECT_TRUE(table.TakeSilent(kNow).empty()) << "heard at that very time";
  EXPECT_EQ(table.TakeSilent(In(1)), Names{"silent"});
  EXPECT_EQ(table.Find("silent"), nullptr);
  EXPECT_EQ(table.TakeSilent(In(11)), (Names{"beats", "reports"}));
  EXPECT_TRUE(table.all().empty());
  EXPECT_EQ(LeastLoaded(table), "nobody");
}

TEST(WorkerTable, TheUnknownChangeNothing) {
  WorkerTable table;
  table.Heartbeat("x", Beat(5), kNow);
  table.Heard("x", kNow);
  table.Outstanding("x", 3);
  table.Remove("x");
  EXPECT_TRUE(table.all().empty());
  EXPECT_TRUE(table.TakeSilent(In(1'000)).empty());
  EXPECT_EQ(LeastLoaded(table), "nobody");
}

}  // namespace
}  // namespace trawl

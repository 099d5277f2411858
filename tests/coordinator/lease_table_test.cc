#include "coordinator/lease_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace trawl {
namespace {

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);
using Ids = std::vector<LeaseId>;

TimePoint In(int ms) { return kNow + milliseconds(ms); }

/// A lease of `urls` URLs at depth 2 of host "a".
LiveLease Lease(LeaseId id, const std::string& worker, int urls, TimePoint deadline,
                int connections = 1) {
  return {id, worker, "a", 2, connections, urls, true, false, deadline, false};
}

TEST(LeaseTable, CountsUrlsInAllAndByWorker) {
  LeaseTable table;
  table.Add(Lease(1, "w1", 5, In(10)));
  table.Add(Lease(2, "w2", 3, In(10)));
  table.Add({3, "w2", "b", 4, 1, 7, true, false, In(10), false});
  EXPECT_EQ(table.urls(), 15u);
  EXPECT_EQ(table.urls_of("w1"), 5u);
  EXPECT_EQ(table.urls_of("w2"), 10u);
  EXPECT_EQ(table.urls_of("w3"), 0u);
  table.Remove(3);
  EXPECT_EQ(table.urls(), 8u);
  EXPECT_EQ(table.urls_of("w2"), 3u);
  EXPECT_EQ(table.size(), 2u);
}

TEST(LeaseTable, TakesAdoptedLeasesThatTheirWorkerDoesNotName) {
  LeaseTable table;
  for (const LeaseId id : {1, 2, 3}) {
    LiveLease lease = Lease(id, "w", 1, In(10));
    lease.adopted = id != 3;
    table.Add(lease);
  }
  EXPECT_EQ(table.TakeAdopted("v", {}), Ids{});
  EXPECT_EQ(table.TakeAdopted("w", {2, 4}), Ids{1});
  EXPECT_TRUE(table.Find(1)->expiring);
  EXPECT_EQ(table.TakeAdopted("w", {2}), Ids{}) << "once";
}

TEST(LeaseTable, ALeaseEndsWithItsLastUrl) {
  LeaseTable table;
  table.Add(Lease(1, "w", 2, In(10)));
  table.End(1);
  ASSERT_NE(table.Find(1), nullptr);
  EXPECT_EQ(table.Find(1)->urls, 1);
  table.End(1);
  EXPECT_EQ(table.Find(1), nullptr);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_TRUE(table.TakeExpired(In(100)).empty());
  EXPECT_TRUE(table.TakeOf("w").empty());
}

TEST(LeaseTable, ReleasesAConnectionWhenFewerUrlsThanConnectionsAreLeft) {
  const struct {
    int urls, connections, end, released;
  } kCases[] = {{5, 2, 1, 0}, {5, 2, 3, 0}, {5, 2, 4, 1}, {5, 2, 5, 2},
                {2, 2, 1, 1}, {3, 8, 1, 1}, {3, 8, 9, 3}, {3, 1, 0, 0}};
  for (const auto& c : kCases) {
    LeaseTable table;
    table.Add(Lease(1, "w", c.urls, In(10), c.connections));
    EXPECT_EQ(table.End(1, c.end), c.released) << c.urls << " " << c.connections << " " << c.end;
  }
}

TEST(LeaseTable, AllConnectionsAreReleasedOverALeasesLife) {
  for (int urls = 1; urls <= 12; ++urls) {
    for (int connections = 1; connections <= 12; ++connections) {
      LeaseTable table;
      table.Add(Lease(1, "w", urls, In(10), connections));
      int left = table.Find(1)->connections_in_use();
      for (int i = 0; i < urls; ++i) left -= table.End(1);
      EXPECT_EQ(left, 0) << urls << " " << connections;
    }
  }
}

TEST(LeaseTable, WhatDoesNotExistEndsWithoutEffect) {
  LeaseTable table;
  EXPECT_EQ(table.End(1), 0);
  table.Remove(1);
  EXPECT_FALSE(table.Renew(1, "w", In(10)));
  EXPECT_EQ(table.Find(1), nullptr);
  EXPECT_EQ(table.urls(), 0u);
}

TEST(LeaseTable, ExpiresAtItsDeadlineOnce) {
  LeaseTable table;
  table.Add(Lease(1, "w", 1, In(10)));
  table.Add(Lease(2, "w", 1, In(20)));
  EXPECT_TRUE(table.TakeExpired(In(9)).empty());
  EXPECT_EQ(table.TakeExpired(In(10)), Ids{1});
  EXPECT_TRUE(table.TakeExpired(In(10)).empty());
  ASSERT_NE(table.Find(1), nullptr) << "it holds its URLs until the store has expired it";
  EXPECT_TRUE(table.Find(1)->expiring);
  EXPECT_EQ(table.urls(), 2u);
  EXPECT_EQ(table.TakeExpired(In(30)), Ids{2});
}

TEST(LeaseTable, OnlyItsWorkerRenewsALease) {
  LeaseTable table;
  table.Add(Lease(1, "w1", 1, In(10)));
  EXPECT_FALSE(table.Renew(1, "w2", In(50)));
  EXPECT_TRUE(table.Renew(1, "w1", In(20)));
  EXPECT_TRUE(table.TakeExpired(In(19)).empty());
  EXPECT_EQ(table.TakeExpired(In(20)), Ids{1});
}

TEST(LeaseTable, AnExpiringLeaseIsNotRenewed) {
  LeaseTable table;
  table.Add(Lease(1, "w", 1, In(10)));
  table.TakeExpired(In(10));
  EXPECT_FALSE(table.Renew(1, "w", In(50)));
}

TEST(LeaseTable, TakesAllLeasesOfAWorkerThatAreNotExpiringYet) {
  LeaseTable table;
  table.Add(Lease(1, "w", 1, In(10)));
  table.Add(Lease(2, "w", 1, In(30)));
  table.Add(Lease(3, "w", 1, In(20)));
  table.Add(Lease(4, "other", 1, In(20)));
  table.TakeExpired(In(10));
  EXPECT_EQ(table.TakeOf("w"), (Ids{2, 3}));
  EXPECT_TRUE(table.TakeOf("w").empty());
  EXPECT_EQ(table.TakeExpired(In(100)), Ids{4});
  EXPECT_EQ(table.urls_of("w"), 3u);
}

TEST(LeaseTable, AReportMayEndAUrlOfAnExpiringLease) {
  LeaseTable table;
  table.Add(Lease(1, "w", 2, In(10)));
  table.TakeExpired(In(10));
  table.End(1);
  EXPECT_EQ(table.urls(), 1u);
  table.End(1);
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace trawl

#include "coordinator/recent_bodies.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

TEST(RecentBodies, CountEach) {
  RecentBodies bodies;
  EXPECT_EQ(bodies.Times(1), 0u);
  bodies.Add(1);
  bodies.Add(2);
  bodies.Add(1);
  EXPECT_EQ(bodies.Times(1), 2u);
  EXPECT_EQ(bodies.Times(2), 1u);
}

TEST(RecentBodies, ForgetWhatHasNotComeForLong) {
  RecentBodies bodies;
  bodies.Add(1);
  for (std::uint64_t digest = 2; digest <= RecentBodies::kBodies; ++digest) bodies.Add(digest);
  bodies.Add(1);
  bodies.Add(100);
  EXPECT_EQ(bodies.Times(1), 2u);
  EXPECT_EQ(bodies.Times(2), 0u);
  EXPECT_EQ(bodies.Times(3), 1u);
}

}  // namespace
}  // namespace trawl

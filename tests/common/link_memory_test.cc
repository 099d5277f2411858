#include "common/link_memory.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

namespace trawl {
namespace {

TEST(LinkMemory, KnowsALinkFromTheDepthAtWhichItWasSettledOn) {
  LinkMemory memory;
  EXPECT_FALSE(memory.Knows(0, 0));
  memory.Learn(0, 3);
  EXPECT_FALSE(memory.Knows(0, 2));
  EXPECT_TRUE(memory.Knows(0, 3));
  EXPECT_TRUE(memory.Knows(0, 4));
  memory.Learn(0, 5);
  EXPECT_TRUE(memory.Knows(0, 3)) << "the smallest depth counts";
  memory.Learn(0, 1);
  EXPECT_TRUE(memory.Knows(0, 1));
  memory.Clear();
  EXPECT_FALSE(memory.Knows(0, 9));
}

TEST(LinkMemory, LearnsNoDepthThatItCannotKeep) {
  constexpr int kGreatest = (1 << LinkMemory::kSlotBits) - 2;
  LinkMemory memory;
  for (const int depth : {-1, kGreatest + 1, std::numeric_limits<int>::max()}) {
    memory.Learn(7, depth);
    EXPECT_FALSE(memory.Knows(7, std::numeric_limits<int>::max())) << depth;
  }
  memory.Learn(7, kGreatest);
  EXPECT_TRUE(memory.Knows(7, kGreatest));
  EXPECT_FALSE(memory.Knows(7, kGreatest - 1));
}

TEST(LinkMemory, NeverKnowsWhatItHasNotLearnt) {
  std::mt19937_64 random(1);
  LinkMemory memory;
  std::map<Fingerprint, int> learnt;  // with its smallest depth
  // Few slots and few upper bits, so that links meet.
  const auto draw = [&] {
    return static_cast<Fingerprint>((random() % 4) | (random() % 4) << LinkMemory::kSlotBits |
                                    (random() % 2) << 63);
  };
  int known = 0;
  for (int i = 0; i < 100'000; ++i) {
    const Fingerprint link = draw();
    const int depth = static_cast<int>(random() % 10);
    if (memory.Knows(link, depth)) {
      ++known;
      ASSERT_TRUE(learnt.contains(link));
      ASSERT_LE(learnt[link], depth);
    }
    if (i % 1'000 == 999) {
      memory.Clear();
      learnt.clear();
    }
    if (random() % 2 == 0) {
      memory.Learn(link, depth);
      EXPECT_TRUE(memory.Knows(link, depth));
      const auto [at, is_new] = learnt.emplace(link, depth);
      if (!is_new) at->second = std::min(at->second, depth);
    }
  }
  EXPECT_GT(known, 1'000);
}

}  // namespace
}  // namespace trawl

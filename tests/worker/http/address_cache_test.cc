#include "worker/http/address_cache.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

TEST(AddressCache, ForgetsTheNameThatWasNotAskedForLongest) {
  const TimePoint now = TimePoint() + std::chrono::hours(1);
  const TimePoint later = now + milliseconds(10);
  const auto answer = std::make_shared<const Resolution>();
  AddressCache cache(2);
  cache.Insert("a.test", answer, later);
  cache.Insert("b.test", answer, later);
  EXPECT_EQ(cache.Find("a.test", now), answer);
  cache.Insert("c.test", answer, later);
  EXPECT_EQ(cache.Find("b.test", now), nullptr);
  EXPECT_EQ(cache.Find("a.test", now), answer);
  EXPECT_EQ(cache.Find("c.test", now), answer);
  EXPECT_EQ(cache.size(), 2u);
}

TEST(AddressCache, KeepsAnAnswerUntilItExpires) {
  const TimePoint now = TimePoint() + std::chrono::hours(1);
  const auto answer = std::make_shared<const Resolution>();
  AddressCache cache(2);
  cache.Insert("a.test", answer, now + milliseconds(10));
  EXPECT_EQ(cache.Find("a.test", now + milliseconds(9)), answer);
  EXPECT_EQ(cache.Find("a.test", now + milliseconds(10)), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace trawl

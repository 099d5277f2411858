#include "worker/fingerprint_map.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

// Many more than it has room for at first, most of them with the same low bits.
TEST(FingerprintMap, FindsWhatWasAddedAndNothingElse) {
  constexpr std::uint32_t kNumbers = 1'000;
  const auto key = [](std::uint32_t number) {
    return number % 3 == 0 ? Fingerprint{number} : Fingerprint{number} << 32;
  };
  FingerprintMap map;
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    ASSERT_EQ(map.Find(key(number)), FingerprintMap::kAbsent) << number;
    map.Add(key(number), number);
  }
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    EXPECT_EQ(map.Find(key(number)), number);
  }
  EXPECT_EQ(map.Find(-1), FingerprintMap::kAbsent);
}

TEST(FingerprintMap, AddsAFingerprintOnce) {
  FingerprintMap map;
  map.Add(7, 1);
  map.Add(7, 2);
  EXPECT_EQ(map.Find(7), 1u);
}

// As a page may be made: fingerprints in one range, or with some bits in common.
TEST(FingerprintMap, FingerprintsThatWereChosenDoNotLieSideBySide) {
  constexpr std::uint32_t kNumbers = 20'000;
  for (const int shift : {0, 20, 44}) {
    FingerprintMap map;
    for (std::uint32_t number = 0; number < kNumbers; ++number) {
      map.Add((Fingerprint{number} << shift) + 12'345, number);
    }
    EXPECT_LT(map.LongestSearch(), kNumbers / 10) << shift;
  }
}

}  // namespace
}  // namespace trawl

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

}  // namespace
}  // namespace trawl

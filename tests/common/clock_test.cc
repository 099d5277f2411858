#include "common/clock.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

using std::chrono::microseconds;
using std::chrono::system_clock;

TEST(Rfc3339, IsUtcWithMilliseconds) {
  const struct {
    std::int64_t since_epoch_us;
    const char* text;
  } kCases[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {1'769'860'800'250'000, "2026-01-31T12:00:00.250Z"},
      {951'782'400'000'000, "2000-02-29T00:00:00.000Z"},
      {4'102'444'799'999'000, "2099-12-31T23:59:59.999Z"},
      // Cut, not rounded, so that 59.9999 does not become 60.
      {59'999'999, "1970-01-01T00:00:59.999Z"},
      // Before the epoch, too, towards the past.
      {-1, "1969-12-31T23:59:59.999Z"},
      {-1'000'000, "1969-12-31T23:59:59.000Z"},
  };
  for (const auto& [since_epoch_us, text] : kCases) {
    EXPECT_EQ(Rfc3339(system_clock::time_point(microseconds(since_epoch_us))), text);
  }
}

}  // namespace
}  // namespace trawl

#include "common/http_date.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace trawl {
namespace {

TEST(HttpDate, IsReadGenerously) {
  const struct {
    const char* text;
    std::int64_t unix_seconds;  // -1: no date
  } kCases[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
      {"Sun Nov  6 8:49:37 1994", 784111777},
      {"1994 november 6 08:49:37x", 784111777},
      {"06 Nov 69 08:49:37", 3150953377},
      {"06 Nov 1994", -1},
      {"08:49:37 Nov 1994", -1},
      {"06 Nov 1994 24:00:00", -1},
      {"31 Feb 1994 08:49:37", -1},
      {"06 Nov 1600 08:49:37", -1},
      {"", -1},
  };
  for (const auto& c : kCases) {
    const auto date = ParseHttpDate(c.text);
    ASSERT_EQ(date.has_value(), c.unix_seconds >= 0) << c.text;
    if (!date) continue;
    EXPECT_EQ(*date, std::chrono::system_clock::time_point(std::chrono::seconds(c.unix_seconds)))
        << c.text;
  }
  EXPECT_GT(ParseHttpDate("01 Jan 9999 00:00:00"), std::chrono::system_clock::now());
  EXPECT_LT(ParseHttpDate("01 Jan 1601 00:00:00"), std::chrono::system_clock::now());
}

}  // namespace
}  // namespace trawl

#include "common/http_date.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "common/text.h"

namespace trawl {
namespace {

using std::chrono::seconds;
using Time = std::chrono::system_clock::time_point;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// A number of `least` to `most` digits off the front; none when there are more or fewer.
std::optional<int> TakeDigits(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  int number = 0;
  for (; count < text.size() && IsDigit(text[count]); ++count) {
    if (count == most) return std::nullopt;
    number = number * 10 + (text[count] - '0');
  }
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return number;
}

/// "hh:mm:ss" and whatever follows that is no digit.
std::optional<seconds> ParseClock(std::string_view text) {
  std::array<int, 3> parts{};
  for (int& part : parts) {
    if (&part != parts.data()) {
      if (!text.starts_with(':')) return std::nullopt;
      text.remove_prefix(1);
    }
    const auto number = TakeDigits(text, 1, 2);
    if (!number) return std::nullopt;
    part = *number;
  }
  if (parts[0] > 23 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  return seconds(parts[0] * 3600 + parts[1] * 60 + parts[2]);
}

std::optional<unsigned> ParseMonth(std::string_view text) {
  constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (text.size() < 3) return std::nullopt;
  const std::string name = LowerCase(text.substr(0, 3));
  for (unsigned month = 0; month < 12; ++month) {
    if (kMonths.substr(month * std::size_t{3}, 3) == name) return month + 1;
  }
  return std::nullopt;
}

/// RFC 6265, section 5.1.1's delimiter.
bool IsDateDelimiter(unsigned char c) {
  return c == 0x09 || (c >= 0x20 && c <= 0x2F) || (c >= 0x3B && c <= 0x40) ||
         (c >= 0x5B && c <= 0x60) || (c >= 0x7B && c <= 0x7E);
}

}  // namespace

std::optional<Time> ParseHttpDate(std::string_view text) {
  std::optional<seconds> clock;
  std::optional<unsigned> month;
  std::optional<int> day, year;
  while (!text.empty()) {
    std::size_t length = 0;
    while (length < text.size() && !IsDateDelimiter(text[length])) ++length;
    const std::string_view token = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (token.empty()) continue;
    std::string_view rest = token;
    if (!clock && (clock = ParseClock(token))) continue;
    if (!day && (day = TakeDigits(rest, 1, 2))) continue;
    if (!month && (month = ParseMonth(token))) continue;
    rest = token;
    if (!year) year = TakeDigits(rest, 2, 4);
  }
  if (!clock || !day || !month || !year) return std::nullopt;
  if (*year < 70) {
    *year += 2000;
  } else if (*year < 100) {
    *year += 1900;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (*year < 1601 || !date.ok()) return std::nullopt;
  // Dates that the clock cannot hold are as good as its end, and as its beginning.
  if (*year > 2200) return Time::max();
  if (*year < 1800) return Time::min();
  return std::chrono::sys_days(date) + *clock;
}

}  // namespace trawl

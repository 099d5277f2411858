#include "common/clock.h"

namespace trawl {
namespace {

/// Writes a number over the last digits before `end`.
void PutDigits(unsigned number, int digits, char* end) {
  for (; digits > 0; --digits, number /= 10) *--end = static_cast<char>('0' + number % 10);
}

}  // namespace

std::string Rfc3339(std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<milliseconds>(time - day));
  std::string text = "YYYY-MM-DDThh:mm:ss.mmmZ";
  char* const begin = text.data();
  PutDigits(static_cast<unsigned>(static_cast<int>(date.year())), 4, begin + 4);
  PutDigits(static_cast<unsigned>(date.month()), 2, begin + 7);
  PutDigits(static_cast<unsigned>(date.day()), 2, begin + 10);
  PutDigits(static_cast<unsigned>(clock.hours().count()), 2, begin + 13);
  PutDigits(static_cast<unsigned>(clock.minutes().count()), 2, begin + 16);
  PutDigits(static_cast<unsigned>(clock.seconds().count()), 2, begin + 19);
  PutDigits(static_cast<unsigned>(clock.subseconds().count()), 3, begin + 23);
  return text;
}

}  // namespace trawl

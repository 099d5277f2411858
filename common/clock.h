// The words for time. Deciding code takes `now` as an argument and never reads a clock itself.
#pragma once

#include <chrono>
#include <string>

namespace trawl {

using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;
/// The time of day, as it has to be for what outlives a process and for dates that others set.
using WallTime = std::chrono::sys_time<milliseconds>;

/// RFC 3339 in UTC with milliseconds, as rows carry it: "2026-01-31T12:00:00.250Z".
std::string Rfc3339(std::chrono::system_clock::time_point time);

}  // namespace trawl

#include "coordinator/retry_policy.h"

#include <algorithm>
#include <cstdint>

namespace trawl {
namespace {

/// A number that looks random, from SplitMix64's output function.
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E37'79B9'7F4A'7C15;
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EB;
  return x ^ (x >> 31);
}

}  // namespace

HostHealth HealthAfter(const Outcome& outcome) {
  if (std::holds_alternative<Returned>(outcome)) return HostHealth::kUnknown;
  const auto* failed = std::get_if<Failed>(&outcome);
  if (!failed) return HostHealth::kWell;
  if (AsksForFewerRequests(*failed)) return HostHealth::kOverloaded;
  if (failed->permanent && failed->status == 0) return HostHealth::kUnknown;
  switch (failed->reason) {
    case Error::kTimeout:
    case Error::kDns:
    case Error::kConnect:
    case Error::kTls:
    case Error::kReset:
      return failed->status == 0 ? HostHealth::kSilent : HostHealth::kUnknown;
    case Error::kRobots:
    case Error::kAddress:
      return HostHealth::kUnknown;
    default:
      return failed->status >= 500 ? HostHealth::kUnknown : HostHealth::kWell;
  }
}

bool IsWorthAnotherTry(const Failed& failed) {
  if (failed.permanent) return false;
  switch (failed.reason) {
    case Error::kTimeout:
    case Error::kDns:
    case Error::kConnect:
    case Error::kReset:
    case Error::kTruncated:
      return true;
    case Error::kHttpStatus:
      break;
    default:
      return false;
  }
  switch (failed.status) {
    case 408:  // Request Timeout
    case 425:  // Too Early
    case 429:  // Too Many Requests
    case 500:  // Internal Server Error
    case 502:  // Bad Gateway
    case 503:  // Service Unavailable
    case 504:  // Gateway Timeout
    case 522:  // of a large CDN: its connection to the site timed out
    case 524:  // likewise: the site took too long
      return true;
    default:
      return false;
  }
}

std::optional<milliseconds> RetryPolicy::DelayAfter(const Failed& failed, int attempt,
                                                    Fingerprint url) const {
  if (attempt >= retries || !IsWorthAnotherTry(failed)) return std::nullopt;
  milliseconds mean = std::min(delay, kMaxDelay);
  for (int i = 0; i < attempt && mean < kMaxDelay; ++i) mean = std::min(2 * mean, kMaxDelay);
  // Half of it to one and a half.
  const auto spread = static_cast<std::uint64_t>(mean.count()) + 1;
  const std::uint64_t random = Mix(static_cast<std::uint64_t>(url) + Mix(attempt));
  const milliseconds wait = mean / 2 + milliseconds(static_cast<std::int64_t>(random % spread));
  return std::max(wait, failed.retry_after);
}

}  // namespace trawl

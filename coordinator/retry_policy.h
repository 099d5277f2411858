// Whether a fetch that failed is tried again, and when. Pure: the spread between the URLs of a host
// follows from the URLs.
#pragma once

#include <optional>

#include "common/clock.h"
#include "common/fingerprint.h"
#include "proto/messages.h"

namespace trawl {

struct RetryPolicy {
  int retries = 2;            // of one URL
  milliseconds delay{1'000};  // before the first on average; doubles each time

  static constexpr milliseconds kMaxDelay = std::chrono::minutes(5);  // on average

  /// The time to wait until the URL is tried again; nothing when it has failed for good. `attempt`
  /// is how many tries failed before this one.
  std::optional<milliseconds> DelayAfter(const Failed& failed, int attempt, Fingerprint url) const;
};

/// What an outcome says of its host.
enum class HostHealth {
  kUnknown,     // nothing: it was not asked, or has trouble with this URL alone
  kWell,        // it answers
  kOverloaded,  // it asks for fewer requests
  kSilent,      // it does not answer
};
HostHealth HealthAfter(const Outcome& outcome);

/// Whether another try may have a better end: not where the server has said no, and not where the
/// same bytes would come again.
bool IsWorthAnotherTry(const Failed& failed);

}  // namespace trawl

// One origin's part of the frontier, as the coordinator keeps it in memory: how many URLs wait at
// which depth, and the host's politeness. The URLs themselves are in the store.
//
// Invariant: over all live leases of the host, the connections granted never exceed the budget's;
// with a delay above zero they are all one worker's, which keeps the delay over them: another one
// is granted when the last URLs of the first leave connections free. Until a report has told its
// robots.txt's Crawl-delay, one worker has one URL of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/fingerprint.h"
#include "coordinator/recent_bodies.h"

namespace trawl {

struct HostBudget {
  int connections = 2;
  milliseconds delay{250};
};

class HostQueue {
 public:
  /// What a lease may take and use.
  struct Grant {
    int count = 0;  // URLs
    int connections = 0;
    milliseconds delay{0};
    milliseconds start_after{0};  // from `now`
  };

  HostQueue(std::string host, HostBudget budget) : host_(std::move(host)), budget_(budget) {}

  const std::string& host() const { return host_; }
  std::uint64_t waiting(int depth) const;
  /// The least depth of [from, to] at which a URL waits; -1: none.
  int LeastDepth(int from, int to) const;
  milliseconds delay() const { return std::max(budget_.delay, throttle_); }
  int connections_out() const { return connections_out_; }

  void Add(int depth, std::uint64_t count);
  /// More than wait there may be removed, as long as so many are added later: a URL that moves may
  /// have been granted with a lease, which then tells that it was not there.
  void Remove(int depth, std::uint64_t count);
  /// How many are to be added.
  std::uint64_t Owed(int depth) const;
  /// Takes all URLs at depths up to this off the count: depth and number of each.
  struct Waiting {
    int depth;
    std::int64_t count;
  };
  std::vector<Waiting> TakeWaiting(int depth);

  /// Whether another lease may be made now. `share` is the number of connections that one of
  /// several leases should have when the host is spread over the workers.
  bool MayLease(int share) const;
  /// Whether its holder may have another lease now, though MayLease() does not hold.
  bool MayLeaseMore() const;
  /// The worker that has all live leases; empty when there is none.
  const std::string& holder() const { return holder_; }
  /// The last lease that was granted or adopted is this worker's.
  void HeldBy(const std::string& worker);
  /// Grants a lease; MayLease(share), or for the holder MayLeaseMore(), holds and URLs wait at
  /// `depth`. Takes the URLs off the count.
  Grant Lease(int depth, int share, int most, TimePoint now);

  /// A lease made before a restart of the coordinator still lives.
  void Adopt(int connections);
  /// A lease needs `connections` fewer than before; `ended` if it is over.
  void Release(int connections, bool ended);

  /// A request to the host began at `start`; the next one waits out the delay from there.
  void Requested(TimePoint start);
  /// The host has answered that it is overloaded, and asks to be left alone for so long (0: it does
  /// not say). Returns how long it is to be: twice as long as the last time, or longer if it asks
  /// for that; one that asks for a second each time is not hopeless after ten of them. After that
  /// it has one URL at a time until it answers well.
  milliseconds BackOff(milliseconds asked, TimePoint now);
  /// It has not answered when this URL was tried. As above, but zero until that happened to
  /// kSilencesBeforePause URLs since it answered well: one lost connection does not make a host
  /// overloaded, and a URL that fails again says more of itself than of its host.
  milliseconds Unanswered(Fingerprint url, TimePoint now);
  static constexpr std::size_t kSilencesBeforePause = 8;
  /// It is left alone, or was and has not answered well since.
  bool IsInTrouble() const { return pauses_ > 0; }
  /// It has answered well.
  void Recovered() {
    pauses_ = 0;
    silent_.clear();
  }
  bool IsPaused(TimePoint now) const { return now < paused_until_; }
  /// It was left alone so often in a row, and asked in vain again, that it is of no use any more: a
  /// crawl has to end.
  bool IsHopeless(TimePoint now) const { return pauses_ >= kMostPauses && !IsPaused(now); }
  static constexpr int kMostPauses = 10;

  /// It has taken so long to answer: its delay follows, as with Scrapy's AutoThrottle for one
  /// request at a time. One that grows does so at once, one that shrinks by half of the difference;
  /// an answer that is no good one, which often comes quickly, shortens nothing. Never below the
  /// budget's delay, and at most kLongestThrottle.
  void Throttle(milliseconds latency, bool good);
  static constexpr milliseconds kLongestThrottle{60'000};

  RecentBodies& bodies() { return bodies_; }

  /// A report came: its robots.txt is known now. A longer Crawl-delay wins over the budget's delay.
  void Probed(milliseconds crawl_delay);

 private:
  std::int64_t CountAt(int depth) const;
  void Count(int depth, std::int64_t change);

  std::string host_;
  HostBudget budget_;
  std::vector<Waiting> waiting_;  // by depth, no zero counts; rarely more than two
  int leases_ = 0;
  std::string holder_;
  int connections_out_ = 0;
  bool probed_ = false;
  TimePoint next_start_{};
  int pauses_ = 0;                   // in a row
  std::vector<Fingerprint> silent_;  // URLs since it answered well, until it is in trouble
  TimePoint paused_until_{};
  milliseconds throttle_{0};
  RecentBodies bodies_;
};

}  // namespace trawl

// The coordinator's view of the frontier: all host queues, and which of them may be leased next.
// Hosts take turns. In exact rounds only URLs of the open depth are leased; in free mode a host's
// least depth goes first. A host may be deferred: then nothing of it is leased before its time.
//
// No I/O, no clock. Borrows nothing; references to host queues stay valid as long as the frontier.
#pragma once

#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/options.h"
#include "coordinator/host_queue.h"

namespace trawl {

class Frontier {
 public:
  struct Grant {
    std::string host;
    int depth = 0;
    HostQueue::Grant terms;
  };

  /// What waits deeper than `depth_limit`, as it was admitted when the job went deeper, stays.
  Frontier(RoundMode mode, HostBudget budget, int depth_limit = std::numeric_limits<int>::max())
      : mode_(mode), budget_(budget), depth_limit_(depth_limit) {}

  /// The host's queue; made when it is new.
  HostQueue& At(std::string_view host);

  void Add(std::string_view host, int depth, std::uint64_t count = 1);
  /// A URL that waited at depth `from` waits at depth `to` now.
  void Move(std::string_view host, int from, int to);

  /// The next host whose turn it is and that may be leased, with at most `most` URLs, when
  /// `workers` (at least 1) share the work. Nothing when no host is ready.
  std::optional<Grant> Lease(int workers, int most, TimePoint now);

  /// As HostQueue's; the host may become ready by it.
  void Release(std::string_view host, int connections, bool ended);
  void Probed(std::string_view host, milliseconds crawl_delay);

  /// Leases nothing of the host before `until`, nor before the end of a deferral that it has.
  void Defer(std::string_view host, TimePoint until);

  /// Takes all URLs off a host's queue that may be leased by now: depth and number of each.
  std::vector<HostQueue::Waiting> TakeWaiting(std::string_view host);
  /// The hosts that have such URLs.
  std::vector<std::string> HostsInRound() const;

  /// URLs that wait at a depth, and at all.
  std::uint64_t waiting(int depth) const;
  std::uint64_t waiting() const { return waiting_total_; }
  std::size_t hosts() const { return hosts_.size(); }

  int open_depth() const { return open_depth_; }
  /// URLs at greater depths are not leased by now.
  int GreatestDepth() const;
  /// The least depth at which a URL waits; -1: none.
  int LeastDepth() const { return waiting_.empty() ? -1 : waiting_.begin()->first; }
  /// From now on URLs of this depth are leased. Exact rounds only; depths only grow.
  void OpenRound(int depth);

 private:
  struct Slot;
  using Deferrals = std::multimap<TimePoint, Slot*>;
  struct Slot {
    HostQueue queue;
    bool ready = false;                           // is in ready_
    std::optional<Deferrals::iterator> deferral;  // its place in deferrals_
  };

  Slot& SlotOf(std::string_view host);
  int NextDepth(const HostQueue& queue) const;
  void MakeReady(Slot& slot);
  void WakeDeferred(TimePoint now);
  void Count(int depth, std::int64_t change);

  const RoundMode mode_;
  const HostBudget budget_;
  const int depth_limit_;
  std::unordered_map<std::string, Slot> hosts_;
  std::deque<Slot*> ready_;  // hosts with URLs to lease, except those that their budget holds back
  Deferrals deferrals_;      // by their ends
  std::map<int, std::vector<Slot*>> later_;  // hosts with URLs of depths that are not open yet
  std::map<int, std::uint64_t> waiting_;     // by depth; no zero counts
  std::uint64_t waiting_total_ = 0;
  int open_depth_ = 0;
};

}  // namespace trawl

// The coordinator's view of the frontier: all host queues, and which of them may be leased next.
// Hosts take turns, and a host's least depth goes first. In exact rounds URLs of the open depth are
// leased, and where a host has none left those of the next depth, ahead of their round: so a round
// does not wait for its slowest URL. What is leased ahead may turn out to belong to the open round
// after all, and is fetched again then; as most rounds end soon after their last URL is leased, a
// host runs ahead only some time after that. One that is in trouble does not.
// A host may be deferred: then nothing of it is leased before its time.
//
// No I/O, no clock. Borrows nothing; references to host queues stay valid as long as the frontier.
#pragma once

#include <deque>
#include <functional>
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

  struct Limits {
    /// What waits deeper, as it was admitted when the job went deeper, stays.
    int depth = std::numeric_limits<int>::max();
    bool runs_ahead = true;  // in exact rounds
  };
  /// From when on a host may run ahead, since a URL of its own round was last leased.
  static constexpr milliseconds kTailPatience{250};

  Frontier(RoundMode mode, HostBudget budget) : Frontier(mode, budget, Limits()) {}
  Frontier(RoundMode mode, HostBudget budget, Limits limits)
      : mode_(mode), budget_(budget), limits_(limits) {}

  /// The host's queue; made when it is new.
  HostQueue& At(std::string_view host);

  void Add(std::string_view host, int depth, std::uint64_t count = 1);
  /// A URL that waited at depth `from` waits at depth `to` now. It may have been granted meanwhile:
  /// then the lease will have fewer URLs than granted.
  void Move(std::string_view host, int from, int to);
  /// A lease has had so many URLs fewer than granted. Returns how many of them have not moved.
  std::uint64_t Missed(std::string_view host, int depth, std::uint64_t count);

  /// The next host whose turn it is and that may be leased, with at most `most` URLs, when
  /// `workers` (at least 1) share the work. Nothing when no host is ready.
  std::optional<Grant> Lease(int workers, int most, TimePoint now);

  /// The next host of which its holder may have another lease (HostQueue::MayLeaseMore), if that
  /// has credit, in URLs. A host whose holder has none comes again with the next Release(). To be
  /// called after Lease() until there is nothing.
  std::optional<Grant> LeaseToHolder(const std::function<int(const std::string& worker)>& credit,
                                     TimePoint now);

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
  std::uint64_t waiting() const;
  std::size_t hosts() const { return hosts_.size(); }

  int open_depth() const { return open_depth_; }
  /// URLs at greater depths are not leased by now, or ahead of their round.
  int GreatestDepth() const;
  /// The least depth at which a URL waits; -1: none.
  int LeastDepth() const;
  /// From now on URLs of this depth are leased. Exact rounds only; depths only grow.
  void OpenRound(int depth);

 private:
  struct Slot;
  using Deferrals = std::multimap<TimePoint, Slot*>;
  struct Slot {
    explicit Slot(HostQueue host_queue) : queue(std::move(host_queue)) {}

    HostQueue queue;
    bool ready = false;                           // is in ready_
    std::optional<Deferrals::iterator> deferral;  // its place in deferrals_
    bool may_be_ahead = false;                    // is in tails_, patient_ or ahead_
    int patient_in = -1;     // the last round of which it has waited out the tail
    TimePoint last_lease{};  // of an open round
    std::vector<int> later;  // depths at which it is in later_
  };

  Slot& SlotOf(std::string_view host);
  int NextDepth(const HostQueue& queue) const;
  bool MayRunAhead(const Slot& slot) const;
  void MakeReady(Slot& slot);
  void WakeDeferred(TimePoint now);
  void EndPatience(TimePoint now);
  int Share(int workers) const;
  Grant LeaseOf(Slot& slot, int depth, int share, int most, TimePoint now);
  void Count(int depth, std::int64_t change);

  const RoundMode mode_;
  const HostBudget budget_;
  const Limits limits_;
  std::unordered_map<std::string, Slot> hosts_;
  std::deque<Slot*> ready_;  // hosts with URLs to lease, except those that their budget holds back
  std::vector<Slot*> held_;  // of these, in part, such as only their holder may lease
  Deferrals deferrals_;      // by their ends
  std::map<int, std::vector<Slot*>> later_;  // hosts with URLs of depths that are not open yet
  // Hosts that have URLs of the next round only: since the last Lease(), until the given time, and
  // those that run ahead. Whether they still do is looked at when they are taken out.
  std::deque<Slot*> tails_;
  struct Patient {
    Slot* slot;
    int round;
    TimePoint until;
  };
  std::deque<Patient> patient_;
  std::deque<Slot*> ahead_;
  std::map<int, std::int64_t> waiting_;  // by depth; no zero counts. Below zero: see HostQueue
  int open_depth_ = 0;
};

}  // namespace trawl

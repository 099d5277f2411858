// The URLs leased to this worker, given out when politeness lets them start: host by host, no
// sooner than the host's delay after the last request, on no more connections than the live leases
// grant.
//
// A lease's grant counts for min(its connections, its URLs that have not ended), which is never
// more than the coordinator reckons with, as that learns of an end later. No I/O, no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "proto/messages.h"

namespace trawl {

struct WorkItem {
  std::uint64_t lease = 0;
  int index = 0;
  int depth = 0;
  std::string host;  // the host queue's name
  FrontierEntry entry;
};

class WorkQueue {
 public:
  WorkQueue() = default;
  WorkQueue(const WorkQueue&) = delete;  // its parts refer to each other
  WorkQueue& operator=(const WorkQueue&) = delete;

  void Add(const Lease& lease, TimePoint now);

  /// The URL that may start now: its host is not held, has a free connection and has waited out its
  /// delay. Nullptr when there is none. Valid until the queue changes.
  const WorkItem* Next(TimePoint now) const;
  /// When Next() may have an answer, if nothing else happens; nothing: not by time alone.
  std::optional<TimePoint> NextStart() const;

  /// Takes the URL that Next() showed off the queue; Ended() follows for it.
  WorkItem Take();
  /// A URL that was taken is done with: its lease holds one less.
  void Ended(const WorkItem& item);

  /// A request to the host begins, and uses a connection. It may be long on its way before the host
  /// sees it, so that where there is a delay no other begins until this one is sent: the next waits
  /// out the delay from there.
  void RequestStarted(const std::string& host, TimePoint now);
  /// `again`: one that was sent before, on a connection that had died.
  void RequestSent(const std::string& host, TimePoint now, bool again = false);
  /// `sent`: RequestSent() was called for it.
  void RequestEnded(const std::string& host, bool sent);
  /// Time since the last request to the host began; zero when there was none.
  milliseconds SinceRequest(const std::string& host, TimePoint now) const;

  /// Least time between two requests to the host, as far as it is known.
  milliseconds Delay(const std::string& host) const;

  /// No URL of the host starts while it is held: its robots.txt is being asked for.
  void Hold(const std::string& host);
  /// Ends a Hold(); a longer Crawl-delay wins over the lease's delay.
  void Unhold(const std::string& host, milliseconds crawl_delay);

  /// A longer Crawl-delay wins over the leases' delay.
  void Slow(const std::string& host, milliseconds crawl_delay);

  /// The lease is not ours any more: its waiting URLs vanish.
  void DropLease(std::uint64_t lease);
  /// All URLs that wait, or those of a host, taken off the queue and ended.
  std::vector<WorkItem> TakeAll();
  std::vector<WorkItem> TakeHost(const std::string& host);

  /// There is a lease with URLs of the host that have not ended.
  bool HoldsHost(const std::string& host) const;
  bool Holds(std::uint64_t lease) const { return hosts_of_.contains(lease); }
  /// Leases with URLs that have not ended.
  std::vector<std::uint64_t> leases() const;
  std::size_t waiting() const { return waiting_; }

 private:
  struct Grant {
    int connections = 0;
    int urls = 0;  // not ended
  };
  /// Hosts that could start a URL, and when. The names are those of hosts_.
  using Starts = std::set<std::pair<TimePoint, std::string_view>>;
  struct Host {
    std::deque<WorkItem> waiting;
    std::map<std::uint64_t, Grant> leases;
    milliseconds delay{0};
    TimePoint last_start{};
    TimePoint next_start{};
    bool requested = false;  // last_start is set
    int requests = 0;        // under way
    int unsent = 0;          // of them
    int taken = 0;           // URLs taken and not ended
    bool held = false;
    std::optional<Starts::iterator> listed;  // its place in starts_
  };
  using Hosts = std::unordered_map<std::string, Host>;

  static int Connections(const Host& host);
  /// The first of starts_.
  Hosts::iterator First() { return hosts_.find(std::string(starts_.begin()->second)); }
  Hosts::const_iterator First() const { return hosts_.find(std::string(starts_.begin()->second)); }
  /// The longest delay that was asked for counts, from the last request on.
  static void LengthenDelay(Host& host, milliseconds delay);
  /// Puts a host into its place in starts_, or forgets it when nothing is left of it.
  void Settle(Hosts::iterator host);
  void EndUrls(Host& host, std::uint64_t lease, int count);
  void TakeWaiting(Hosts::iterator host, std::vector<WorkItem>& taken);

  Hosts hosts_;
  std::unordered_map<std::uint64_t, std::string> hosts_of_;  // lease -> host
  Starts starts_;
  std::size_t waiting_ = 0;
};

}  // namespace trawl

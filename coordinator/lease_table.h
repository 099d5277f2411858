// The leases that are out: which worker holds which URLs of which host until when. A lease ends
// when all its URLs have ended, or by its deadline; the worker's heartbeats renew those that they
// name. No I/O, no clock.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "coordinator/store/store.h"

namespace trawl {

struct LiveLease {
  LeaseId id = 0;
  std::string worker;
  std::string host;
  int depth = 0;
  int connections = 1;     // granted; in use are never more than `urls`
  int urls = 0;            // not ended yet
  bool delivered = false;  // sent to its worker
  bool expiring = false;   // its ExpireStep is under way
  TimePoint deadline{};
  bool adopted = false;  // made before a restart of the coordinator

  int connections_in_use() const { return connections < urls ? connections : urls; }
};

class LeaseTable {
 public:
  void Add(LiveLease lease);
  /// Nullptr when there is none with this id. Valid until the lease is removed.
  const LiveLease* Find(LeaseId id) const;

  /// One URL more has ended, or the store had `count` URLs fewer than the lease was to hold.
  /// Returns how many connections the lease needs less than before. A lease without URLs is
  /// removed.
  int End(LeaseId id, int count = 1);
  void Remove(LeaseId id);
  void MarkDelivered(LeaseId id);

  /// Renews a lease of this worker; false when it is not the worker's (any more).
  bool Renew(LeaseId id, const std::string& worker, TimePoint deadline);
  /// Leases that are past their deadline, from now on marked as expiring.
  std::vector<LeaseId> TakeExpired(TimePoint now);
  /// All leases of a worker that are not expiring yet, from now on marked so.
  std::vector<LeaseId> TakeOf(const std::string& worker);
  /// And all there are.
  std::vector<LeaseId> TakeAll();
  /// Of a worker's the adopted ones that it does not name.
  std::vector<LeaseId> TakeAdopted(const std::string& worker, const std::vector<LeaseId>& named);

  /// Who has leases of a host. Takes time in the number of all leases.
  std::set<std::string> WorkersOf(const std::string& host) const;

  std::uint64_t urls() const { return urls_total_; }
  std::uint64_t urls_of(const std::string& worker) const;
  std::size_t size() const { return leases_.size(); }

 private:
  void MarkExpiring(LiveLease& lease);
  template <class Wanted>
  std::vector<LeaseId> TakeOfWorker(const std::string& worker, Wanted wanted);

  std::unordered_map<LeaseId, LiveLease> leases_;
  std::unordered_map<std::string, std::set<LeaseId>> of_worker_;
  std::set<std::pair<TimePoint, LeaseId>> deadlines_;  // of those that are not expiring
  std::uint64_t urls_total_ = 0;
};

}  // namespace trawl

#include "coordinator/lease_table.h"

#include <algorithm>
#include <unordered_set>

namespace trawl {

void LeaseTable::Add(LiveLease lease) {
  urls_total_ += lease.urls;
  of_worker_[lease.worker].insert(lease.id);
  deadlines_.emplace(lease.deadline, lease.id);
  leases_.emplace(lease.id, std::move(lease));
}

const LiveLease* LeaseTable::Find(LeaseId id) const {
  const auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second;
}

int LeaseTable::End(LeaseId id, int count) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return 0;
  LiveLease& lease = found->second;
  const int before = lease.connections_in_use();
  count = std::min(count, lease.urls);
  lease.urls -= count;
  urls_total_ -= count;
  const int released = before - lease.connections_in_use();
  if (lease.urls == 0) Remove(id);
  return released;
}

void LeaseTable::Remove(LeaseId id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return;
  const LiveLease& lease = found->second;
  urls_total_ -= lease.urls;
  deadlines_.erase({lease.deadline, id});
  const auto holder = of_worker_.find(lease.worker);
  holder->second.erase(id);
  if (holder->second.empty()) of_worker_.erase(holder);
  leases_.erase(found);
}

void LeaseTable::MarkDelivered(LeaseId id) {
  const auto found = leases_.find(id);
  if (found != leases_.end()) found->second.delivered = true;
}

bool LeaseTable::Renew(LeaseId id, const std::string& worker, TimePoint deadline) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return false;
  LiveLease& lease = found->second;
  if (lease.worker != worker || lease.expiring) return false;
  deadlines_.erase({lease.deadline, id});
  lease.deadline = deadline;
  deadlines_.emplace(deadline, id);
  return true;
}

void LeaseTable::MarkExpiring(LiveLease& lease) {
  lease.expiring = true;
  deadlines_.erase({lease.deadline, lease.id});
}

std::vector<LeaseId> LeaseTable::TakeExpired(TimePoint now) {
  std::vector<LeaseId> expired;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    expired.push_back(deadlines_.begin()->second);
    MarkExpiring(leases_.at(expired.back()));
  }
  return expired;
}

template <class Wanted>
std::vector<LeaseId> LeaseTable::TakeOfWorker(const std::string& worker, Wanted wanted) {
  std::vector<LeaseId> taken;
  const auto holder = of_worker_.find(worker);
  if (holder == of_worker_.end()) return taken;
  for (LeaseId id : holder->second) {
    LiveLease& lease = leases_.at(id);
    if (lease.expiring || !wanted(lease)) continue;
    MarkExpiring(lease);
    taken.push_back(id);
  }
  return taken;
}

std::vector<LeaseId> LeaseTable::TakeOf(const std::string& worker) {
  return TakeOfWorker(worker, [](const LiveLease&) { return true; });
}

std::vector<LeaseId> LeaseTable::TakeAdopted(const std::string& worker,
                                             const std::vector<LeaseId>& named) {
  const std::unordered_set<LeaseId> held(named.begin(), named.end());
  return TakeOfWorker(worker, [&held](const LiveLease& lease) {
    return lease.adopted && !held.contains(lease.id);
  });
}

std::vector<LeaseId> LeaseTable::TakeAll() {
  std::vector<LeaseId> taken;
  for (auto& [id, lease] : leases_) {
    if (lease.expiring) continue;
    MarkExpiring(lease);
    taken.push_back(id);
  }
  return taken;
}

std::set<std::string> LeaseTable::WorkersOf(const std::string& host) const {
  std::set<std::string> workers;
  for (const auto& [id, lease] : leases_) {
    if (lease.host == host) workers.insert(lease.worker);
  }
  return workers;
}

std::uint64_t LeaseTable::urls_of(const std::string& worker) const {
  const auto holder = of_worker_.find(worker);
  if (holder == of_worker_.end()) return 0;
  std::uint64_t urls = 0;
  for (LeaseId id : holder->second) urls += leases_.at(id).urls;
  return urls;
}

}  // namespace trawl

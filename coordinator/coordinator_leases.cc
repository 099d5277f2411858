// How the coordinator makes leases, and takes them back.

#include <algorithm>
#include <utility>

#include "coordinator/coordinator.h"

namespace trawl {
namespace {

constexpr int kLeaseNumberBits = 40;

}  // namespace

void Coordinator::Dispatch(TimePoint now) {
  if (closing_round_ || rows_stalled_) return;
  const auto credit = [this](const Worker* worker) {
    if (!worker) return 0;
    return static_cast<int>(std::min<std::uint64_t>(worker->credit(), PagesAllowed()));
  };
  while (const Worker* worker = workers_.LeastLoaded()) {
    const auto grant = frontier_.Lease(workers_.working(), credit(worker), now);
    if (!grant) break;
    LeaseTo(std::string(worker->name), *grant, now);
  }
  const auto credit_of = [&](const std::string& name) { return credit(workers_.Find(name)); };
  while (const auto grant = frontier_.LeaseToHolder(credit_of, now)) {
    LeaseTo(std::string(frontier_.At(grant->host).holder()), *grant, now);
  }
}

void Coordinator::LeaseTo(const std::string& worker, const Frontier::Grant& grant, TimePoint now) {
  const LeaseId id = (epoch_ << kLeaseNumberBits) | ++lease_number_;
  LiveLease live;
  live.id = id;
  live.worker = worker;
  live.host = grant.host;
  live.depth = grant.depth;
  live.connections = grant.terms.connections;
  live.urls = grant.terms.count;
  live.deadline = now + LeaseLife();
  leases_.Add(std::move(live));
  workers_.Outstanding(worker, grant.terms.count);
  work_.Leased(grant.depth, grant.terms.count);
  frontier_.At(grant.host).HeldBy(worker);
  Do(Apply{
      LeaseStep{id, worker, grant.host, grant.depth, grant.terms.count, grant.terms.connections},
      worker, 0, grant.terms.delay, now + grant.terms.start_after});
}

void Coordinator::ExpireLease(LeaseId id, bool blame) {
  ExpireStep step;
  step.lease = id;
  step.blame = blame;
  ApplyStep(step);
  robots_.Forget(id);
}

void Coordinator::LoseWorker(const std::string& name, bool blame) {
  workers_.Remove(name);
  acks_.erase(name);
  suspects_.erase(name);
  for (LeaseId id : leases_.TakeOf(name)) {
    // What never reached the worker did not take it down.
    ExpireLease(id, blame && leases_.Find(id)->delivered);
  }
}

void Coordinator::ReleaseLease(LeaseId id, const std::string& host, int ended_urls, TimePoint now) {
  const std::string worker = leases_.Find(id)->worker;
  const int released = leases_.End(id, ended_urls);
  const bool over = !leases_.Find(id);
  frontier_.Release(host, released, over);
  if (!over) return;
  robots_.Forget(id);
  SuspectEnded(worker, id, now);
}

void Coordinator::SendSuspect(const std::string& worker, Lease lease, TimePoint now) {
  Suspects& suspects = suspects_[worker];
  suspects.waiting.push_back(std::move(lease));
  if (suspects.sent == 0) SendNextSuspect(worker, now);
}

void Coordinator::SendNextSuspect(const std::string& worker, TimePoint now) {
  Suspects& suspects = suspects_[worker];
  suspects.sent = 0;
  while (!suspects.waiting.empty() && suspects.sent == 0) {
    Lease lease = std::move(suspects.waiting.front());
    suspects.waiting.pop_front();
    // It may have waited for almost as long as it lives.
    if (!leases_.Renew(lease.lease_id, worker, now + LeaseLife())) continue;
    if (frontier_.At(lease.host).IsPaused(now)) {
      ExpireLease(lease.lease_id, false);
      continue;
    }
    suspects.sent = lease.lease_id;
    leases_.MarkDelivered(lease.lease_id);
    SendTo(worker, std::move(lease));
  }
  if (suspects.sent == 0) suspects_.erase(worker);
}

void Coordinator::SuspectEnded(const std::string& worker, LeaseId id, TimePoint now) {
  const auto suspects = suspects_.find(worker);
  if (suspects != suspects_.end() && suspects->second.sent == id) SendNextSuspect(worker, now);
}

/// Those that have not been sent.
void Coordinator::TakeBackSuspects() {
  for (auto& [worker, suspects] : suspects_) {
    for (const Lease& lease : std::exchange(suspects.waiting, {})) {
      const LiveLease* live = leases_.Find(lease.lease_id);
      if (live && !live->expiring) ExpireLease(lease.lease_id, false);
    }
  }
}

}  // namespace trawl

#include "coordinator/frontier.h"

#include <algorithm>

namespace trawl {
namespace {

/// Of a host: one of them that is idle is felt.
constexpr int kFewConnections = 15;

}  // namespace

Frontier::Slot& Frontier::SlotOf(std::string_view host) {
  std::string key(host);
  const auto found = hosts_.find(key);
  if (found != hosts_.end()) return found->second;
  HostQueue queue(key, budget_);
  return hosts_.emplace(std::move(key), Slot(std::move(queue))).first->second;
}

HostQueue& Frontier::At(std::string_view host) { return SlotOf(host).queue; }

int Frontier::GreatestDepth() const {
  return mode_ == RoundMode::kFree ? limits_.depth : std::min(open_depth_, limits_.depth);
}

/// Not the open depth alone: seeds that are added to a job that is resumed wait below it.
int Frontier::NextDepth(const HostQueue& queue) const {
  return queue.LeastDepth(0, GreatestDepth());
}

bool Frontier::MayRunAhead(const Slot& slot) const {
  return limits_.runs_ahead && mode_ == RoundMode::kExact && open_depth_ < limits_.depth &&
         !slot.deferral && !slot.queue.IsInTrouble() && NextDepth(slot.queue) < 0 &&
         slot.queue.waiting(open_depth_ + 1) > 0;
}

void Frontier::MakeReady(Slot& slot) {
  if (!slot.ready && !slot.deferral && NextDepth(slot.queue) >= 0) {
    slot.ready = true;
    ready_.push_back(&slot);
  } else if (!slot.may_be_ahead && MayRunAhead(slot)) {
    slot.may_be_ahead = true;
    (slot.patient_in == open_depth_ ? ahead_ : tails_).push_back(&slot);
  }
}

void Frontier::Count(int depth, std::int64_t change) {
  if ((waiting_[depth] += change) == 0) waiting_.erase(depth);
}

std::uint64_t Frontier::waiting(int depth) const {
  const auto found = waiting_.find(depth);
  return found == waiting_.end() ? 0 : std::max<std::int64_t>(0, found->second);
}

std::uint64_t Frontier::waiting() const {
  std::int64_t total = 0;
  for (const auto& [depth, count] : waiting_) total += std::max<std::int64_t>(0, count);
  return static_cast<std::uint64_t>(total);
}

int Frontier::LeastDepth() const {
  const auto least =
      std::find_if(waiting_.begin(), waiting_.end(), [](const auto& at) { return at.second > 0; });
  return least == waiting_.end() ? -1 : least->first;
}

void Frontier::Add(std::string_view host, int depth, std::uint64_t count) {
  if (count == 0) return;
  Slot& slot = SlotOf(host);
  slot.queue.Add(depth, count);
  Count(depth, static_cast<std::int64_t>(count));
  if (mode_ == RoundMode::kExact && depth > open_depth_ &&
      std::find(slot.later.begin(), slot.later.end(), depth) == slot.later.end()) {
    slot.later.push_back(depth);
    later_[depth].push_back(&slot);
  }
  MakeReady(slot);
}

void Frontier::Move(std::string_view host, int from, int to) {
  At(host).Remove(from, 1);
  Count(from, -1);
  Add(host, to);
}

std::uint64_t Frontier::Missed(std::string_view host, int depth, std::uint64_t count) {
  const std::uint64_t moved = std::min(count, At(host).Owed(depth));
  Add(host, depth, moved);
  return count - moved;
}

void Frontier::Defer(std::string_view host, TimePoint until) {
  Slot& slot = SlotOf(host);
  if (slot.deferral) {
    until = std::max(until, (*slot.deferral)->first);
    deferrals_.erase(*slot.deferral);
  }
  slot.deferral = deferrals_.emplace(until, &slot);
}

std::vector<HostQueue::Waiting> Frontier::TakeWaiting(std::string_view host) {
  std::vector<HostQueue::Waiting> taken = SlotOf(host).queue.TakeWaiting(GreatestDepth());
  for (const auto& [depth, count] : taken) Count(depth, -count);
  return taken;
}

std::vector<std::string> Frontier::HostsInRound() const {
  std::vector<std::string> hosts;
  for (const auto& [host, slot] : hosts_) {
    if (NextDepth(slot.queue) >= 0) hosts.push_back(host);
  }
  return hosts;
}

void Frontier::WakeDeferred(TimePoint now) {
  while (!deferrals_.empty() && deferrals_.begin()->first <= now) {
    Slot& slot = *deferrals_.begin()->second;
    deferrals_.erase(deferrals_.begin());
    slot.deferral.reset();
    MakeReady(slot);
  }
}

/// Hosts whose own round goes on after all come again when it is at its end.
void Frontier::EndPatience(TimePoint now) {
  for (Slot* slot : std::exchange(tails_, {})) {
    patient_.push_back({slot, open_depth_, now + kTailPatience});
  }
  while (!patient_.empty() && patient_.front().until <= now) {
    const Patient patient = patient_.front();
    Slot& slot = *patient.slot;
    patient_.pop_front();
    if (patient.round != open_depth_ || now < slot.last_lease + kTailPatience) {
      patient_.push_back({&slot, open_depth_, now + kTailPatience});
      continue;
    }
    slot.may_be_ahead = false;
    slot.patient_in = open_depth_;
    MakeReady(slot);
  }
}

/// Two leases a worker, so that one is at work while the next is on its way. Where they would have
/// one connection each, one lease of two, which costs half of the messages; not with few
/// connections in all, as one that is free alone waits for another.
int Frontier::Share(int workers) const {
  const int share = std::max(1, budget_.connections / (2 * workers));
  const bool has_two = budget_.connections >= 2 * workers && budget_.connections > kFewConnections;
  return has_two ? std::max(2, share) : share;
}

std::optional<Frontier::Grant> Frontier::Lease(int workers, int most, TimePoint now) {
  if (most <= 0) return std::nullopt;
  WakeDeferred(now);
  EndPatience(now);
  const int share = Share(std::max(1, workers));
  // A host that its budget holds back comes again when a connection is released, and a deferred
  // one when its time has come.
  while (!ready_.empty()) {
    Slot& slot = *ready_.front();
    ready_.pop_front();
    slot.ready = false;
    const int depth = NextDepth(slot.queue);
    if (depth < 0 || slot.deferral) continue;
    if (slot.queue.MayLease(share)) return LeaseOf(slot, depth, share, most, now);
    if (slot.queue.MayLeaseMore()) held_.push_back(&slot);
  }
  while (!ahead_.empty()) {
    Slot& slot = *ahead_.front();
    ahead_.pop_front();
    slot.may_be_ahead = false;
    if (!MayRunAhead(slot) || slot.patient_in != open_depth_) {
      MakeReady(slot);
    } else if (slot.queue.MayLease(share)) {
      return LeaseOf(slot, open_depth_ + 1, share, most, now);
    } else if (slot.queue.MayLeaseMore()) {
      held_.push_back(&slot);
    }
  }
  return std::nullopt;
}

std::optional<Frontier::Grant> Frontier::LeaseToHolder(
    const std::function<int(const std::string& worker)>& credit, TimePoint now) {
  while (!held_.empty()) {
    Slot& slot = *held_.back();
    held_.pop_back();
    int depth = NextDepth(slot.queue);
    if (depth < 0 && MayRunAhead(slot) && slot.patient_in == open_depth_) depth = open_depth_ + 1;
    if (depth < 0 || slot.deferral || !slot.queue.MayLeaseMore()) continue;
    const int most = credit(slot.queue.holder());
    if (most > 0) return LeaseOf(slot, depth, budget_.connections, most, now);
  }
  return std::nullopt;
}

Frontier::Grant Frontier::LeaseOf(Slot& slot, int depth, int share, int most, TimePoint now) {
  if (depth <= open_depth_) {
    slot.last_lease = now;
    slot.patient_in = -1;
  }
  Grant grant{slot.queue.host(), depth, slot.queue.Lease(depth, share, most, now)};
  Count(depth, -static_cast<std::int64_t>(grant.terms.count));
  MakeReady(slot);
  return grant;
}

void Frontier::Release(std::string_view host, int connections, bool ended) {
  Slot& slot = SlotOf(host);
  slot.queue.Release(connections, ended);
  MakeReady(slot);
}

void Frontier::Probed(std::string_view host, milliseconds crawl_delay) {
  Slot& slot = SlotOf(host);
  slot.queue.Probed(crawl_delay);
  MakeReady(slot);
}

void Frontier::OpenRound(int depth) {
  open_depth_ = depth;
  const auto end = later_.upper_bound(depth);
  for (auto round = later_.begin(); round != end; round = later_.erase(round)) {
    for (Slot* slot : round->second) {
      std::erase(slot->later, round->first);
      MakeReady(*slot);
    }
  }
  if (end == later_.end() || end->first != depth + 1) return;
  for (Slot* slot : end->second) MakeReady(*slot);
}

}  // namespace trawl

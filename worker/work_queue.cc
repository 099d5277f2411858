#include "worker/work_queue.h"

#include <algorithm>
#include <utility>

namespace trawl {

int WorkQueue::Connections(const Host& host) {
  int connections = 0;
  for (const auto& [id, grant] : host.leases) {
    connections += std::min(grant.connections, grant.urls);
  }
  return connections;
}

void WorkQueue::Settle(Hosts::iterator host) {
  Host& state = host->second;
  const bool sending = state.unsent > 0 && state.delay > milliseconds(0);
  const bool can_start =
      !state.waiting.empty() && !state.held && !sending && state.requests < Connections(state);
  if (can_start && state.listed && (*state.listed)->first == state.next_start) return;
  if (state.listed) starts_.erase(*std::exchange(state.listed, std::nullopt));
  if (can_start) {
    state.listed = starts_.emplace(state.next_start, host->first).first;
  } else if (state.waiting.empty() && state.leases.empty() && state.requests == 0 &&
             state.taken == 0 && !state.held) {
    // The coordinator remembers when the host may be asked again.
    hosts_.erase(host);
  }
}

void WorkQueue::LengthenDelay(Host& host, milliseconds delay) {
  host.delay = std::max(host.delay, delay);
  if (host.requested) host.next_start = std::max(host.next_start, host.last_start + host.delay);
}

void WorkQueue::Add(const Lease& lease, TimePoint now) {
  if (lease.entries.empty() || Holds(lease.lease_id)) return;
  const auto host = hosts_.try_emplace(lease.host).first;
  Host& state = host->second;
  LengthenDelay(state, lease.delay);
  state.next_start = std::max(state.next_start, now + lease.start_after);
  const int urls = static_cast<int>(lease.entries.size());
  state.leases[lease.lease_id] = {lease.connections, urls};
  hosts_of_[lease.lease_id] = lease.host;
  for (int i = 0; i < urls; ++i) {
    state.waiting.push_back({lease.lease_id, i, lease.depth, lease.host, lease.entries[i]});
  }
  waiting_ += urls;
  Settle(host);
}

const WorkItem* WorkQueue::Next(TimePoint now) const {
  if (starts_.empty() || starts_.begin()->first > now) return nullptr;
  return &First()->second.waiting.front();
}

std::optional<TimePoint> WorkQueue::NextStart() const {
  if (starts_.empty()) return std::nullopt;
  return starts_.begin()->first;
}

WorkItem WorkQueue::Take() {
  const auto host = First();
  WorkItem item = std::move(host->second.waiting.front());
  host->second.waiting.pop_front();
  ++host->second.taken;
  --waiting_;
  Settle(host);
  return item;
}

void WorkQueue::EndUrls(Host& host, std::uint64_t lease, int count) {
  const auto grant = host.leases.find(lease);
  if (grant == host.leases.end()) return;
  grant->second.urls -= count;
  if (grant->second.urls > 0) return;
  host.leases.erase(grant);
  hosts_of_.erase(lease);
}

void WorkQueue::Ended(const WorkItem& item) {
  const auto host = hosts_.find(item.host);
  if (host == hosts_.end()) return;
  --host->second.taken;
  EndUrls(host->second, item.lease, 1);
  Settle(host);
}

void WorkQueue::RequestStarted(const std::string& name, TimePoint now) {
  const auto host = hosts_.find(name);
  if (host == hosts_.end()) return;
  host->second.last_start = now;
  host->second.requested = true;
  host->second.next_start = now + host->second.delay;
  ++host->second.requests;
  ++host->second.unsent;
  Settle(host);
}

void WorkQueue::RequestSent(const std::string& name, TimePoint now, bool again) {
  const auto host = hosts_.find(name);
  if (host == hosts_.end()) return;
  Host& state = host->second;
  state.last_start = now;
  state.next_start = now + state.delay;
  if (!again) --state.unsent;
  Settle(host);
}

void WorkQueue::RequestEnded(const std::string& name, bool sent) {
  const auto host = hosts_.find(name);
  if (host == hosts_.end()) return;
  --host->second.requests;
  if (!sent) --host->second.unsent;
  Settle(host);
}

milliseconds WorkQueue::SinceRequest(const std::string& name, TimePoint now) const {
  const auto host = hosts_.find(name);
  if (host == hosts_.end() || !host->second.requested) return milliseconds(0);
  return std::chrono::ceil<milliseconds>(now - host->second.last_start);
}

milliseconds WorkQueue::Delay(const std::string& name) const {
  const auto host = hosts_.find(name);
  return host == hosts_.end() ? milliseconds(0) : host->second.delay;
}

void WorkQueue::Hold(const std::string& name) {
  const auto host = hosts_.find(name);
  if (host == hosts_.end()) return;
  host->second.held = true;
  Settle(host);
}

void WorkQueue::Unhold(const std::string& name, milliseconds crawl_delay) {
  const auto host = hosts_.find(name);
  if (host == hosts_.end()) return;
  Host& state = host->second;
  state.held = false;
  LengthenDelay(state, crawl_delay);
  Settle(host);
}

void WorkQueue::Slow(const std::string& name, milliseconds crawl_delay) {
  const auto host = hosts_.find(name);
  if (host == hosts_.end()) return;
  LengthenDelay(host->second, crawl_delay);
  Settle(host);
}

void WorkQueue::DropLease(std::uint64_t lease) {
  const auto found = hosts_of_.find(lease);
  if (found == hosts_of_.end()) return;
  const auto host = hosts_.find(found->second);
  waiting_ -= std::erase_if(host->second.waiting,
                            [&](const WorkItem& item) { return item.lease == lease; });
  host->second.leases.erase(lease);
  hosts_of_.erase(found);
  Settle(host);
}

void WorkQueue::TakeWaiting(Hosts::iterator host, std::vector<WorkItem>& taken) {
  for (WorkItem& item : std::exchange(host->second.waiting, {})) {
    EndUrls(host->second, item.lease, 1);
    taken.push_back(std::move(item));
    --waiting_;
  }
  Settle(host);
}

bool WorkQueue::HoldsHost(const std::string& name) const {
  const auto host = hosts_.find(name);
  return host != hosts_.end() && !host->second.leases.empty();
}

std::vector<WorkItem> WorkQueue::TakeAll() {
  std::vector<WorkItem> all;
  for (auto host = hosts_.begin(); host != hosts_.end();) {
    TakeWaiting(host++, all);  // which may forget the host
  }
  return all;
}

std::vector<WorkItem> WorkQueue::TakeHost(const std::string& name) {
  std::vector<WorkItem> taken;
  const auto host = hosts_.find(name);
  if (host != hosts_.end()) TakeWaiting(host, taken);
  return taken;
}

std::vector<std::uint64_t> WorkQueue::leases() const {
  std::vector<std::uint64_t> ids;
  ids.reserve(hosts_of_.size());
  for (const auto& [id, host] : hosts_of_) ids.push_back(id);
  return ids;
}

}  // namespace trawl

#include "coordinator/host_queue.h"

#include <algorithm>

namespace trawl {
namespace {

/// How long a polite lease should last: short enough that a host moves soon to another worker when
/// its own is lost, long enough that the coordinator is seldom asked.
constexpr milliseconds kPoliteLease{5'000};
constexpr int kMostPoliteUrls = 64;
/// URLs for each connection of a lease without delay.
constexpr int kUrlsPerConnection = 8;
constexpr int kMostUrls = 1'000;
/// Of a host that is overloaded: the first pause, and the longest that doubling leads to.
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause = std::chrono::minutes(5);

}  // namespace

std::int64_t HostQueue::CountAt(int depth) const {
  for (const Waiting& at : waiting_) {
    if (at.depth == depth) return at.count;
  }
  return 0;
}

std::uint64_t HostQueue::waiting(int depth) const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, CountAt(depth)));
}

std::uint64_t HostQueue::Owed(int depth) const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, -CountAt(depth)));
}

int HostQueue::LeastDepth(int from, int to) const {
  for (const Waiting& at : waiting_) {
    if (at.depth >= from && at.count > 0) return at.depth <= to ? at.depth : -1;
  }
  return -1;
}

void HostQueue::Count(int depth, std::int64_t change) {
  if (change == 0) return;
  const auto place =
      std::lower_bound(waiting_.begin(), waiting_.end(), depth,
                       [](const Waiting& at, int wanted) { return at.depth < wanted; });
  if (place == waiting_.end() || place->depth != depth) {
    waiting_.insert(place, {depth, change});
  } else if ((place->count += change) == 0) {
    waiting_.erase(place);
  }
}

void HostQueue::Add(int depth, std::uint64_t count) {
  Count(depth, static_cast<std::int64_t>(count));
}

void HostQueue::Remove(int depth, std::uint64_t count) {
  Count(depth, -static_cast<std::int64_t>(count));
}

std::vector<HostQueue::Waiting> HostQueue::TakeWaiting(int depth) {
  std::vector<Waiting> taken;
  std::erase_if(waiting_, [&](const Waiting& at) {
    if (at.depth > depth || at.count < 0) return false;
    taken.push_back(at);
    return true;
  });
  return taken;
}

bool HostQueue::MayLease(int share) const {
  if (leases_ == 0) return true;
  if (!probed_ || pauses_ > 0 || delay() > milliseconds(0)) return false;
  return connections_out_ + std::min(share, budget_.connections) <= budget_.connections;
}

bool HostQueue::MayLeaseMore() const {
  return probed_ && pauses_ == 0 && delay() > milliseconds(0) && !holder_.empty() &&
         connections_out_ < budget_.connections;
}

void HostQueue::HeldBy(const std::string& worker) {
  if (leases_ == 1) {
    holder_ = worker;
  } else if (holder_ != worker) {
    holder_.clear();
  }
}

HostQueue::Grant HostQueue::Lease(int depth, int share, int most, TimePoint now) {
  Grant grant;
  grant.delay = delay();
  if (next_start_ > now) {
    grant.start_after = std::chrono::ceil<milliseconds>(next_start_ - now);
  }
  int urls = 0;
  if (!probed_ || pauses_ > 0) {
    grant.connections = 1;
    urls = 1;
  } else if (delay() > milliseconds(0)) {
    grant.connections = budget_.connections - connections_out_;
    urls = static_cast<int>(std::clamp<std::int64_t>(kPoliteLease / delay(), 1, kMostPoliteUrls));
  } else {
    const int free = budget_.connections - connections_out_;
    grant.connections = std::min(share, free);
    // When little waits, it is spread over all connections that are free.
    const int share_of_waiting = static_cast<int>(
        std::min<std::uint64_t>((waiting(depth) * grant.connections + free - 1) / free, kMostUrls));
    urls = std::min(std::max(share_of_waiting, grant.connections),
                    std::min(grant.connections * kUrlsPerConnection, kMostUrls));
  }
  grant.count = static_cast<int>(std::min<std::uint64_t>(std::min(urls, most), waiting(depth)));
  grant.connections = std::min(grant.connections, grant.count);
  Remove(depth, grant.count);
  Adopt(grant.connections);
  return grant;
}

void HostQueue::Adopt(int connections) {
  ++leases_;
  connections_out_ += connections;
}

void HostQueue::Release(int connections, bool ended) {
  connections_out_ -= connections;
  if (ended && --leases_ == 0) holder_.clear();
}

void HostQueue::Requested(TimePoint start) { next_start_ = std::max(next_start_, start + delay()); }

milliseconds HostQueue::BackOff(milliseconds asked, TimePoint now) {
  // Requests that were under way when it began to complain say the same again.
  const bool again = now < paused_until_;
  milliseconds pause{0};
  if (again) {
    pause = std::chrono::ceil<milliseconds>(paused_until_ - now);
  } else {
    pause = kFirstPause;
    for (int i = 0; i < pauses_ && pause < kLongestPause; ++i) pause *= 2;
    pause = std::min(pause, kLongestPause);
    ++pauses_;
  }
  pause = std::max(pause, asked);
  paused_until_ = std::max(paused_until_, now + pause);
  return pause;
}

milliseconds HostQueue::Unanswered(Fingerprint url, TimePoint now) {
  if (pauses_ == 0) {
    if (std::find(silent_.begin(), silent_.end(), url) == silent_.end()) silent_.push_back(url);
    if (silent_.size() < kSilencesBeforePause) return milliseconds(0);
  }
  return BackOff(milliseconds(0), now);
}

void HostQueue::Throttle(milliseconds latency, bool good) {
  const milliseconds now = delay();
  const milliseconds wanted = std::clamp(std::max(latency, (now + latency) / 2), budget_.delay,
                                         std::max(budget_.delay, kLongestThrottle));
  if (wanted > now || good) throttle_ = wanted;
}

void HostQueue::Probed(milliseconds crawl_delay) {
  probed_ = true;
  budget_.delay = std::max(budget_.delay, crawl_delay);
}

}  // namespace trawl

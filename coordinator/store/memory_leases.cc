// How URLs are leased from the job of a MemoryStore, and how they leave their leases.

#include <algorithm>
#include <utility>

#include "coordinator/store/memory_job.h"

namespace trawl {

Result<Reply> MemoryStore::Job::Apply(const LeaseStep& step) {
  LeaseReply reply;
  auto at = leases.find(step.id);
  if (at == leases.end()) {
    if (step.depth > open_depth + 1) return Error::kStepRefused;
    const auto queue = queues.find({step.depth, step.host});
    if (queue == queues.end() || step.count <= 0) return Reply(std::move(reply));
    Lease lease{step.worker, step.host, step.depth, step.connections, {}};
    for (int index = 0; index < step.count && !queue->second.empty(); ++index) {
      const bool is_last_life = queue->second.front().losses >= kMaxLosses - 1;
      if (index > 0 && (is_last_life || lease.entries.at(0).losses >= kMaxLosses - 1)) {
        reply.left = std::min<int>(step.count - index, static_cast<int>(queue->second.size()));
        break;
      }
      FrontierEntry& entry = queue->second.front();
      if (step.depth > open_depth) {
        waiting[step.depth].erase(FingerprintOf(entry.url));
        ahead[entry.url] = {};
      }
      lease.entries.emplace(index, std::move(entry));
      queue->second.pop_front();
    }
    if (queue->second.empty()) queues.erase(queue);
    stats["leased"] += lease.entries.size();
    Round(step.depth).leased += lease.entries.size();
    at = leases.emplace(step.id, std::move(lease)).first;
  }
  for (const auto& [index, entry] : at->second.entries) reply.entries.push_back(entry);
  return Reply(std::move(reply));
}

Result<Reply> MemoryStore::Job::Apply(const AcceptStep& step) {
  const Ending* ending = step.ending ? &*step.ending : nullptr;
  if (!AreSound(step.links) || !AreSound(step.sitemaps) || !AreSound(step.beyond)) {
    return Error::kStepRefused;
  }
  if (ending && ending->target && !IsSound(*ending->target)) return Error::kStepRefused;

  AcceptReply reply;
  const auto at = leases.find(step.lease);
  if (at == leases.end() || !at->second.entries.contains(step.index)) {
    if (ending) ++stats["reports_refused"];
    return Reply(std::move(reply));
  }
  Lease& lease = at->second;
  const FrontierEntry& entry = lease.entries.at(step.index);
  if (step.pause > milliseconds(0)) {
    WallTime& until = paused[lease.host];
    until = std::max(until, step.now + step.pause);
  }
  if (moving.contains(entry.url)) {
    if (ending) reply.moved_to = EndMoved(step, lease);
    if (lease.entries.empty()) leases.erase(at);
    return Reply(std::move(reply));
  }
  reply.accepted = true;
  for (const auto& [word, count] : step.drops) stats["dropped:" + word] += count;
  const int depth = step.DepthOfLinks(lease.depth);
  for (const auto& [fingerprint, url] : step.sitemaps) {
    reply.sitemaps.push_back(Admit(
        depth, fingerprint, {.url = url, .referrer = entry.referrer, .sitemap = entry.sitemap + 1},
        step.domains));
  }
  reply.links.reserve(step.links.size());
  for (const auto& [fingerprint, url] : step.links) {
    reply.links.push_back(
        Admit(depth, fingerprint, {.url = url, .referrer = entry.url}, step.domains));
  }
  PostBeyond(depth, step.beyond, entry.url);
  if (ending) {
    reply.target = End(step, lease, entry);
    lease.entries.erase(step.index);
    if (lease.entries.empty()) leases.erase(at);
  }
  return Reply(std::move(reply));
}

/// Puts a URL that has moved meanwhile where it waits from now on, and returns that depth.
int MemoryStore::Job::EndMoved(const AcceptStep& step, Lease& lease) {
  const FrontierEntry entry = lease.entries.extract(step.index).mapped();
  const auto [depth, moved] = TakeMoving(lease, entry);
  --stats["leased"];
  --Round(depth).leased;
  Refuse(step.lease, step.index);
  PutBack(depth, moved);
  return depth;
}

/// The depth and the entry with which a leased URL goes on: those of its lease, unless it has moved
/// meanwhile.
MemoryStore::Job::Moving MemoryStore::Job::TakeMoving(const Lease& lease,
                                                      const FrontierEntry& entry) {
  auto moved = moving.extract(entry.url);
  if (!moved) return {lease.depth, entry};
  moved.mapped().entry.losses = entry.losses;
  return std::move(moved.mapped());
}

/// Counts how a leased URL ends and puts it, or the redirect's target, where it belongs.
std::optional<Admission> MemoryStore::Job::End(const AcceptStep& step, const Lease& lease,
                                               const FrontierEntry& entry) {
  const Ending& ending = *step.ending;
  std::optional<Admission> target;
  Ahead became;
  --stats["leased"];
  --Round(lease.depth).leased;
  if (ending.kind != Ending::Kind::kReturned && ending.kind != Ending::Kind::kRetried) {
    stats["bytes"] += ending.body_bytes;
    stats["links"] += ending.links;
  }
  switch (ending.kind) {
    case Ending::Kind::kFetched:
      ++stats["fetched"];
      ++Round(lease.depth).fetched;
      became.state = Admission::Was::kFetched;
      became.lease = step.lease;
      became.index = step.index;
      became.bytes = ending.body_bytes;
      became.links = ending.links;
      break;
    case Ending::Kind::kRedirected: {
      ++stats["redirected"];
      ++Round(lease.depth).redirected;
      CountPage(entry, -1);
      std::string outcome = ending.refusal;
      if (ending.target) {
        target = Admit(lease.depth, ending.target->fingerprint,
                       {.url = ending.target->url,
                        .referrer = entry.referrer,
                        .hops = ending.target_hops,
                        .sitemap = entry.sitemap},
                       step.domains);
        outcome = DropWord(target->kind);
        if (outcome.empty()) {
          outcome = target->kind == Admission::Kind::kSeen ? "seen" : "admitted";
        }
      }
      became.state = Admission::Was::kRedirected;
      became.item = Post("redirected " + outcome + ' ' + ending.row);
      break;
    }
    case Ending::Kind::kFailed:
      Fail(lease.depth, entry, ending.reason, "failed " + ending.row);
      return target;
    case Ending::Kind::kRetried: {
      FrontierEntry next = entry;
      ++next.attempt;
      delayed.emplace(step.now + ending.delay, std::pair(lease.depth, std::move(next)));
      ++stats["retries"];
      ++stats["delayed"];
      ++Round(lease.depth).delayed;
      became.state = Admission::Was::kDelayed;
      break;
    }
    case Ending::Kind::kReturned:
      PutBack(lease.depth, entry);
      Refuse(step.lease, step.index);
      return target;
  }
  if (lease.depth > open_depth) ahead[entry.url] = std::move(became);
  return target;
}

/// `item`: of the outbox, its row.
void MemoryStore::Job::Fail(int depth, const FrontierEntry& entry, Error reason, std::string item) {
  CountPage(entry, -1);
  ++stats["failed"];
  ++stats["failed:" + std::string(ReasonWord(reason))];
  ++Round(depth).failed;
  const std::uint64_t number = Post(std::move(item));
  if (depth > open_depth) {
    ahead[entry.url] = {.state = Admission::Was::kFailed, .item = number, .reason = reason};
  }
}

void MemoryStore::Job::GiveUp(int depth, const FrontierEntry& entry, Error reason) {
  Fail(depth, entry, reason,
       "given_up " + std::string(ReasonWord(reason)) + ' ' + std::to_string(depth) + ' ' +
           entry.Text());
}

Result<Reply> MemoryStore::Job::Apply(const WakeStep& step) {
  std::erase_if(paused, [&](const auto& host) { return host.second <= step.now; });
  std::vector<std::pair<int, FrontierEntry>> due;
  while (!delayed.empty() && (step.all || delayed.begin()->first <= step.now) &&
         due.size() < static_cast<std::size_t>(step.limit)) {
    due.push_back(std::move(delayed.begin()->second));
    delayed.erase(delayed.begin());
  }
  std::map<std::pair<std::string, int>, std::uint64_t> woken;
  for (auto url = due.rbegin(); url != due.rend(); ++url) {
    auto& [depth, entry] = *url;
    const std::string host(HostOf(entry.url));
    ++woken[{host, depth}];
    --stats["delayed"];
    --Round(depth).delayed;
    PutBack(depth, std::move(entry));
  }
  WakeReply reply;
  for (const auto& [queue, count] : woken) {
    reply.queues.push_back({queue.first, queue.second, count});
  }
  if (!delayed.empty()) reply.next = delayed.begin()->first;
  return Reply(std::move(reply));
}

Result<Reply> MemoryStore::Job::Apply(const ExpireStep& step) {
  ExpireReply reply;
  const auto at = leases.find(step.lease);
  if (at == leases.end()) return Reply(reply);
  Lease& lease = at->second;
  if (step.blame) ++stats["leases_expired"];

  std::vector<Moving> returned;
  for (auto& [index, leased] : lease.entries) {
    if (step.blame) ++leased.losses;
    const bool has_moved = moving.contains(leased.url);
    Moving url = TakeMoving(lease, leased);
    const bool gives_up = step.blame && url.entry.losses >= kMaxLosses;
    --stats["leased"];
    --Round(url.depth).leased;
    Refuse(step.lease, index);
    if (has_moved) {
      reply.moved.push_back({url.depth, gives_up});
    } else {
      ++(gives_up ? reply.given_up : reply.returned);
    }
    if (gives_up) {
      GiveUp(url.depth, url.entry, Error::kWorkerLost);
    } else {
      returned.push_back(std::move(url));
    }
  }
  for (auto url = returned.rbegin(); url != returned.rend(); ++url) {
    PutBack(url->depth, std::move(url->entry));
  }
  leases.erase(at);
  return Reply(reply);
}

Result<Reply> MemoryStore::Job::Apply(const GiveUpStep& step) {
  if (step.depth > open_depth) return Error::kStepRefused;
  GiveUpReply reply;
  const auto queue = queues.find({step.depth, step.host});
  if (queue == queues.end()) return Reply(reply);
  for (; reply.given_up < step.count && !queue->second.empty(); ++reply.given_up) {
    const FrontierEntry entry = std::move(queue->second.front());
    queue->second.pop_front();
    GiveUp(step.depth, entry, step.reason);
  }
  if (queue->second.empty()) queues.erase(queue);
  return Reply(reply);
}

}  // namespace trawl

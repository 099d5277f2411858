#include "coordinator/store/memory_job.h"

#include <algorithm>

namespace trawl {

std::map<std::string, std::uint64_t> MemoryStore::Job::NewStats() {
  return {{"admitted", 0}, {"fetched", 0},         {"redirected", 0}, {"failed", 0},
          {"bytes", 0},    {"links", 0},           {"retries", 0},    {"leases_expired", 0},
          {"leased", 0},   {"reports_refused", 0}, {"moved", 0},      {"delayed", 0}};
}

std::string_view MemoryStore::Job::HostOf(std::string_view url) {
  const std::string_view scheme = url.starts_with("https://")  ? "https://"
                                  : url.starts_with("http://") ? "http://"
                                                               : "";
  if (scheme.empty() || url.find(' ') != url.npos) return {};
  const std::string_view rest = url.substr(scheme.size());
  return rest.substr(0, rest.find_first_of("/?"));
}

bool MemoryStore::Job::AreSound(const std::vector<Candidate>& candidates) {
  return std::all_of(candidates.begin(), candidates.end(), IsSound);
}

RoundCounts& MemoryStore::Job::Round(int depth) {
  if (rounds.size() <= static_cast<std::size_t>(depth)) rounds.resize(depth + 1);
  return rounds[depth];
}

/// Returns the item's number.
std::uint64_t MemoryStore::Job::Post(std::string item) {
  outbox.push_back(std::move(item));
  return outbox_first + outbox.size() - 1;
}

void MemoryStore::Job::Refuse(LeaseId id, int index) {
  Post("refused " + std::to_string(id) + ' ' + std::to_string(index));
}

Result<Reply> MemoryStore::Job::Apply(const SetLimitsStep& step) {
  limits = step;
  return Reply(SetLimitsReply());
}

Result<Reply> MemoryStore::Job::Apply(const OpenRoundStep& step) {
  if (step.depth > open_depth) {
    open_depth = step.depth;
    waiting.erase(waiting.begin(), waiting.upper_bound(open_depth));
    ahead.clear();
    beyond.erase(beyond.begin(), beyond.upper_bound(open_depth));
  }
  return Reply(OpenRoundReply());
}

Result<Reply> MemoryStore::Job::Apply(const SaveJobStep& step) {
  for (const auto& [name, value] : step.fields) fields[name] = value;
  return Reply(SaveJobReply());
}

Result<Reply> MemoryStore::Job::Apply(const SaveWorkersStep& step) {
  workers = step.workers;
  return Reply(SaveWorkersReply());
}

Result<Reply> MemoryStore::Job::Apply(const ReadControlStep&) {
  return Reply(ReadControlReply{control});
}

Result<Reply> MemoryStore::Job::Apply(const ReadOutboxStep& step) {
  while (outbox_first < step.read && !outbox.empty()) {
    outbox.pop_front();
    ++outbox_first;
  }
  const std::size_t limit = std::max(step.limit, 0);
  ReadOutboxReply reply{outbox_first, {}};
  reply.items.assign(outbox.begin(), outbox.begin() + std::min(limit, outbox.size()));
  return Reply(std::move(reply));
}

Result<Reply> MemoryStore::Job::Apply(const ReadRobotsStep& step) {
  ReadRobotsReply reply;
  const auto found = robots.find(step.origin);
  if (found != robots.end() && found->second.expires > step.now) reply.record = found->second;
  return Reply(std::move(reply));
}

Result<Reply> MemoryStore::Job::Apply(const KeepRobotsStep& step) {
  robots.insert_or_assign(step.origin, step.record);
  return Reply(KeepRobotsReply());
}

int MemoryStore::Job::DepthOf(const Lease& lease, const FrontierEntry& entry) const {
  const auto moved = moving.find(entry.url);
  return moved == moving.end() ? lease.depth : moved->second.depth;
}

std::string MemoryStore::Job::Imbalance() const {
  std::vector<std::uint64_t> there(rounds.size());
  std::unordered_set<std::string_view> urls;
  std::string twice;
  const auto take = [&](int depth, const FrontierEntry& entry) {
    ++there.at(depth);
    if (!urls.insert(entry.url).second) twice = entry.url;
  };
  for (const auto& [place, queue] : queues) {
    for (const FrontierEntry& entry : queue) take(place.first, entry);
  }
  for (const auto& [id, lease] : leases) {
    for (const auto& [index, entry] : lease.entries) take(DepthOf(lease, entry), entry);
  }
  for (const auto& [time, url] : delayed) take(url.first, url.second);
  if (!twice.empty()) return twice + " is in two places";
  std::uint64_t admitted = 0;
  for (std::size_t depth = 0; depth < rounds.size(); ++depth) {
    const RoundCounts& round = rounds[depth];
    admitted += round.admitted;
    if (round.admitted == there[depth] + round.fetched + round.redirected + round.failed) continue;
    return "depth " + std::to_string(depth) + " has " + std::to_string(round.admitted) +
           " admitted URLs, but " + std::to_string(there[depth]) + " in places and " +
           std::to_string(round.fetched + round.redirected + round.failed) + " that ended";
  }
  if (admitted == seen.size()) return "";
  return std::to_string(admitted) + " admitted URLs, but " + std::to_string(seen.size()) + " seen";
}

Snapshot MemoryStore::Job::Describe() const {
  Snapshot snapshot;
  snapshot.job = fields;
  snapshot.stats = stats;
  snapshot.epoch = epoch;
  snapshot.open_depth = open_depth;
  snapshot.rounds = rounds;
  snapshot.paused = paused;
  for (const auto& [place, queue] : queues) {
    snapshot.queues.push_back({place.second, place.first, queue.size()});
  }
  for (const auto& [id, lease] : leases) {
    Snapshot::Lease& told = snapshot.leases.emplace_back();
    told = {id, lease.worker, lease.host, lease.depth, lease.connections, {}};
    for (const auto& [index, entry] : lease.entries) told.indexes.push_back(index);
  }
  return snapshot;
}

}  // namespace trawl

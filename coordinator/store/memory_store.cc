#include "coordinator/store/memory_store.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <list>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace trawl {
namespace {

/// The authority of a URL; empty when the text cannot be one (no scheme, a blank inside).
std::string_view HostOf(std::string_view url) {
  const std::string_view scheme = url.starts_with("https://")  ? "https://"
                                  : url.starts_with("http://") ? "http://"
                                                               : "";
  if (scheme.empty() || url.find(' ') != url.npos) return {};
  const std::string_view rest = url.substr(scheme.size());
  return rest.substr(0, rest.find_first_of("/?"));
}

bool IsSound(const Candidate& candidate) { return !HostOf(candidate.url).empty(); }

bool AreSound(const std::vector<Candidate>& candidates) {
  return std::all_of(candidates.begin(), candidates.end(), IsSound);
}

std::map<std::string, std::uint64_t> NewStats() {
  return {{"admitted", 0}, {"fetched", 0},         {"redirected", 0}, {"failed", 0},
          {"bytes", 0},    {"links", 0},           {"retries", 0},    {"leases_expired", 0},
          {"leased", 0},   {"reports_refused", 0}, {"moved", 0},      {"delayed", 0}};
}

}  // namespace

struct MemoryStore::Job {
  using Queue = std::list<FrontierEntry>;
  using Queues = std::map<std::pair<int, std::string>, Queue>;  // (depth, host); none is empty
  struct Place {
    Queues::iterator queue;
    Queue::iterator entry;
  };
  struct Lease {
    std::string worker;
    std::string host;
    int depth = 0;
    int connections = 0;
    std::map<int, FrontierEntry> entries;  // never empty
  };
  /// What has become of a URL that was leased ahead, while it is not back in its queue.
  struct Ahead {
    Admission::Was state = Admission::Was::kLeased;
    std::uint64_t item = 0;  // kRedirected and kFailed: the outbox item of its row
    Error reason = Error::kHttpStatus;
    LeaseId lease = 0;  // kFetched, and what its page counted
    int index = 0;
    std::uint64_t bytes = 0;
    std::uint64_t links = 0;
  };
  /// Where a URL that has moved while it was leased is to wait, and as what.
  struct Moving {
    int depth = 0;
    FrontierEntry entry;
  };

  std::uint64_t epoch = 0;
  std::map<std::string, std::string> fields;
  std::map<std::string, std::uint64_t> stats = NewStats();
  std::map<std::string, std::string> workers;
  std::string control;
  std::uint64_t outbox_first = 0;
  std::deque<std::string> outbox;
  std::unordered_map<std::string, RobotsRecord> robots;  // by origin

  int open_depth = 0;
  std::vector<RoundCounts> rounds{1};
  std::unordered_set<Fingerprint> seen;
  std::map<int, std::unordered_set<Fingerprint>> beyond;  // depths above open_depth only
  SetLimitsStep limits;
  std::unordered_map<std::string, std::int64_t> pages_of_host;  // of each that was ever admitted
  std::unordered_map<std::string, std::uint64_t> hosts_of_domain;
  Queues queues;
  std::map<int, std::unordered_map<Fingerprint, Place>> waiting;  // depths above open_depth only
  std::unordered_map<std::string, Ahead> ahead;                   // by URL; of open_depth + 1
  std::unordered_map<std::string, Moving> moving;                 // by URL
  std::map<LeaseId, Lease> leases;
  std::multimap<WallTime, std::pair<int, FrontierEntry>> delayed;  // by due time; with its depth
  std::map<std::string, WallTime> paused;                          // host -> until

  Result<Reply> Apply(const AdmitStep& step);
  Result<Reply> Apply(const LeaseStep& step);
  Result<Reply> Apply(const AcceptStep& step);
  Result<Reply> Apply(const WakeStep& step);
  Result<Reply> Apply(const ExpireStep& step);
  Result<Reply> Apply(const GiveUpStep& step);
  Result<Reply> Apply(const SetLimitsStep& step);
  Result<Reply> Apply(const OpenRoundStep& step);
  Result<Reply> Apply(const SaveJobStep& step);
  Result<Reply> Apply(const SaveWorkersStep& step);
  Result<Reply> Apply(const ReadControlStep& step);
  Result<Reply> Apply(const ReadOutboxStep& step);
  Result<Reply> Apply(const ReadRobotsStep& step);
  Result<Reply> Apply(const KeepRobotsStep& step);

  RoundCounts& Round(int depth);
  Admission Admit(int depth, Fingerprint fingerprint, FrontierEntry entry, const Domains& domains);
  Admission::Kind AdmitToHost(const FrontierEntry& entry, const Domains& domains);
  void CountPage(const FrontierEntry& entry, int change);
  void Push(int depth, Fingerprint fingerprint, FrontierEntry entry);
  void PutBack(int depth, FrontierEntry entry);
  int TakeWaiting(Fingerprint fingerprint, int depth);
  bool TakeBack(FrontierEntry& entry, int depth, Admission& admission);
  int DepthOf(const Lease& lease, const FrontierEntry& entry) const;
  Moving TakeMoving(const Lease& lease, const FrontierEntry& entry);
  int EndMoved(const AcceptStep& step, Lease& lease);
  std::optional<Admission> End(const AcceptStep& step, const Lease& lease,
                               const FrontierEntry& entry);
  void Fail(int depth, const FrontierEntry& entry, Error reason, std::string item);
  void PostBeyond(int depth, const std::vector<Candidate>& links, const std::string& referrer);
  void GiveUp(int depth, const FrontierEntry& entry, Error reason);
  std::uint64_t Post(std::string item);
  void Refuse(LeaseId id, int index);
  Snapshot Describe() const;
  std::string Imbalance() const;
};

RoundCounts& MemoryStore::Job::Round(int depth) {
  if (rounds.size() <= static_cast<std::size_t>(depth)) rounds.resize(depth + 1);
  return rounds[depth];
}

// ---- Admission ----

Admission MemoryStore::Job::Admit(int depth, Fingerprint fingerprint, FrontierEntry entry,
                                  const Domains& domains) {
  Admission admission;
  if (!seen.contains(fingerprint)) {
    admission.kind = AdmitToHost(entry, domains);
    if (admission.kind != Admission::Kind::kAdmitted) return admission;
    seen.insert(fingerprint);
    ++stats["admitted"];
  } else {
    admission.moved_from = TakeWaiting(fingerprint, depth);
    if (admission.moved_from == 0 && !TakeBack(entry, depth, admission)) return admission;
    admission.kind = Admission::Kind::kMoved;
    --Round(admission.moved_from).admitted;
    ++stats["moved"];
    // What was at a depth that is not open is no sitemap: those are found at open ones.
    if (entry.sitemap > 0) --pages_of_host[std::string(HostOf(entry.url))];
  }
  ++Round(depth).admitted;
  if (admission.was == Admission::Was::kLeased) return admission;  // it waits later
  Push(depth, fingerprint, std::move(entry));
  return admission;
}

/// Counts a new URL for its host, unless a limit drops it.
Admission::Kind MemoryStore::Job::AdmitToHost(const FrontierEntry& entry, const Domains& domains) {
  const std::string host(HostOf(entry.url));
  const bool is_page = entry.sitemap == 0;
  const auto known = pages_of_host.find(host);
  const std::int64_t pages = known == pages_of_host.end() ? 0 : known->second;
  Admission::Kind kind = Admission::Kind::kAdmitted;
  const auto domain = domains.find(host);
  if (is_page && limits.pages_per_host > 0 &&
      pages >= static_cast<std::int64_t>(limits.pages_per_host)) {
    kind = Admission::Kind::kHostFull;
  } else if (known == pages_of_host.end() && domain != domains.end() &&
             limits.hosts_per_domain > 0) {
    std::uint64_t& hosts = hosts_of_domain[domain->second];
    if (hosts >= limits.hosts_per_domain) {
      kind = Admission::Kind::kDomainFull;
    } else {
      ++hosts;
    }
  }
  if (kind == Admission::Kind::kAdmitted) {
    pages_of_host[host] += is_page ? 1 : 0;
  } else {
    ++stats["dropped:" + std::string(DropWord(kind))];
  }
  return kind;
}

void MemoryStore::Job::CountPage(const FrontierEntry& entry, int change) {
  if (entry.sitemap == 0) pages_of_host[std::string(HostOf(entry.url))] += change;
}

void MemoryStore::Job::Push(int depth, Fingerprint fingerprint, FrontierEntry entry) {
  const auto queue = queues.try_emplace({depth, std::string(HostOf(entry.url))}).first;
  queue->second.push_back(std::move(entry));
  if (depth > open_depth) {
    waiting[depth].insert_or_assign(fingerprint, Place{queue, std::prev(queue->second.end())});
  }
}

void MemoryStore::Job::PutBack(int depth, FrontierEntry entry) {
  ahead.erase(entry.url);
  const Fingerprint fingerprint = FingerprintOf(entry.url);
  const auto queue = queues.try_emplace({depth, std::string(HostOf(entry.url))}).first;
  queue->second.push_front(std::move(entry));
  if (depth > open_depth) waiting[depth][fingerprint] = {queue, queue->second.begin()};
}

/// Takes a URL out of the queue where it waits at a greater depth. Returns that depth, or 0.
int MemoryStore::Job::TakeWaiting(Fingerprint fingerprint, int depth) {
  for (auto at = waiting.upper_bound(depth); at != waiting.end(); ++at) {
    const auto found = at->second.find(fingerprint);
    if (found == at->second.end()) continue;
    const auto [queue, entry] = found->second;
    queue->second.erase(entry);
    if (queue->second.empty()) queues.erase(queue);
    at->second.erase(found);
    return at->first;
  }
  return 0;
}

/// Undoes what was counted of the URL of `entry`, if it was leased ahead and is found at `depth`
/// now; the losses that it has had it keeps. Of one that is still leased the entry is for later.
bool MemoryStore::Job::TakeBack(FrontierEntry& entry, int depth, Admission& admission) {
  const auto found = ahead.find(entry.url);
  if (depth > open_depth || found == ahead.end()) return false;
  const Ahead was = found->second;
  ahead.erase(found);
  RoundCounts& round = Round(open_depth + 1);
  admission.moved_from = open_depth + 1;
  admission.was = was.state;
  switch (was.state) {
    case Admission::Was::kWaiting:
      break;
    case Admission::Was::kLeased:
      moving[entry.url] = {depth, entry};
      --round.leased;
      ++Round(depth).leased;
      break;
    case Admission::Was::kDelayed:
      std::erase_if(delayed, [&](const auto& due) {
        const FrontierEntry& other = due.second.second;
        if (other.url != entry.url) return false;
        entry.losses = other.losses;
        return true;
      });
      --stats["delayed"];
      --round.delayed;
      break;
    case Admission::Was::kFetched:
      Refuse(was.lease, was.index);
      --stats["fetched"];
      --round.fetched;
      stats["bytes"] -= admission.body_bytes = was.bytes;
      stats["links"] -= was.links;
      break;
    case Admission::Was::kRedirected:
      Post("withdrawn " + std::to_string(was.item));
      ++pages_of_host[std::string(HostOf(entry.url))];
      --stats["redirected"];
      --round.redirected;
      break;
    case Admission::Was::kFailed:
      Post("withdrawn " + std::to_string(was.item));
      ++pages_of_host[std::string(HostOf(entry.url))];
      if (was.reason == Error::kWorkerLost) entry.losses = kMaxLosses - 1;
      admission.reason = was.reason;
      --stats["failed"];
      --stats["failed:" + std::string(ReasonWord(was.reason))];
      --round.failed;
      break;
  }
  return true;
}

Result<Reply> MemoryStore::Job::Apply(const AdmitStep& step) {
  if (step.depth < 0 || !AreSound(step.candidates) || !AreSound(step.sitemaps)) {
    return Error::kStepRefused;
  }
  AdmitReply reply;
  for (const auto& [fingerprint, url] : step.sitemaps) {
    reply.sitemaps.push_back(Admit(step.depth, fingerprint,
                                   {.url = url, .referrer = step.sitemap_referrer, .sitemap = 1},
                                   step.domains));
  }
  reply.admissions.reserve(step.candidates.size());
  for (const auto& [fingerprint, url] : step.candidates) {
    reply.admissions.push_back(
        Admit(step.depth, fingerprint, {.url = url, .referrer = step.referrer}, step.domains));
  }
  return Reply(std::move(reply));
}

// ---- Leases ----

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

void MemoryStore::Job::PostBeyond(int depth, const std::vector<Candidate>& links,
                                  const std::string& referrer) {
  std::string urls;
  for (const auto& [fingerprint, url] : links) {
    if (!seen.contains(fingerprint) && beyond[depth].insert(fingerprint).second) urls += ' ' + url;
  }
  if (!urls.empty()) {
    Post("beyond " + std::to_string(depth) + ' ' + referrer + urls);
  }
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

/// Returns the item's number.
std::uint64_t MemoryStore::Job::Post(std::string item) {
  outbox.push_back(std::move(item));
  return outbox_first + outbox.size() - 1;
}

void MemoryStore::Job::Refuse(LeaseId id, int index) {
  Post("refused " + std::to_string(id) + ' ' + std::to_string(index));
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

// ---- The rest ----

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

// ---- The handle ----

MemoryStore::MemoryStore() : MemoryStore(std::make_shared<Job>()) {}
MemoryStore::MemoryStore(std::shared_ptr<Job> job) : job_(std::move(job)) {}
MemoryStore::~MemoryStore() = default;

void MemoryStore::Open(OpenMode mode, std::map<std::string, std::string> job, OnOpen then) {
  const bool is_new = job_->epoch == 0;
  const auto caller = job.find("coordinator");
  const auto in_charge = job_->fields.find("coordinator");
  const bool is_own =
      caller != job.end() && in_charge != job_->fields.end() && caller->second == in_charge->second;
  if (mode == OpenMode::kCreate && !is_new && !is_own) return then(Error::kUsage);
  if (mode != OpenMode::kCreate && is_new) return then(Error::kUsage);
  if (mode == OpenMode::kReopen && !is_own) return then(Error::kStepRefused);
  const auto rules = job.find("rules");
  if (!is_new && rules != job.end() && job_->fields.contains("rules") &&
      job_->fields.at("rules") != rules->second) {
    return then(Error::kRulesChanged);
  }
  if (is_new) {
    job_->fields = std::move(job);
  } else if (caller != job.end()) {
    job_->fields["coordinator"] = caller->second;
  }
  const auto state = job_->fields.find("state");
  const bool has_stopped =
      state == job_->fields.end() || (state->second != "running" && state->second != "paused");
  if (job_->control == "stop" && has_stopped) job_->control = "run";
  epoch_ = ++job_->epoch;
  then(job_->Describe());
}

void MemoryStore::Apply(const Step& step, OnReply then) {
  if (epoch_ == 0 || epoch_ != job_->epoch) return then(Error::kStepRefused);
  then(std::visit([this](const auto& taken) { return job_->Apply(taken); }, step));
}

void MemoryStore::SetControl(std::string control) { job_->control = std::move(control); }

const std::map<std::string, std::string>& MemoryStore::job() const { return job_->fields; }
const std::map<std::string, std::uint64_t>& MemoryStore::stats() const { return job_->stats; }
const std::map<std::string, std::string>& MemoryStore::workers() const { return job_->workers; }
const std::deque<std::string>& MemoryStore::outbox() const { return job_->outbox; }

std::string MemoryStore::Imbalance() const { return job_->Imbalance(); }

Snapshot MemoryStore::Peek() const { return job_->Describe(); }

}  // namespace trawl

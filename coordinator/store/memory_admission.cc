// How candidates are admitted to the job of a MemoryStore, and what moves by it.

#include <algorithm>
#include <iterator>
#include <utility>

#include "coordinator/store/memory_job.h"

namespace trawl {

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

}  // namespace trawl

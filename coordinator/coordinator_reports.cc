// What the coordinator makes of a worker's report.

#include <algorithm>
#include <utility>

#include "coordinator/coordinator.h"

namespace trawl {

void Coordinator::OnReport(const std::string& peer, const Report& report, TimePoint now) {
  const LiveLease* lease = leases_.Find(report.lease_id);
  if (!lease || lease->worker != peer) {
    return AckReport(peer, report.sequence, Ack::Verdict::kNeverRetry);
  }
  const std::string host = lease->host;
  HostQueue& queue = frontier_.At(host);
  const HostHealth health = report.outcome ? HealthAfter(*report.outcome) : HostHealth::kUnknown;
  const bool in_trouble = health == HostHealth::kOverloaded || health == HostHealth::kSilent;
  const bool hopeless = in_trouble && queue.IsHopeless(now);
  if (report.outcome && !std::holds_alternative<Returned>(*report.outcome)) {
    frontier_.Probed(host, report.crawl_delay);
    if (options_.crawl.auto_throttle && report.latency > milliseconds(0)) {
      queue.Throttle(report.latency, health == HostHealth::kWell);
    }
    if (report.elapsed > milliseconds(0)) queue.Requested(now - report.elapsed);
  }
  AcceptStep step = hopeless ? rules_.StepFor(WithoutRetry(report), lease->depth)
                             : rules_.StepFor(report, lease->depth);
  const bool counts_body = options_.crawl.max_same_body > 0 && report.entry.sitemap == 0 &&
                           !fetched_again_.contains(FingerprintOf(report.entry.url));
  const bool settles_links = !counts_body || !DropLinksOfRepeatedBody(host, report, step);
  std::erase_if(step.links, [&, depth = step.DepthOfLinks(lease->depth)](const Candidate& link) {
    return settled_.Knows(link.fingerprint, depth);
  });
  step.now = WallTimeAt(now);
  if (health == HostHealth::kWell) queue.Recovered();
  if (in_trouble && !hopeless) step.pause = LeaveAlone(host, report, now);
  if (step.ending) step.ending->delay = std::max(step.ending->delay, step.pause);
  const bool recall = health == HostHealth::kSilent && step.pause > milliseconds(0);
  Apply apply{std::move(step), peer, report.sequence};
  apply.may_settle_links = settles_links && report.entry.sitemap == 0;
  if (counts_body && report.outcome) apply.body_digest = report.body_digest;
  Do(std::move(apply));

  if (recall) {
    for (const std::string& worker : leases_.WorkersOf(host)) SendTo(worker, Recall{host});
  }
  if (hopeless) GiveUpHost(host, std::get<Failed>(*report.outcome).reason);
}

Report Coordinator::WithoutRetry(const Report& report) {
  Report last = report;
  std::get<Failed>(*last.outcome).permanent = true;
  return last;
}

/// For how long the host, which is in trouble, is to be left alone from now on.
milliseconds Coordinator::LeaveAlone(const std::string& host, const Report& report, TimePoint now) {
  HostQueue& queue = frontier_.At(host);
  const Failed& failed = std::get<Failed>(*report.outcome);
  const milliseconds pause = AsksForFewerRequests(failed)
                                 ? queue.BackOff(failed.retry_after, now)
                                 : queue.Unanswered(FingerprintOf(report.entry.url), now);
  if (pause > milliseconds(0)) frontier_.Defer(host, now + pause);
  return pause;
}

/// Whether it did. A sitemap leads no further than its list, so that it is no trap.
bool Coordinator::DropLinksOfRepeatedBody(const std::string& host, const Report& report,
                                          AcceptStep& step) {
  const std::uint64_t limit = options_.crawl.max_same_body;
  if (report.body_digest == 0) return false;
  if (step.links.empty() || frontier_.At(host).bodies().Times(report.body_digest) < limit) {
    return false;
  }
  step.drops["same_body"] += step.links.size();
  step.links.clear();
  return true;
}

/// Ends what waits of the host by now.
void Coordinator::GiveUpHost(const std::string& host, Error reason) {
  constexpr std::uint64_t kMostAtOnce = 1'000;
  std::uint64_t urls = 0;
  for (const auto& [depth, waiting] : frontier_.TakeWaiting(host)) {
    urls += waiting;
    for (std::uint64_t left = waiting; left > 0;) {
      const std::uint64_t count = std::min(left, kMostAtOnce);
      left -= count;
      ApplyStep(GiveUpStep{host, depth, count, reason});
    }
  }
  giving_up_ += urls;
  if (urls > 0) {
    Do(Log{std::to_string(urls) + " URLs of " + host + " are given up (" +
           std::string(ReasonWord(reason)) + ")"});
  }
}

}  // namespace trawl

// What the coordinator makes of a worker's report.

#include <utility>

#include "coordinator/coordinator.h"

namespace trawl {

void Coordinator::OnReport(const std::string& peer, const Report& report, TimePoint now) {
  const LiveLease* lease = leases_.Find(report.lease_id);
  if (!lease || lease->worker != peer) {
    return AckReport(peer, report.sequence, Ack::Verdict::kNeverRetry);
  }
  if (IsRetryHopeless(lease->host, report)) {
    Report last = report;
    std::get<Failed>(*last.outcome).permanent = true;
    return OnReport(peer, last, now);
  }
  if (report.outcome && !std::holds_alternative<Returned>(*report.outcome)) {
    frontier_.Probed(lease->host, report.crawl_delay);
    if (options_.crawl.auto_throttle && report.latency > milliseconds(0)) {
      const bool good = !std::holds_alternative<Failed>(*report.outcome);
      frontier_.At(lease->host).Throttle(report.latency, good);
    }
    if (report.elapsed > milliseconds(0)) {
      frontier_.At(lease->host).Requested(now - report.elapsed);
    }
  }
  AcceptStep step = rules_.StepFor(report, lease->depth);
  DropLinksOfRepeatedBody(lease->host, report, step);
  step.now = WallTimeAt(now);
  if (report.outcome) step.pause = PauseAfter(lease->host, *report.outcome, now);
  if (step.ending) step.ending->delay = std::max(step.ending->delay, step.pause);
  Apply apply{std::move(step), peer, report.sequence, {}, {}};
  const bool counts_body = options_.crawl.max_same_body > 0 && report.entry.sitemap == 0;
  if (counts_body && report.outcome) apply.body_digest = report.body_digest;
  Do(std::move(apply));
}

/// Whether another try is in vain: the host has been left alone too often.
bool Coordinator::IsRetryHopeless(const std::string& host, const Report& report) {
  if (!report.outcome) return false;
  const auto* failed = std::get_if<Failed>(&*report.outcome);
  return failed && AsksForFewerRequests(*failed) && !failed->permanent &&
         frontier_.At(host).IsHopeless();
}

/// A sitemap leads no further than its list, so that it is no trap.
void Coordinator::DropLinksOfRepeatedBody(const std::string& host, const Report& report,
                                          AcceptStep& step) {
  const std::uint64_t limit = options_.crawl.max_same_body;
  if (limit == 0 || report.body_digest == 0 || report.entry.sitemap > 0) return;
  if (step.links.empty() || frontier_.At(host).bodies().Times(report.body_digest) < limit) return;
  step.drops["same_body"] += step.links.size();
  step.links.clear();
}

/// For how long the host is to be left alone from now on; zero: as it was.
milliseconds Coordinator::PauseAfter(const std::string& host, const Outcome& outcome,
                                     TimePoint now) {
  HostQueue& queue = frontier_.At(host);
  if (const auto* failed = std::get_if<Failed>(&outcome)) {
    if (!AsksForFewerRequests(*failed) || failed->permanent) return milliseconds(0);
    const milliseconds pause = queue.BackOff(failed->retry_after, now);
    frontier_.Defer(host, now + pause);
    return pause;
  }
  if (!std::holds_alternative<Returned>(outcome)) queue.Recovered();
  return milliseconds(0);
}

}  // namespace trawl

// What the coordinator makes of the store's replies.

#include <algorithm>
#include <utility>

#include "coordinator/coordinator.h"

namespace trawl {

void Coordinator::OnReply(const Apply& apply, Reply reply, TimePoint now) {
  if (const auto* admit = std::get_if<AdmitStep>(&apply.step)) {
    OnAdmitted(*admit, std::get<AdmitReply>(reply));
  } else if (std::holds_alternative<LeaseStep>(apply.step)) {
    OnLeased(apply, std::get<LeaseReply>(std::move(reply)), now);
  } else if (std::holds_alternative<AcceptStep>(apply.step)) {
    OnAccepted(apply, std::get<AcceptReply>(reply), now);
  } else if (std::holds_alternative<WakeStep>(apply.step)) {
    OnWoken(std::get<WakeReply>(reply), now);
  } else if (const auto* give_up = std::get_if<GiveUpStep>(&apply.step)) {
    OnGivenUp(*give_up, std::get<GiveUpReply>(reply));
  } else if (const auto* expire = std::get_if<ExpireStep>(&apply.step)) {
    OnExpired(*expire, std::get<ExpireReply>(reply), now);
  } else if (std::holds_alternative<ReadControlStep>(apply.step)) {
    OnControl(std::get<ReadControlReply>(reply).control, now);
  } else if (std::holds_alternative<ReadOutboxStep>(apply.step)) {
    OnOutbox(std::get<ReadOutboxReply>(std::move(reply)), now);
  } else if (const auto* read = std::get_if<ReadRobotsStep>(&apply.step)) {
    robots_.OnRead(read->origin, std::get<ReadRobotsReply>(reply).record, WallTimeAt(now));
  } else if (const auto* keep = std::get_if<KeepRobotsStep>(&apply.step)) {
    robots_.OnKept(keep->origin, keep->record, WallTimeAt(now));
  } else if (const auto* save = std::get_if<SaveJobStep>(&apply.step)) {
    if (phase_ == Phase::kSaving && save->fields.contains("finished")) SayGoodbye(now);
  }
  Advance(now);
}

void Coordinator::Admitted(const Candidate& candidate, const Admission& admission, int depth) {
  const std::string_view host = AuthorityOf(candidate.url);
  switch (admission.kind) {
    case Admission::Kind::kAdmitted:
      deepest_ = std::max(deepest_, depth);
      ++counts_.admitted;
      frontier_.Add(host, depth);
      break;
    case Admission::Kind::kMoved:
      Moved(candidate, admission, depth);
      break;
    case Admission::Kind::kSeen:
      break;
    case Admission::Kind::kHostFull:
    case Admission::Kind::kDomainFull:
      ++counts_.dropped_by_reason[std::string(DropWord(admission.kind))];
      break;
  }
}

/// What was counted of it at the depth where it was is undone.
void Coordinator::Moved(const Candidate& candidate, const Admission& admission, int depth) {
  const std::string_view host = AuthorityOf(candidate.url);
  const int from = admission.moved_from;
  switch (admission.was) {
    case Admission::Was::kWaiting:
      return frontier_.Move(host, from, depth);
    case Admission::Was::kLeased:
      work_.Leased(from, -1);
      work_.Leased(depth, 1);
      return;
    case Admission::Was::kDelayed:
      work_.Delayed(from, -1);
      break;
    case Admission::Was::kFetched:
      fetched_again_.insert(candidate.fingerprint);
      --counts_.fetched;
      counts_.bytes -= admission.body_bytes;
      break;
    case Admission::Was::kRedirected:
      --counts_.redirected;
      break;
    case Admission::Was::kFailed:
      --counts_.failed;
      --counts_.failed_by_reason[std::string(ReasonWord(admission.reason))];
      break;
  }
  frontier_.Add(host, depth);
}

void Coordinator::AllAdmitted(const std::vector<Candidate>& candidates,
                              const std::vector<Admission>& admissions, int depth) {
  for (std::size_t i = 0; i < admissions.size(); ++i) Admitted(candidates[i], admissions[i], depth);
}

void Coordinator::OnAdmitted(const AdmitStep& step, const AdmitReply& reply) {
  AllAdmitted(step.sitemaps, reply.sitemaps, step.depth);
  AllAdmitted(step.candidates, reply.admissions, step.depth);
  if (!step.sitemap_referrer.empty()) OnSitemapsAdmitted();
  // Sitemaps may come of leases of before a restart; they are no part of the start.
  const bool is_of_start = phase_ == Phase::kStarting && step.sitemap_referrer.empty();
  if (is_of_start && --starting_steps_ == 0) ContinueStart();
}

void Coordinator::OnLeased(const Apply& apply, LeaseReply reply, TimePoint now) {
  const auto& step = std::get<LeaseStep>(apply.step);
  const LiveLease* lease = leases_.Find(step.id);
  if (!lease) return;
  const int missing = step.count - static_cast<int>(reply.entries.size());
  if (missing > 0) {
    const std::uint64_t lost = frontier_.Missed(step.host, step.depth, missing - reply.left);
    if (lost > 0) {
      Do(Log{"the store had " + std::to_string(lost) + " URLs fewer than counted for " +
             step.host});
    }
    frontier_.Add(step.host, step.depth, reply.left);
    work_.Leased(step.depth, -missing);
    workers_.Outstanding(step.worker, -missing);
    ReleaseLease(step.id, step.host, missing, now);
  }
  lease = leases_.Find(step.id);
  if (!lease || lease->expiring) return;  // empty, or the store was waited for too long
  if (phase_ != Phase::kRunning || frontier_.At(step.host).IsPaused(now) ||
      !workers_.Find(step.worker)) {
    return ExpireLease(step.id, false);
  }
  const milliseconds wait =
      std::max(milliseconds(0), std::chrono::ceil<milliseconds>(apply.start - now));
  const bool is_suspect = reply.entries[0].losses >= kMaxLosses - 1;
  Lease message{step.id,
                step.host,
                step.depth,
                step.connections,
                apply.delay,
                wait,
                std::move(reply.entries)};
  if (is_suspect) return SendSuspect(step.worker, std::move(message), now);
  leases_.MarkDelivered(step.id);
  SendTo(step.worker, std::move(message));
}

void Coordinator::OnAccepted(const Apply& apply, const AcceptReply& reply, TimePoint now) {
  const auto& step = std::get<AcceptStep>(apply.step);
  const LiveLease* lease = leases_.Find(step.lease);
  if (!reply.accepted) {
    AckReport(apply.worker, apply.sequence, Ack::Verdict::kNeverRetry);
    if (!reply.moved_to || !lease) return;
    frontier_.Add(lease->host, *reply.moved_to);
    work_.Leased(*reply.moved_to, -1);
    workers_.Outstanding(apply.worker, -1);
    return ReleaseLease(step.lease, std::string(lease->host), 1, now);
  }
  bool links_settled = apply.may_settle_links;
  for (std::size_t i = 0; i < reply.links.size(); ++i) {
    if (!DropWord(reply.links[i].kind).empty()) {
      links_settled = false;  // what a limit has dropped may be admitted another time
    } else if (lease) {
      settled_.Learn(step.links[i].fingerprint, step.DepthOfLinks(lease->depth));
    }
  }
  AckReport(apply.worker, apply.sequence, Ack::Verdict::kDone, links_settled);
  for (const auto& [word, count] : step.drops) counts_.dropped_by_reason[word] += count;
  if (!lease) return;
  const std::string host = lease->host;
  const int depth = lease->depth;
  AllAdmitted(step.sitemaps, reply.sitemaps, step.DepthOfLinks(depth));
  AllAdmitted(step.links, reply.links, step.DepthOfLinks(depth));
  if (!step.ending) return;
  if (apply.body_digest != 0) frontier_.At(host).bodies().Add(apply.body_digest);
  if (reply.target) Admitted(*step.ending->target, *reply.target, depth);
  if (step.ending->kind == Ending::Kind::kReturned) {
    frontier_.Add(host, depth);
  } else if (step.ending->kind == Ending::Kind::kRetried) {
    work_.Delayed(depth, 1);
    next_wake_ = std::min(next_wake_, now + (step.now + step.ending->delay - WallTimeAt(now)));
    if (closing_round_) ApplyStep(WakeStep{.now = WallTimeAt(now), .all = true});
  } else {
    Count(*step.ending);
  }
  work_.Leased(depth, -1);
  workers_.Outstanding(apply.worker, -1);
  ReleaseLease(step.lease, host, 1, now);
}

void Coordinator::Count(const Ending& ending) {
  switch (ending.kind) {
    case Ending::Kind::kFetched:
      ++counts_.fetched;
      counts_.bytes += ending.body_bytes;
      break;
    case Ending::Kind::kRedirected:
      ++counts_.redirected;
      break;
    case Ending::Kind::kFailed:
      ++counts_.failed;
      ++counts_.failed_by_reason[std::string(ReasonWord(ending.reason))];
      break;
    case Ending::Kind::kRetried:
    case Ending::Kind::kReturned:
      break;
  }
}

void Coordinator::OnWoken(const WakeReply& reply, TimePoint now) {
  for (const auto& [host, depth, woken] : reply.queues) {
    frontier_.Add(host, depth, woken);
    work_.Delayed(depth, -static_cast<std::int64_t>(woken));
  }
  if (closing_round_ && reply.next) ApplyStep(WakeStep{.now = WallTimeAt(now), .all = true});
  next_wake_ = reply.next ? now + (*reply.next - WallTimeAt(now)) : TimePoint::max();
}

void Coordinator::OnGivenUp(const GiveUpStep& step, const GiveUpReply& reply) {
  giving_up_ -= step.count;
  counts_.failed += reply.given_up;
  counts_.failed_by_reason[std::string(ReasonWord(step.reason))] += reply.given_up;
}

void Coordinator::OnExpired(const ExpireStep& step, const ExpireReply& reply, TimePoint now) {
  const LiveLease* found = leases_.Find(step.lease);
  if (!found) return;
  const LiveLease lease = *found;
  leases_.Remove(lease.id);
  SuspectEnded(lease.worker, lease.id, now);
  workers_.Outstanding(lease.worker, -lease.urls);
  const int moved = static_cast<int>(reply.moved.size());
  work_.Leased(lease.depth, moved - lease.urls);
  frontier_.Add(lease.host, lease.depth, reply.returned);
  int given_up = reply.given_up;
  for (const auto& [depth, is_given_up] : reply.moved) {
    work_.Leased(depth, -1);
    frontier_.Add(lease.host, depth, is_given_up ? 0 : 1);
    given_up += is_given_up ? 1 : 0;
  }
  // Its worker may have asked the host until just now.
  frontier_.At(lease.host).Requested(now);
  frontier_.Release(lease.host, lease.connections_in_use(), true);
  if (step.blame) ++counts_.leases_expired;
  if (given_up > 0) {
    counts_.failed += given_up;
    counts_.failed_by_reason[std::string(ReasonWord(Error::kWorkerLost))] += given_up;
  }
}

void Coordinator::OnControl(const std::string& control, TimePoint now) {
  control_busy_ = false;
  if (control == "stop") {
    Stop(now);
  } else if (control == "pause" && phase_ == Phase::kStarting) {
    starts_paused_ = true;
  } else if (control == "pause" && phase_ == Phase::kRunning) {
    Pause();
  } else if (control != "pause" && phase_ == Phase::kPaused) {
    phase_ = Phase::kRunning;
    round_opened_ = now;
    ApplyStep(SaveJobStep{{{"state", "running"}}});
  }
}

/// Workers hand back what they have not begun.
void Coordinator::Pause() {
  phase_ = Phase::kPaused;
  TakeBackSuspects();
  SendToAll(Recall{});
  ApplyStep(SaveJobStep{{{"state", "paused"}}});
}

void Coordinator::OnOutbox(ReadOutboxReply reply, TimePoint now) {
  if (!reply.items.empty()) return Do(Write{reply.first, std::move(reply.items)});
  outbox_busy_ = false;
  if (std::exchange(outbox_before_beyond_, false)) return Do(*beyond_);
  if (phase_ != Phase::kClosing) return;
  // A read that began before all was decided may have missed the last rows.
  if (outbox_read_last_) {
    SaveState(now);
  } else {
    ReadOutbox();
  }
}

void Coordinator::OnWritten(const Write& write, TimePoint) {
  outbox_written_ = write.first + write.items.size();
  outbox_busy_ = false;
  ReadOutbox();
}

}  // namespace trawl

#include "coordinator/coordinator.h"

#include <algorithm>
#include <boost/json.hpp>

#include "common/text.h"

namespace trawl {
namespace {

constexpr milliseconds kChoresInterval{250};
constexpr milliseconds kSaveInterval{1'000};
constexpr milliseconds kGarbageLogInterval{1'000};
/// How long workers may take to hand back what they hold.
constexpr milliseconds kDrainTimeout{10'000};
/// Several in a lease's time, and often enough for people to look at.
constexpr milliseconds kHeartbeatInterval{1'000};
constexpr int kHeartbeatsPerTimeout = 5;

/// A host whose delay may grow is never spread over several leases.
HostBudget BudgetOf(const CrawlOptions& crawl) {
  const milliseconds least(crawl.auto_throttle ? 1 : 0);
  return {crawl.host_connections, std::max(crawl.host_delay, least)};
}

/// What is fetched ahead may turn out to lie elsewhere. So nothing may hang on its place meanwhile:
/// not the room for pages that a limit has left, nor the sitemaps of its host, which have the
/// host's least depth.
bool MayRunAhead(const CrawlOptions& crawl) {
  return !crawl.sitemaps && crawl.max_pages == 0 && crawl.max_pages_per_host == 0;
}

}  // namespace

Coordinator::Coordinator(CoordinatorOptions options, Scope scope, TimePoint now,
                         std::chrono::system_clock::time_point wall)
    : options_(std::move(options)),
      rules_(options_.crawl, std::move(scope)),
      started_(now),
      started_wall_(wall),
      frontier_(options_.crawl.rounds, BudgetOf(options_.crawl),
                {options_.crawl.depth, MayRunAhead(options_.crawl)}),
      robots_({options_.crawl.robots_retries, options_.crawl.robots_retry_delay}) {}

// ---- Start ----

void Coordinator::Start(const Snapshot& snapshot, TimePoint now) {
  epoch_ = snapshot.epoch;
  round_opened_ = now;
  for (const auto& [name, value] : snapshot.stats) {
    constexpr std::string_view kFailed = "failed:";
    constexpr std::string_view kDropped = "dropped:";
    if (name == "admitted") counts_.admitted = value;
    if (name == "fetched") counts_.fetched = value;
    if (name == "redirected") counts_.redirected = value;
    if (name == "failed") counts_.failed = value;
    if (name == "bytes") counts_.bytes = value;
    if (name == "leases_expired") counts_.leases_expired = value;
    if (name.starts_with(kFailed)) counts_.failed_by_reason[name.substr(kFailed.size())] = value;
    if (name.starts_with(kDropped)) {
      counts_.dropped_by_reason[name.substr(kDropped.size())] = value;
    }
  }
  if (options_.crawl.rounds == RoundMode::kFree) {
    // Every depth is open from the start.
    ApplyStep(OpenRoundStep{options_.crawl.depth});
  } else {
    frontier_.OpenRound(snapshot.open_depth);
  }
  for (const Snapshot::Queue& queue : snapshot.queues) {
    frontier_.Add(queue.host, queue.depth, queue.waiting);
  }
  for (const Snapshot::Lease& lease : snapshot.leases) {
    LiveLease live;
    live.id = lease.id;
    live.worker = lease.worker;
    live.host = lease.host;
    live.depth = lease.depth;
    live.connections = lease.connections;
    live.urls = static_cast<int>(lease.indexes.size());
    live.delivered = true;
    live.adopted = true;
    live.deadline = now + LeaseLife();
    frontier_.At(lease.host).Adopt(live.connections_in_use());
    frontier_.At(lease.host).HeldBy(lease.worker);
    leases_.Add(std::move(live));
  }
  for (std::size_t depth = 0; depth < snapshot.rounds.size(); ++depth) {
    deepest_ = static_cast<int>(depth);
    const RoundCounts& round = snapshot.rounds[depth];
    work_.Leased(static_cast<int>(depth), static_cast<std::int64_t>(round.leased));
    work_.Delayed(static_cast<int>(depth), static_cast<std::int64_t>(round.delayed));
  }
  for (const auto& [host, until] : snapshot.paused) {
    frontier_.Defer(host, now + (until - WallTimeAt(now)));
  }
  const auto options = snapshot.job.find("options");
  const auto before = options == snapshot.job.end() ? Result<CrawlOptions>(Error::kUsage)
                                                    : CrawlOptions::FromJson(options->second);
  if (before && before->depth < options_.crawl.depth) {
    beyond_ = ReadBeyond{before->depth, options_.crawl.depth};
  }
  ApplyStep(SaveJobStep{{{"state", "running"}, {"finished", ""}}});
  ApplyStep(rules_.StepForLimits());
  ReadControl();
  ++starting_steps_;
  ApplyStep(rules_.StepForSeeds());
}

/// All steps of the start have been answered so far.
void Coordinator::ContinueStart() {
  if (beyond_) {
    // What was found beyond the depth may still be in the store.
    outbox_before_beyond_ = true;
    return ReadOutbox();
  }
  // Not before all is admitted: whoever starts again before that reads it again.
  ApplyStep(SaveJobStep{{{"options", options_.crawl.Json()}}});
  phase_ = Phase::kRunning;
  if (starts_paused_) Pause();
}

void Coordinator::OnBeyond(const std::vector<FoundBeyond>& found, bool last, TimePoint now) {
  if (last) beyond_.reset();
  for (const FoundBeyond& links : found) {
    ++starting_steps_;
    ApplyStep(rules_.StepForBeyond(links));
  }
  if (phase_ == Phase::kStarting && starting_steps_ == 0) ContinueStart();
  Advance(now);
}

// ---- Messages ----

void Coordinator::OnMessage(const std::string& peer, const ToCoordinator& message, TimePoint now) {
  if (const auto* hello = std::get_if<Hello>(&message)) return OnHello(peer, *hello, now);
  if (!workers_.Find(peer)) {
    return SendTo(peer, Refused{Refused::Why::kUnknown, "say hello first"});
  }
  if (const auto* heartbeat = std::get_if<WorkerHeartbeat>(&message)) {
    OnHeartbeat(peer, *heartbeat, now);
  } else if (const auto* reports = std::get_if<Reports>(&message)) {
    workers_.Heard(peer, now);
    for (const Report& report : reports->reports) OnReport(peer, report, now);
  } else if (const auto* query = std::get_if<RobotsQuery>(&message)) {
    workers_.Heard(peer, now);
    OnRobotsQuery(peer, *query);
  } else if (const auto* robots = std::get_if<RobotsReport>(&message)) {
    workers_.Heard(peer, now);
    OnRobotsReport(peer, *robots, now);
  } else {
    OnGoodbye(peer);
  }
  Advance(now);
}

void Coordinator::OnGarbage(const std::string& peer, TimePoint now) {
  ++garbage_;
  if (now >= next_garbage_log_) {
    next_garbage_log_ = now + kGarbageLogInterval;
    Do(Log{"refused a message that is not one of this protocol (" + std::to_string(garbage_) +
           " so far)"});
  }
  SendTo(peer, Refused{Refused::Why::kMalformed, "not a message of this protocol"});
}

void Coordinator::OnHello(const std::string& peer, const Hello& hello, TimePoint now) {
  if (hello.protocol_version != kProtocolVersion) {
    const std::string detail = "protocol version " + std::to_string(hello.protocol_version) +
                               ", this coordinator speaks " + std::to_string(kProtocolVersion);
    Do(Log{"refused worker " + Printable(hello.name) + ": " + detail});
    return SendTo(peer, Refused{Refused::Why::kVersion, detail});
  }
  if (hello.name != peer) {
    Do(Log{"refused worker " + Printable(hello.name) + ": its name is not its routing id"});
    return SendTo(peer, Refused{Refused::Why::kMalformed, "the name must be the routing id"});
  }
  if (phase_ == Phase::kParting || phase_ == Phase::kEnded) {
    return SendTo(peer, CoordinatorGoodbye{"the job has ended"});
  }
  // Another process under the same name: the one before has died, perhaps of what it had.
  const Worker* before = workers_.Find(peer);
  if (before && before->process != hello.process) LoseWorker(peer, true);
  workers_.Hello(hello, now, static_cast<std::uint32_t>(leases_.urls_of(peer)));
  SendTo(peer, Welcome{kProtocolVersion, options_.job, rules_.settings(), HeartbeatInterval(),
                       options_.lease_timeout});
  WorkerHeartbeat held;
  held.lease_ids = hello.lease_ids;
  held.capacity = hello.capacity;
  held.sent_ms = hello.sent_ms;
  OnHeartbeat(peer, held, now);
  // What it does not name has not reached it, or was done with.
  for (const LeaseId id : leases_.TakeAdopted(peer, hello.lease_ids)) ExpireLease(id, false);
  if (phase_ == Phase::kPaused) SendTo(peer, Recall{});
  if (phase_ == Phase::kDraining) SendTo(peer, Drain{});
  Advance(now);
}

void Coordinator::OnHeartbeat(const std::string& peer, const WorkerHeartbeat& heartbeat,
                              TimePoint now) {
  workers_.Heartbeat(peer, heartbeat, now);
  CoordinatorHeartbeat answer;
  answer.sent_ms = heartbeat.sent_ms;
  for (LeaseId id : heartbeat.lease_ids) {
    if (!leases_.Renew(id, peer, now + LeaseLife())) {
      answer.ended_lease_ids.push_back(id);
    }
  }
  SendTo(peer, std::move(answer));
}

void Coordinator::OnGoodbye(const std::string& peer) { LoseWorker(peer, false); }

// ---- Time ----

void Coordinator::OnTick(TimePoint now, bool listening) {
  const bool late = last_tick_ != TimePoint() && now - last_tick_ > options_.lease_timeout / 4;
  last_tick_ = now;
  // Who did not listen cannot tell who was silent: what was said meanwhile is still to be read.
  if (late || !listening) judge_after_ = now + options_.lease_timeout / 2;
  if (now >= judge_after_) JudgeSilence(now);
  if (now >= next_chores_) {
    next_chores_ = now + kChoresInterval;
    if (!control_busy_ && (phase_ == Phase::kRunning || phase_ == Phase::kPaused)) ReadControl();
    ReadOutbox();
  }
  if (now >= next_save_) SaveWorkers(now);
  if (phase_ == Phase::kRunning && work_.delayed() > 0 && now >= next_wake_) {
    next_wake_ = TimePoint::max();
    ApplyStep(WakeStep{WallTimeAt(now)});
  }
  if (phase_ == Phase::kParting && (now >= goodbye_deadline_ || NobodyIsThere(now))) {
    phase_ = Phase::kEnded;
    Do(End{});
  }
  Advance(now);
}

void Coordinator::OnRowsStalled(bool stalled, TimePoint now) {
  rows_stalled_ = stalled;
  Advance(now);
}

void Coordinator::JudgeSilence(TimePoint now) {
  for (const std::string& name : workers_.TakeSilent(now - options_.lease_timeout)) {
    Do(Log{"worker " + name + " fell silent; its URLs go back to their host queues"});
    LoseWorker(name, true);
  }
  // A worker that lives, but no longer names the lease, lost it on the way: no URL is to blame.
  for (LeaseId id : leases_.TakeExpired(now)) ExpireLease(id, false);
}

void Coordinator::ReadControl() {
  control_busy_ = true;
  ApplyStep(ReadControlStep{});
}

void Coordinator::ReadOutbox() {
  if (outbox_busy_ || phase_ > Phase::kClosing) return;
  if (phase_ == Phase::kStarting && !outbox_before_beyond_) return;
  outbox_busy_ = true;
  outbox_read_last_ = phase_ == Phase::kClosing;
  ReadOutboxStep step;
  step.read = outbox_written_;
  ApplyStep(step);
}

void Coordinator::SaveWorkers(TimePoint now) {
  next_save_ = now + kSaveInterval;
  if (phase_ == Phase::kEnded) return;
  SaveWorkersStep step;
  for (const auto& [name, worker] : workers_.all()) step.workers[name] = WorkerJson(worker);
  ApplyStep(std::move(step));
}

std::string Coordinator::WorkerJson(const Worker& worker) const {
  return boost::json::serialize(
      boost::json::object{{"host", worker.host},
                          {"pid", worker.pid},
                          {"in_flight", worker.in_flight},
                          {"leased", worker.outstanding},
                          {"pages", worker.pages},
                          {"last_seen", Rfc3339(WallTimeAt(worker.last_heard))}});
}

milliseconds Coordinator::HeartbeatInterval() const {
  return std::min(kHeartbeatInterval, options_.lease_timeout / kHeartbeatsPerTimeout);
}

/// No worker that was heard of lately: nobody to hand anything back, or to be sent home.
bool Coordinator::NobodyIsThere(TimePoint now) const {
  constexpr int kHeartbeats = 4;
  return std::all_of(workers_.all().begin(), workers_.all().end(), [&](const auto& worker) {
    return now - worker.second.last_heard > kHeartbeats * HeartbeatInterval();
  });
}

/// Longer than a silent worker is waited for, so that its loss is noticed first, and blamed on what
/// it had.
milliseconds Coordinator::LeaseLife() const { return options_.lease_timeout * 3 / 2; }

WallTime Coordinator::WallTimeAt(TimePoint at) const {
  return std::chrono::floor<milliseconds>(started_wall_ + (at - started_));
}

// ---- The end ----

void Coordinator::Stop(TimePoint now) {
  if (phase_ != Phase::kStarting && phase_ != Phase::kRunning && phase_ != Phase::kPaused) return;
  phase_ = Phase::kDraining;
  stopped_because_ = "told to stop";
  drain_deadline_ = now + kDrainTimeout;
  TakeBackSuspects();
  SendToAll(Drain{});
  Advance(now);
}

/// First the last rows are written, then the state is saved, then the workers are sent home.
void Coordinator::Close(std::string state) {
  phase_ = Phase::kClosing;
  state_ = std::move(state);
  ReadOutbox();
}

void Coordinator::SaveState(TimePoint now) {
  phase_ = Phase::kSaving;
  ApplyStep(SaveJobStep{{{"state", state_}, {"finished", Rfc3339(WallTimeAt(now))}}});
}

void Coordinator::SayGoodbye(TimePoint now) {
  phase_ = Phase::kParting;
  goodbye_deadline_ = now + options_.lease_timeout;
  SendToAll(CoordinatorGoodbye{state_ == "finished" ? "the crawl is finished" : "the job stopped"});
}

// ---- Actions ----

void Coordinator::SendToAll(const ToWorker& message) {
  for (const auto& [name, worker] : workers_.all()) SendTo(name, message);
}

void Coordinator::AckReport(const std::string& worker, std::uint64_t sequence, Ack::Verdict verdict,
                            bool links_settled) {
  acks_[worker].acks.push_back({sequence, verdict, links_settled});
}

std::vector<Coordinator::Action> Coordinator::TakeActions() {
  for (auto& [worker, acks] : acks_) SendTo(worker, std::move(acks));
  acks_.clear();
  return std::exchange(actions_, {});
}

Coordinator::Progress Coordinator::progress() const {
  Progress progress;
  progress.phase = phase_;
  progress.round = options_.crawl.rounds == RoundMode::kFree ? std::max(0, frontier_.LeastDepth())
                                                             : frontier_.open_depth();
  progress.counts = counts_;
  progress.waiting = frontier_.waiting() + work_.delayed() + giving_up_;
  progress.leased = leases_.urls();
  progress.workers = workers_.all().size();
  progress.hosts = frontier_.hosts();
  for (const auto& [name, worker] : workers_.all()) progress.in_flight += worker.in_flight;
  return progress;
}

}  // namespace trawl

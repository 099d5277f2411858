#include "tests/support/simulated_crawl.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "worker/report_log.h"
#include "worker/robots_cache.h"

namespace trawl {
namespace {

constexpr milliseconds kTick{100};
/// As in CoordinatorClient; sooner than there, as leases last for a few seconds only.
constexpr milliseconds kHelloInterval{1'000};
constexpr milliseconds kResendAfter{3'000};

Scope ScopeOf(const CrawlOptions& crawl) {
  std::string complaint;
  return *Scope::Make(crawl, complaint);
}

}  // namespace

/// Speaks the protocol as CoordinatorClient does. Workers stay in the table when they are dead, so
/// events may refer to them.
struct SimulatedCrawl::SimulatedWorker {
  explicit SimulatedWorker(std::size_t links_per_part) : reports(links_per_part) {}

  std::string name;
  std::uint32_t capacity = 0;
  bool alive = true;
  TimePoint last_in{};  // messages of one connection keep their order
  TimePoint last_out{};

  bool cut = false;
  int lost_in_ten = 0;     // of the messages during the cut
  bool held_back = false;  // the others wait for its end
  std::vector<std::function<void()>> waiting;

  ReportLog reports;
  RobotsCache robots;
  std::map<std::string, std::vector<WorkItem>> waiting_for_robots;  // by host
  std::map<LeaseId, int> leases;                                    // URLs that have not ended
  bool welcome = false;
  milliseconds heartbeat_interval = kHelloInterval;
  milliseconds lease_timeout{0};
  TimePoint last_confirmed{};
  std::map<std::string, int> handed_back;  // host -> how often what waits of it
  int beats = 0;                           // of two beats that are planned the later plan counts

  bool LeasesAreOurs(TimePoint now) const { return now - last_confirmed < lease_timeout; }
  std::vector<LeaseId> Held() const {
    std::set<LeaseId> held;
    for (const auto& [id, urls] : leases) held.insert(id);
    for (const LeaseId id : reports.leases()) held.insert(id);
    return {held.begin(), held.end()};
  }
};

SimulatedCrawl::SimulatedCrawl(std::uint64_t seed, CoordinatorOptions options, const RandomWeb& web,
                               SimulatedFaults faults)
    : random_(seed),
      options_(std::move(options)),
      web_(web),
      faults_(faults),
      faultless_(faults.none()) {
  StartCoordinator();
  for (int workers = Draw(1, 4); workers > 0; --workers) StartWorker();
  PlanFaults(faults);
  Tick();
}

SimulatedCrawl::~SimulatedCrawl() = default;

void SimulatedCrawl::At(TimePoint when, std::function<void()> run) {
  events_.push({when, ++events_made_, std::move(run)});
}

void SimulatedCrawl::After(int most_ms, std::function<void()> run) {
  At(now_ + milliseconds(Draw(0, most_ms)), std::move(run));
}

bool SimulatedCrawl::Run(milliseconds most) {
  const TimePoint end = now_ + most;
  while (!ended_ && !events_.empty() && now_ < end) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    event.run();
    if (!violation_.empty()) return false;
  }
  return ended_;
}

void SimulatedCrawl::PlanFaults(SimulatedFaults faults) {
  constexpr int kWithinMs = 3'000;
  const auto victim = [this]() -> SimulatedWorker* {
    std::vector<SimulatedWorker*> alive;
    for (auto& [name, worker] : workers_) {
      if (worker->alive && !worker->cut) alive.push_back(worker.get());
    }
    return alive.empty() ? nullptr : alive[Draw(0, static_cast<int>(alive.size()) - 1)];
  };
  for (; faults.kills > 0; --faults.kills) {
    After(kWithinMs, [this, victim] {
      if (SimulatedWorker* worker = victim()) worker->alive = false;
      After(kWithinMs, [this] { StartWorker(); });
    });
  }
  for (; faults.cuts > 0; --faults.cuts) {
    After(kWithinMs, [this, victim] {
      SimulatedWorker* worker = victim();
      if (!worker) return;
      PlanCut(*worker);
      StartWorker();
    });
  }
  for (; faults.restarts > 0; --faults.restarts) {
    After(kWithinMs, [this] {
      if (!ended_) StartCoordinator();
    });
  }
  for (; faults.store_losses > 0; --faults.store_losses) {
    After(kWithinMs, [this] { ++store_losses_due_; });
  }
  for (; faults.pauses > 0; --faults.pauses) {
    After(kWithinMs, [this] {
      store_.SetControl("pause");
      After(kWithinMs, [this] { store_.SetControl("run"); });
    });
  }
}

void SimulatedCrawl::PlanCut(SimulatedWorker& worker) {
  worker.cut = true;
  worker.lost_in_ten = Draw(0, 10);
  worker.held_back = Draw(0, 1) == 1;
  After(static_cast<int>(options_.lease_timeout.count()) * 3 / 2, [&worker] {
    worker.cut = false;
    for (const auto& send_again : std::exchange(worker.waiting, {})) send_again();
  });
}

void SimulatedCrawl::StartCoordinator() {
  ++coordinator_life_;
  store_is_lost_ = false;
  beyond_read_ = 0;
  coordinator_ = std::make_unique<Coordinator>(options_, ScopeOf(options_.crawl), now_, Wall());
  const auto mode = coordinator_life_ == 1 ? Store::OpenMode::kCreate : Store::OpenMode::kResume;
  store_.Open(mode, {{"state", "running"}, {"options", options_.crawl.Json()}},
              [this](Result<Snapshot> snapshot) { coordinator_->Start(snapshot.value(), now_); });
  CarryOut();
}

void SimulatedCrawl::StartWorker() {
  auto made = std::make_unique<SimulatedWorker>(Draw(1, 4));
  SimulatedWorker& worker = *made;
  worker.name = "w" + std::to_string(++workers_made_);
  worker.capacity = Draw(1, 40);
  workers_.emplace(worker.name, std::move(made));
  Beat(worker);
}

void SimulatedCrawl::Tick() {
  if (ended_) return;
  if (!store_is_lost_) {
    coordinator_->OnTick(now_);
    CarryOut();
  }
  At(now_ + kTick, [this] { Tick(); });
}

void SimulatedCrawl::CarryOut() {
  if (carrying_out_) return;
  carrying_out_ = true;
  for (auto actions = coordinator_->TakeActions(); !actions.empty();
       actions = coordinator_->TakeActions()) {
    for (Coordinator::Action& action : actions) {
      if (store_is_lost_) break;  // it dies with what it was about to do
      if (auto* send = std::get_if<Coordinator::Send>(&action)) {
        ToWorkerNamed(send->worker, send->message);
      } else if (auto* apply = std::get_if<Coordinator::Apply>(&action)) {
        ApplyStep(*apply);
      } else if (auto* write = std::get_if<Coordinator::Write>(&action)) {
        for (std::size_t i = 0; i < write->items.size(); ++i) {
          if (write->first + i < outbox_next_) continue;  // written in an earlier life
          outbox_.push_back(write->items[i]);
          ++outbox_next_;
        }
        After(20, [this, written = *write, life = coordinator_life_] {
          if (life != coordinator_life_) return;
          coordinator_->OnWritten(written, now_);
          CarryOut();
        });
      } else if (const auto* read = std::get_if<Coordinator::ReadBeyond>(&action)) {
        After(20, [this, read = *read, life = coordinator_life_] {
          if (life == coordinator_life_) TellBeyond(read);
        });
      } else if (std::holds_alternative<Coordinator::End>(action)) {
        ended_ = true;
      }
    }
  }
  carrying_out_ = false;
}

Result<Reply> SimulatedCrawl::Execute(const Step& step) {
  Result<Reply> reply = Error::kStore;
  store_.Apply(step, [&](Result<Reply> result) { reply = std::move(result); });
  if (const auto* accepted = reply ? std::get_if<AcceptReply>(&*reply) : nullptr) {
    if (accepted->target && accepted->target->kind == Admission::Kind::kMoved) {
      ++moves_[accepted->target->was];
    }
  }
  constexpr int kStepsPerCheck = 4;
  if (++steps_ % kStepsPerCheck == 0 && violation_.empty()) violation_ = store_.Imbalance();
  return reply;
}

/// The coordinator that has lost its store takes no notice of anything until the store is back, and
/// is another one then.
void SimulatedCrawl::LoseStore(const Coordinator::Apply& apply) {
  --store_losses_due_;
  store_is_lost_ = true;
  ++coordinator_life_;
  const int fate = Draw(0, 2);
  if (fate == 0) Execute(apply.step);
  const bool comes_late = fate == 1;
  At(now_ + milliseconds(Draw(1, 3'000)), [this, apply, comes_late] {
    MemoryStore before = store_;
    StartCoordinator();
    if (!comes_late) return;
    before.Apply(apply.step, [this](Result<Reply> reply) {
      if (reply) violation_ = "a step of an earlier epoch was executed";
    });
  });
}

void SimulatedCrawl::TellBeyond(const Coordinator::ReadBeyond& read) {
  std::vector<FoundBeyond> found;
  const std::size_t end = std::min(outbox_.size(), beyond_read_ + Draw(1, 30));
  for (; beyond_read_ < end; ++beyond_read_) {
    auto links = ParseFoundBeyond(outbox_[beyond_read_]);
    if (links && links->depth > read.depth && links->depth <= read.greatest) {
      found.push_back(*std::move(links));
    }
  }
  coordinator_->OnBeyond(found, beyond_read_ == outbox_.size(), now_);
  CarryOut();
}

void SimulatedCrawl::Resume(CoordinatorOptions options) {
  options_ = std::move(options);
  faultless_ = faultless_ && ended_;
  ended_ = false;
  StartCoordinator();
  for (int workers = Draw(1, 4); workers > 0; --workers) StartWorker();
  PlanFaults(faults_);
  Tick();
}

void SimulatedCrawl::ApplyStep(const Coordinator::Apply& apply) {
  if (const auto* lease = std::get_if<LeaseStep>(&apply.step)) {
    // While one origin fails, a lease for the other may be under way.
    if (!web_.HasHttps(lease->host)) CheckDeferral("http://" + lease->host, "leased");
  }
  if (store_losses_due_ > 0) return LoseStore(apply);
  const Result<Reply> reply = Execute(apply.step);
  if (!reply) violation_ = "the store refused a step";
  last_reply_ = std::max(last_reply_, now_ + milliseconds(Draw(0, 5)));
  At(last_reply_, [this, apply, reply, life = coordinator_life_] {
    if (life != coordinator_life_ || !reply) return;
    coordinator_->OnReply(apply, *reply, now_);
    CarryOut();
  });
}

// ---- Messages ----

/// Whether a message of a worker that is cut off goes no further, for now or for good.
bool SimulatedCrawl::Stops(SimulatedWorker& worker, std::function<void()> send_again) {
  if (Draw(0, 9) < worker.lost_in_ten) return true;
  if (!worker.held_back) return false;
  worker.waiting.push_back(std::move(send_again));
  return true;
}

/// Whether a message from or to that life of the coordinator died with it.
bool SimulatedCrawl::IsLostWith(int coordinator_life) {
  return coordinator_life != coordinator_life_ && Draw(0, 1) == 1;
}

void SimulatedCrawl::ToCoordinatorFrom(SimulatedWorker& worker, ToCoordinator message) {
  if (worker.cut &&
      Stops(worker, [this, &worker, message] { ToCoordinatorFrom(worker, message); })) {
    return;
  }
  if (Draw(0, 999) < faults_.lost_in_thousand) return;
  worker.last_out = std::max(worker.last_out, now_ + milliseconds(Draw(0, 10)));
  if (Draw(0, 999) < faults_.repeated_in_thousand) {
    ToCoordinatorAt(worker.last_out, worker, message);
  }
  ToCoordinatorAt(worker.last_out, worker, std::move(message));
}

void SimulatedCrawl::ToCoordinatorAt(TimePoint when, const SimulatedWorker& worker,
                                     ToCoordinator message) {
  At(when, [this, &worker, message = std::move(message), life = coordinator_life_] {
    if (store_is_lost_) {  // it is read when the store is back
      return ToCoordinatorAt(now_ + kTick, worker, message);
    }
    if (IsLostWith(life)) return;
    coordinator_->OnMessage(worker.name, message, now_);
    CarryOut();
  });
}

void SimulatedCrawl::ToWorkerNamed(const std::string& name, const ToWorker& message) {
  const auto found = workers_.find(name);
  if (found == workers_.end() || !found->second->alive) return;
  SimulatedWorker& worker = *found->second;
  if (Draw(0, 999) < faults_.lost_in_thousand) return;
  if (worker.cut && Stops(worker, [this, name, message] { ToWorkerNamed(name, message); })) return;
  worker.last_in = std::max(worker.last_in, now_ + milliseconds(Draw(0, 10)));
  At(worker.last_in, [this, &worker, message, life = coordinator_life_] {
    if (worker.alive && !IsLostWith(life)) Receive(worker, message);
  });
}

// ---- A worker ----

void SimulatedCrawl::Receive(SimulatedWorker& worker, const ToWorker& message) {
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    worker.welcome = true;
    worker.heartbeat_interval = welcome->heartbeat_interval;
    worker.lease_timeout = welcome->lease_timeout;
    worker.reports.ResendAll();
    worker.robots.ResendAll();
    Beat(worker);
  } else if (const auto* lease = std::get_if<Lease>(&message)) {
    CheckPoliteness(*lease, worker.name);
    const int urls = static_cast<int>(lease->entries.size());
    worker.leases[lease->lease_id] = urls;
    for (int i = 0; i < urls; ++i) {
      const WorkItem item{lease->lease_id, i, lease->depth, lease->host, lease->entries[i]};
      After(30, [this, &worker, item, before = worker.handed_back[item.host]] {
        if (before == worker.handed_back[item.host]) {
          Start(worker, item);
        } else if (worker.leases.contains(item.lease)) {
          End(worker, item, Returned{});
        }
      });
    }
  } else if (const auto* acks = std::get_if<Acks>(&message)) {
    for (const Ack& ack : acks->acks) worker.reports.Acknowledge(ack);
    SendReports(worker);
  } else if (const auto* heartbeat = std::get_if<CoordinatorHeartbeat>(&message)) {
    for (LeaseId id : heartbeat->ended_lease_ids) DropLease(worker, id);
    worker.last_confirmed = kStart + milliseconds(heartbeat->sent_ms);
  } else if (const auto* recall = std::get_if<Recall>(&message)) {
    recall->host.empty() ? HandBackAll(worker) : HandBack(worker, recall->host);
  } else if (const auto* answer = std::get_if<RobotsAnswer>(&message)) {
    OnRobots(worker, *answer);
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    if (refused->why != Refused::Why::kUnknown) violation_ = "refused: " + refused->detail;
    if (std::exchange(worker.welcome, false)) SayHello(worker);
  } else if (std::holds_alternative<CoordinatorGoodbye>(message)) {
    ToCoordinatorFrom(worker, WorkerGoodbye{});
    worker.alive = false;
  }
}

void SimulatedCrawl::HandBackAll(SimulatedWorker& worker) {
  worker.robots.DropAll();
  for (const auto& [host, times] : worker.handed_back) HandBack(worker, host);
}

void SimulatedCrawl::HandBack(SimulatedWorker& worker, const std::string& host) {
  ++worker.handed_back[host];
  for (const WorkItem& item : std::exchange(worker.waiting_for_robots[host], {})) {
    End(worker, item, Returned{});
    worker.robots.DropLease(item.lease);
  }
}

void SimulatedCrawl::SayHello(SimulatedWorker& worker) {
  Hello hello;
  hello.name = worker.name;
  hello.capacity = worker.capacity;
  hello.lease_ids = worker.Held();
  hello.sent_ms = SinceStart();
  ToCoordinatorFrom(worker, hello);
}

void SimulatedCrawl::SendReports(SimulatedWorker& worker) {
  if (!worker.welcome) return;
  const TimePoint resend_before = std::min(now_ - kResendAfter, worker.last_confirmed);
  for (Reports& reports : worker.reports.TakeDue(now_, resend_before)) {
    // Parts of a thousand links may be too large to travel together.
    if (Draw(0, 1) == 1) {
      ToCoordinatorFrom(worker, std::move(reports));
    } else {
      for (Report& report : reports.reports)
        ToCoordinatorFrom(worker, Reports{{std::move(report)}});
    }
  }
  for (ToCoordinator& message : worker.robots.TakeDue(now_, resend_before)) {
    ToCoordinatorFrom(worker, std::move(message));
  }
}

void SimulatedCrawl::Beat(SimulatedWorker& worker) {
  if (!worker.alive || ended_) return;
  if (worker.welcome) {
    WorkerHeartbeat heartbeat;
    heartbeat.lease_ids = worker.Held();
    heartbeat.capacity = worker.capacity;
    heartbeat.sent_ms = SinceStart();
    ToCoordinatorFrom(worker, heartbeat);
    SendReports(worker);
  } else {
    SayHello(worker);
  }
  At(now_ + worker.heartbeat_interval, [this, &worker, beat = ++worker.beats] {
    if (beat == worker.beats) Beat(worker);
  });
}

void SimulatedCrawl::Start(SimulatedWorker& worker, const WorkItem& item) {
  if (!worker.alive || !worker.leases.contains(item.lease)) return;
  if (!worker.LeasesAreOurs(now_)) {
    return At(now_ + kTick, [this, &worker, item] { Start(worker, item); });
  }
  const Url url = Url::Parse(item.entry.url).value();
  const RobotsCache::Entry* robots = worker.robots.Find(url, now_);
  if (!robots) {
    std::vector<WorkItem>& waiting = worker.waiting_for_robots[item.host];
    waiting.push_back(item);
    if (waiting.size() > 1) return;  // of a host one origin is asked for at a time
    worker.robots.Ask(url, item.lease);
    return SendReports(worker);
  }
  if (!robots->Allows(url))
    return End(worker, item, Failed{robots->reason, robots->detail, 0, true});
  const int latency = Draw(0, 9) == 0 ? 2'000 : 50;
  At(now_ + milliseconds(Draw(1, latency)), [this, &worker, item] { End(worker, item); });
}

/// Reports the URL even if its lease has ended meanwhile.
void SimulatedCrawl::End(SimulatedWorker& worker, const WorkItem& item,
                         std::optional<Outcome> outcome) {
  if (!worker.alive) return;
  const auto lease = worker.leases.find(item.lease);
  if (lease != worker.leases.end() && --lease->second == 0) worker.leases.erase(lease);
  Report report = outcome ? Report() : ReportOf(item);
  if (outcome) report.outcome = std::move(outcome);
  report.lease_id = item.lease;
  report.index = item.index;
  report.entry = item.entry;
  const auto* failed = std::get_if<Failed>(&*report.outcome);
  const bool overloaded = failed && AsksForFewerRequests(*failed);
  worker.reports.Add(std::move(report), item.depth);
  SendReports(worker);
  if (overloaded) HandBack(worker, item.host);
}

Report SimulatedCrawl::ReportOf(const WorkItem& item) {
  Report report;
  report.elapsed = milliseconds(1);
  const RandomWeb::Node& node = web_.nodes.at(item.entry.url);
  if (item.entry.attempt < node.failures) {
    report.outcome = node.overloaded ? Failed{Error::kHttpStatus, "HTTP status 503", 503}
                                     : Failed{Error::kReset, "connection reset", 0};
    return report;
  }
  switch (node.kind) {
    case RandomWeb::Node::Kind::kPage:
      rows_.push_back({item.entry.url, item.depth, item.lease, item.index});
      report.links = node.links;
      report.outcome = Fetched{100, node.links.size()};
      break;
    case RandomWeb::Node::Kind::kSitemap:
      if (item.entry.sitemap == 0) violation_ = item.entry.url + " was leased as a page";
      rows_.push_back({item.entry.url, item.depth, item.lease, item.index});
      report.links = node.links;
      report.sitemaps = node.sitemaps;
      report.outcome = Fetched{100, node.links.size()};
      break;
    case RandomWeb::Node::Kind::kRedirect:
      report.outcome = Redirected{302, node.links[0], true};
      break;
    case RandomWeb::Node::Kind::kError:
      report.outcome = Failed{Error::kHttpStatus, "404", 404};
      break;
  }
  return report;
}

// ---- robots.txt ----

/// What waits for the answer to a question of that lease asks anew.
void SimulatedCrawl::DropLease(SimulatedWorker& worker, LeaseId lease) {
  worker.leases.erase(lease);
  const auto host = worker.robots.DropLease(lease);
  if (!host) return;
  for (const WorkItem& item : std::exchange(worker.waiting_for_robots[*host], {})) {
    Start(worker, item);
  }
}

void SimulatedCrawl::OnRobots(SimulatedWorker& worker, const RobotsAnswer& answer) {
  const auto [verdict, host] = worker.robots.OnAnswer(answer, "trawl", now_);
  if (verdict == RobotsCache::Verdict::kNone) return FetchRobots(worker);
  for (const WorkItem& item : std::exchange(worker.waiting_for_robots[host], {})) {
    if (verdict == RobotsCache::Verdict::kDeferred) {
      End(worker, item, Returned{});
    } else {
      Start(worker, item);
    }
  }
}

void SimulatedCrawl::FetchRobots(SimulatedWorker& worker) {
  if (!worker.alive) return;
  if (!worker.LeasesAreOurs(now_)) {
    return At(now_ + kTick, [this, &worker] { FetchRobots(worker); });
  }
  while (const auto origin = worker.robots.TakeFetch()) {
    CheckDeferral(*origin, "asked for its robots.txt");
    At(now_ + milliseconds(Draw(1, 200)), [this, &worker, report = RobotsReportOf(*origin)] {
      if (!worker.alive) return;
      worker.robots.Fetched(report);
      SendReports(worker);
    });
  }
}

RobotsReport SimulatedCrawl::RobotsReportOf(const std::string& origin) {
  RobotsReport report;
  report.origin = origin;
  const std::string host(AuthorityOf(origin + "/"));
  if (++robots_fetches_[origin] <= web_.robots_failures.at(host)) {
    report.result = RobotsFailure{Error::kRobots, "HTTP status 503"};
  } else {
    std::string body = "User-agent: *\nAllow: /\n";
    for (const std::string& map : web_.sitemaps.at(host)) body += "Sitemap: " + map + "\n";
    report.result = RobotsFile{std::move(body)};
  }
  return report;
}

/// Of two workers of which one was taken for lost, both may be at it; not without faults.
void SimulatedCrawl::CheckDeferral(const std::string& origin, const char* what) {
  if (!faultless_) return;
  store_.Apply(ReadRobotsStep{origin, Wall()}, [&](Result<Reply> reply) {
    const auto record = std::get<ReadRobotsReply>(reply.value()).record;
    if (record && record->state == RobotsRecord::State::kFailing && record->next_try > Wall()) {
      violation_ = origin + " was " + what + " before its time";
    }
  });
}

void SimulatedCrawl::CheckPoliteness(const Lease& lease, const std::string& worker) {
  int connections = 0;
  std::set<std::string> holders;
  for (const Snapshot::Lease& live : store_.Peek().leases) {
    if (live.host != lease.host) continue;
    connections += std::min(live.connections, static_cast<int>(live.indexes.size()));
    holders.insert(live.worker);
  }
  std::ostringstream text;
  if (connections > options_.crawl.host_connections) {
    text << lease.host << " has " << connections << " connections";
  } else if (lease.delay > milliseconds(0) && holders.size() > 1) {
    text << lease.host << " is leased to " << holders.size() << " workers at once, " << worker
         << " among them";
  }
  if (violation_.empty()) violation_ = text.str();
}

std::vector<SimulatedCrawl::Row> SimulatedCrawl::Pages() const {
  std::set<std::pair<LeaseId, int>> refused;
  for (const std::string& item : outbox_) {
    std::istringstream words(item);
    std::string kind;
    LeaseId lease = 0;
    int index = 0;
    if (words >> kind && kind == "refused" && words >> lease >> index) {
      refused.emplace(lease, index);
    }
  }
  std::vector<Row> pages;
  for (const Row& row : rows_) {
    if (!refused.contains({row.lease, row.index})) pages.push_back(row);
  }
  return pages;
}

}  // namespace trawl

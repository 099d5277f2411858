#include "tests/support/simulated_crawl.h"

#include <algorithm>
#include <sstream>

namespace trawl {
namespace {

constexpr milliseconds kTick{100};
constexpr auto kLongest = std::chrono::hours(24);

Scope ScopeOf(const CrawlOptions& crawl) {
  std::string complaint;
  return *Scope::Make(crawl, complaint);
}

}  // namespace

struct SimulatedCrawl::SimulatedWorker {
  std::string name;
  bool alive = true;
  bool cut = false;  // messages wait on both sides
  std::vector<std::function<void()>> held_back;
  TimePoint last_in{};  // messages of one connection keep their order
  TimePoint last_out{};
  std::set<LeaseId> leases;
  std::map<std::uint64_t, Report> unacknowledged;
  std::uint64_t sequence = 0;
};

SimulatedCrawl::SimulatedCrawl(std::uint64_t seed, CoordinatorOptions options, const RandomWeb& web,
                               SimulatedFaults faults)
    : random_(seed), options_(std::move(options)), web_(web) {
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

bool SimulatedCrawl::Run() {
  while (!ended_ && !events_.empty() && now_ < TimePoint(kLongest)) {
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
      worker->cut = true;
      At(now_ + options_.lease_timeout * 2, [this, worker] {
        worker->cut = false;
        for (auto& message : std::exchange(worker->held_back, {})) After(10, std::move(message));
      });
      StartWorker();
    });
  }
  for (; faults.restarts > 0; --faults.restarts) {
    After(kWithinMs, [this] {
      if (!ended_) StartCoordinator();
    });
  }
}

void SimulatedCrawl::StartCoordinator() {
  ++coordinator_life_;
  coordinator_ = std::make_unique<Coordinator>(options_, ScopeOf(options_.crawl), now_,
                                               std::chrono::system_clock::time_point());
  const auto mode = coordinator_life_ == 1 ? Store::OpenMode::kCreate : Store::OpenMode::kResume;
  store_.Open(mode, {{"state", "running"}},
              [this](Result<Snapshot> snapshot) { coordinator_->Start(snapshot.value(), now_); });
  CarryOut();
}

void SimulatedCrawl::StartWorker() {
  auto worker = std::make_unique<SimulatedWorker>();
  worker->name = "w" + std::to_string(++workers_made_);
  const std::string name = worker->name;
  workers_.emplace(name, std::move(worker));
  Hello hello;
  hello.name = name;
  hello.capacity = Draw(1, 40);
  ToCoordinatorFrom(name, hello);
  Beat(name);
}

void SimulatedCrawl::Tick() {
  if (ended_) return;
  coordinator_->OnTick(now_);
  CarryOut();
  At(now_ + kTick, [this] { Tick(); });
}

void SimulatedCrawl::Beat(const std::string& name) {
  SimulatedWorker& worker = *workers_.at(name);
  if (!worker.alive || ended_) return;
  WorkerHeartbeat heartbeat;
  heartbeat.lease_ids.assign(worker.leases.begin(), worker.leases.end());
  heartbeat.capacity = 40;
  ToCoordinatorFrom(name, heartbeat);
  // What was not acknowledged for a while is sent again.
  Reports again;
  for (const auto& [sequence, report] : worker.unacknowledged) again.reports.push_back(report);
  if (!again.reports.empty()) ToCoordinatorFrom(name, again);
  At(now_ + options_.lease_timeout / 4, [this, name] { Beat(name); });
}

void SimulatedCrawl::CarryOut() {
  if (carrying_out_) return;
  carrying_out_ = true;
  for (auto actions = coordinator_->TakeActions(); !actions.empty();
       actions = coordinator_->TakeActions()) {
    for (Coordinator::Action& action : actions) {
      if (auto* send = std::get_if<Coordinator::Send>(&action)) {
        Deliver(send->worker, send->message);
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
      } else if (std::holds_alternative<Coordinator::End>(action)) {
        ended_ = true;
      }
    }
  }
  carrying_out_ = false;
}

void SimulatedCrawl::ApplyStep(const Coordinator::Apply& apply) {
  Result<Reply> reply = Error::kStore;
  store_.Apply(apply.step, [&](Result<Reply> result) { reply = std::move(result); });
  if (!reply) violation_ = "the store refused a step";
  last_reply_ = std::max(last_reply_, now_ + milliseconds(Draw(0, 5)));
  At(last_reply_, [this, apply, reply, life = coordinator_life_] {
    if (life != coordinator_life_ || !reply) return;
    coordinator_->OnReply(apply, *reply, now_);
    CarryOut();
  });
}

void SimulatedCrawl::ToCoordinatorFrom(const std::string& name, ToCoordinator message) {
  SimulatedWorker& worker = *workers_.at(name);
  auto deliver = [this, name, message = std::move(message)] {
    coordinator_->OnMessage(name, message, now_);
    CarryOut();
  };
  if (worker.cut) return worker.held_back.push_back(std::move(deliver));
  worker.last_out = std::max(worker.last_out, now_ + milliseconds(Draw(0, 10)));
  At(worker.last_out, std::move(deliver));
}

void SimulatedCrawl::Deliver(const std::string& name, const ToWorker& message) {
  const auto found = workers_.find(name);
  if (found == workers_.end() || !found->second->alive) return;
  SimulatedWorker& worker = *found->second;
  auto receive = [this, &worker, message] {
    if (!worker.alive) return;
    if (const auto* lease = std::get_if<Lease>(&message)) {
      CheckPoliteness(*lease, worker.name);
      worker.leases.insert(lease->lease_id);
      for (int i = 0; i < static_cast<int>(lease->entries.size()); ++i) {
        Fetch(worker.name, *lease, i);
      }
    } else if (const auto* acks = std::get_if<Acks>(&message)) {
      for (const Ack& ack : acks->acks) worker.unacknowledged.erase(ack.sequence);
    } else if (const auto* heartbeat = std::get_if<CoordinatorHeartbeat>(&message)) {
      for (LeaseId id : heartbeat->ended_lease_ids) worker.leases.erase(id);
    } else if (const auto* refused = std::get_if<Refused>(&message)) {
      Hello hello;
      hello.name = worker.name;
      hello.capacity = 40;
      hello.lease_ids.assign(worker.leases.begin(), worker.leases.end());
      if (refused->why == Refused::Why::kUnknown) ToCoordinatorFrom(worker.name, hello);
    } else if (std::holds_alternative<CoordinatorGoodbye>(message)) {
      ToCoordinatorFrom(worker.name, WorkerGoodbye{});
      worker.alive = false;
    }
  };
  if (worker.cut) return worker.held_back.push_back(std::move(receive));
  worker.last_in = std::max(worker.last_in, now_ + milliseconds(Draw(0, 10)));
  At(worker.last_in, std::move(receive));
}

void SimulatedCrawl::Fetch(const std::string& name, const Lease& lease, int index) {
  const int latency = Draw(0, 9) == 0 ? 2'000 : 50;
  At(now_ + milliseconds(Draw(1, latency)), [this, name, lease, index] {
    SimulatedWorker& worker = *workers_.at(name);
    if (!worker.alive || !worker.leases.contains(lease.lease_id)) return;
    const Report report = ReportOf(worker, lease, index);
    worker.unacknowledged[report.sequence] = report;
    ToCoordinatorFrom(name, Reports{{report}});
  });
}

Report SimulatedCrawl::ReportOf(SimulatedWorker& worker, const Lease& lease, int index) {
  Report report;
  report.sequence = ++worker.sequence;
  report.lease_id = lease.lease_id;
  report.index = index;
  report.entry = lease.entries[index];
  report.elapsed = milliseconds(1);
  const RandomWeb::Node& node = web_.nodes.at(report.entry.url);
  switch (node.kind) {
    case RandomWeb::Node::Kind::kPage:
      rows_.push_back({report.entry.url, lease.depth, lease.lease_id, index});
      report.links = node.links;
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
  violation_ = text.str();
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

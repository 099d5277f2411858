// How many workers one coordinator can keep busy: whole crawls in virtual time, with the real
// Coordinator, WorkQueue and a MemoryStore, and with the times that each process takes for its work
// as they were measured. A process serves one thing after the other, so that what it cannot keep
// up with waits.
//
//     scale_simulation [--politeness] [--latency-ms N] [--NAME-us N]... [WORKERS...]
//
// Without --politeness there is one site that sets no limits, else as many hosts as all workers
// together could ask, each one URL a second over one connection. The times, in microseconds of
// CPU, are those of README's machine: coordinator_load tells those of the coordinator and of Redis
// (what 1,000 workers cost more than 10 is their leases and heartbeats), compare.sh a worker's.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "coordinator/coordinator.h"
#include "coordinator/store/memory_store.h"
#include "worker/work_queue.h"

namespace trawl {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

/// What the parts of a crawl take, and how long things are on their way.
struct Times {
  microseconds coordinator_page{12};  // its report, with 20 links of which two are new
  microseconds coordinator_lease{45};
  microseconds coordinator_heartbeat{20};
  microseconds redis_page{15};
  microseconds redis_lease{27};
  microseconds worker_page{49};
  microseconds latency{1'000};  // from a request to the end of its answer
  microseconds network{100};    // of a message
};

constexpr int kConcurrency = 200;
constexpr int kCapacity = 16 * kConcurrency;  // as trawl-worker's
constexpr std::size_t kReportsPerMessage = 30;
constexpr microseconds kReportDelay{5'000};  // until a message that is not full is sent
constexpr int kMostHosts = 100'000;
constexpr int kNewLinks = 2;
// The rate is that of the time between these.
constexpr seconds kWarmUp{10};
constexpr seconds kEnd{20};

/// Serves in the order of arrival.
class Server {
 public:
  TimePoint Serve(TimePoint now, microseconds work) {
    free_ = std::max(free_, now) + work;
    busy_ += work;
    return free_;
  }
  /// Without what still waits.
  microseconds busy(TimePoint now) const {
    return busy_ - std::chrono::duration_cast<microseconds>(Backlog(now));
  }
  /// How long what comes now has to wait.
  TimePoint::duration Backlog(TimePoint now) const { return std::max(free_, now) - now; }

 private:
  TimePoint free_{};
  microseconds busy_{0};
};

class Simulation {
 public:
  Simulation(int workers, bool politeness, Times times) : times_(times) {
    CoordinatorOptions options = Options(workers, politeness);
    std::string complaint;
    Scope scope = *Scope::Make(options.crawl, complaint);
    coordinator_ = std::make_unique<Coordinator>(std::move(options), std::move(scope), now_,
                                                 std::chrono::system_clock::time_point());
    store_.Open(Store::OpenMode::kCreate, {},
                [this](Result<Snapshot> snapshot) { coordinator_->Start(*snapshot, now_); });
    CarryOut();
    Tick();
    for (int i = 0; i < workers; ++i) AddWorker(i);
  }

  void Run() {
    RunUntil(kStart + kWarmUp);
    const Load before = Now();
    RunUntil(kStart + kEnd);
    const Load after = Now();
    const double wall = std::chrono::duration<double>(kEnd - kWarmUp).count();
    const auto share = [&](microseconds Load::*busy) {
      return 100 * std::chrono::duration<double>(after.*busy - before.*busy).count() / wall;
    };
    const double count = static_cast<double>(workers_.size());
    const double pages = static_cast<double>(after.pages - before.pages);
    const double leases = static_cast<double>(after.leases - before.leases);
    std::printf("| %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.1f |\n", count, pages / wall,
                pages / wall / count, share(&Load::coordinator), share(&Load::redis),
                share(&Load::workers) / count, leases > 0 ? pages / leases : 0);
    std::fflush(stdout);
  }

 private:
  static constexpr TimePoint kStart = TimePoint() + std::chrono::hours(1);

  struct Event {
    TimePoint at;
    std::uint64_t number;  // keeps events of one instant in order
    std::function<void()> run;
    bool operator>(const Event& other) const {
      return std::tie(at, number) > std::tie(other.at, other.number);
    }
  };
  struct SimulatedWorker {
    std::string name;
    Server cpu;
    WorkQueue queue;
    int in_flight = 0;
    std::uint64_t sequence = 0;
    Reports reports;
    TimePoint wakes{};  // the event that is planned for it
  };
  /// So far.
  struct Load {
    std::uint64_t pages = 0;
    std::uint64_t leases = 0;
    microseconds coordinator{0};
    microseconds redis{0};
    microseconds workers{0};
  };

  CoordinatorOptions Options(int workers, bool politeness) const {
    CoordinatorOptions options;
    options.job = "simulated";
    options.crawl.depth = 1'000'000;
    options.crawl.scope = ScopeKind::kAny;
    options.crawl.rounds = RoundMode::kFree;
    options.crawl.host_delay = milliseconds(politeness ? 1'000 : 0);
    options.crawl.host_connections = politeness ? 1 : workers * kConcurrency;
    const int hosts = politeness ? std::min(kMostHosts, workers * kConcurrency) : 1;
    // So many URLs that none of them runs short.
    const int seeds = politeness ? hosts : std::min(kMostHosts, workers * kConcurrency);
    for (int i = 0; i < seeds; ++i) {
      options.crawl.seeds.push_back("http://h" + std::to_string(i % hosts) + ".test/" +
                                    std::to_string(i));
    }
    return options;
  }

  Load Now() const {
    Load load{pages_, leases_, coordinator_cpu_.busy(now_), redis_.busy(now_), {}};
    for (const auto& [name, worker] : workers_) load.workers += worker->cpu.busy(now_);
    return load;
  }

  void At(TimePoint when, std::function<void()> run) {
    events_.push({when, ++events_made_, std::move(run)});
  }

  void RunUntil(TimePoint end) {
    while (events_.top().at < end) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      event.run();
    }
    now_ = end;
  }

  // ---- Coordinator and Redis ----

  void ToCoordinator(const SimulatedWorker& from, trawl::ToCoordinator message, microseconds work) {
    At(now_ + times_.network, [this, name = from.name, message = std::move(message), work] {
      At(coordinator_cpu_.Serve(now_, work), [this, name, message] {
        coordinator_->OnMessage(name, message, now_);
        CarryOut();
      });
    });
  }

  void Tick() {
    constexpr milliseconds kTick{100};
    coordinator_->OnTick(now_, coordinator_cpu_.Backlog(now_) < kTick);
    CarryOut();
    At(now_ + kTick, [this] { Tick(); });
  }

  void CarryOut() {
    for (Coordinator::Action& action : coordinator_->TakeActions()) {
      if (auto* send = std::get_if<Coordinator::Send>(&action)) {
        At(now_ + times_.network,
           [this, send = std::move(*send)] { Receive(*workers_.at(send.worker), send.message); });
      } else if (auto* apply = std::get_if<Coordinator::Apply>(&action)) {
        if (std::holds_alternative<LeaseStep>(apply->step)) {
          coordinator_cpu_.Serve(now_, times_.coordinator_lease);
        }
        At(redis_.Serve(now_, RedisTime(apply->step)), [this, apply = std::move(*apply)] {
          if (std::holds_alternative<AcceptStep>(apply.step)) ++pages_;
          if (std::holds_alternative<LeaseStep>(apply.step)) ++leases_;
          store_.Apply(apply.step, [&](Result<Reply> reply) {
            coordinator_->OnReply(apply, std::move(reply).value(), now_);
          });
          CarryOut();
        });
      }
    }
  }

  microseconds RedisTime(const Step& step) const {
    if (std::holds_alternative<AcceptStep>(step)) return times_.redis_page;
    return std::holds_alternative<LeaseStep>(step) ? times_.redis_lease : microseconds(0);
  }

  // ---- Workers ----

  void AddWorker(int number) {
    auto made = std::make_unique<SimulatedWorker>();
    SimulatedWorker& worker = *made;
    worker.name = "w" + std::to_string(number);
    workers_.emplace(worker.name, std::move(made));
    Hello hello;
    hello.name = worker.name;
    hello.capacity = kCapacity;
    // They do not all beat at once.
    At(now_ + milliseconds(number % 1'000), [this, &worker, hello] {
      ToCoordinator(worker, hello, times_.coordinator_heartbeat);
      Beat(worker);
    });
  }

  void Beat(SimulatedWorker& worker) {
    At(now_ + seconds(1), [this, &worker] {
      WorkerHeartbeat heartbeat;
      heartbeat.capacity = kCapacity;
      heartbeat.lease_ids = worker.queue.leases();
      ToCoordinator(worker, std::move(heartbeat), times_.coordinator_heartbeat);
      Beat(worker);
    });
  }

  void Receive(SimulatedWorker& worker, const ToWorker& message) {
    const auto* lease = std::get_if<Lease>(&message);
    if (!lease) return;
    worker.queue.Add(*lease, now_);
    Fetch(worker);
  }

  void Fetch(SimulatedWorker& worker) {
    while (worker.in_flight < kConcurrency && worker.queue.Next(now_)) {
      ++worker.in_flight;
      const WorkItem item = worker.queue.Take();
      worker.queue.RequestStarted(item.host, now_);
      worker.queue.RequestSent(item.host, now_);
      At(now_ + times_.latency, [this, &worker, item] {
        At(worker.cpu.Serve(now_, times_.worker_page),
           [this, &worker, item] { End(worker, item); });
      });
    }
    const auto next = worker.queue.NextStart();
    if (worker.in_flight == kConcurrency || !next || *next == worker.wakes) return;
    worker.wakes = *next;
    At(std::max(now_, *next), [this, &worker] { Fetch(worker); });
  }

  void End(SimulatedWorker& worker, const WorkItem& item) {
    --worker.in_flight;
    worker.queue.RequestEnded(item.host, true);
    worker.queue.Ended(item);
    Report report;
    report.sequence = ++worker.sequence;
    report.lease_id = item.lease;
    report.index = item.index;
    report.entry = item.entry;
    for (int i = 0; i < kNewLinks; ++i) {
      report.links.push_back("http://" + item.host + "/n" + std::to_string(++urls_made_));
    }
    report.outcome = Fetched{14'000, kNewLinks, 0};
    worker.reports.reports.push_back(std::move(report));
    const std::size_t reports = worker.reports.reports.size();
    if (reports == kReportsPerMessage) {
      SendReports(worker);
    } else if (reports == 1) {
      At(now_ + kReportDelay, [this, &worker] { SendReports(worker); });
    }
    Fetch(worker);
  }

  void SendReports(SimulatedWorker& worker) {
    const auto reports = static_cast<int>(worker.reports.reports.size());
    if (reports == 0) return;
    ToCoordinator(worker, std::exchange(worker.reports, {}), reports * times_.coordinator_page);
  }

  const Times times_;
  TimePoint now_ = kStart;
  std::uint64_t events_made_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  MemoryStore store_;
  std::unique_ptr<Coordinator> coordinator_;
  Server coordinator_cpu_;
  Server redis_;
  std::map<std::string, std::unique_ptr<SimulatedWorker>> workers_;
  std::uint64_t pages_ = 0;   // accepted by Redis
  std::uint64_t leases_ = 0;  // made by it
  std::uint64_t urls_made_ = 0;
};

int Main(const std::vector<std::string>& arguments) {
  Times times;
  const std::map<std::string, std::pair<microseconds Times::*, int>> flags = {
      {"--coordinator-page-us", {&Times::coordinator_page, 1}},
      {"--coordinator-lease-us", {&Times::coordinator_lease, 1}},
      {"--coordinator-heartbeat-us", {&Times::coordinator_heartbeat, 1}},
      {"--redis-page-us", {&Times::redis_page, 1}},
      {"--redis-lease-us", {&Times::redis_lease, 1}},
      {"--worker-page-us", {&Times::worker_page, 1}},
      {"--latency-ms", {&Times::latency, 1'000}}};
  bool politeness = false;
  std::vector<int> workers;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto flag = flags.find(arguments[i]);
    if (arguments[i] == "--politeness") {
      politeness = true;
    } else if (flag != flags.end()) {
      const auto [time, unit] = flag->second;
      times.*time = microseconds(unit * std::stol(arguments.at(++i)));
    } else {
      workers.push_back(std::stoi(arguments[i]));
    }
  }
  if (workers.empty()) workers = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1'000, 10'000};
  std::printf(
      "| workers | pages/s | of each | coordinator %% | Redis %% | worker %% | pages a lease |\n"
      "|---|---|---|---|---|---|---|\n");
  for (const int count : workers) Simulation(count, politeness, times).Run();
  return 0;
}

}  // namespace
}  // namespace trawl

int main(int argc, char** argv) {
  try {
    return trawl::Main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scale_simulation: %s (its first lines tell its arguments)\n",
                 error.what());
    return 2;
  }
}

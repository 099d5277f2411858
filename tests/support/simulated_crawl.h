// A whole crawl in virtual time: the real Coordinator on a MemoryStore, simulated workers that
// ask for robots.txt with the real RobotsCache, fetch from a RandomWeb and report with the real
// ReportLog in parts of a few links, random delays
// of messages, of the store and of fetches, workers that are killed or cut off, messages that get
// lost. Every run follows from its seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "coordinator/coordinator.h"
#include "coordinator/store/memory_store.h"
#include "tests/support/random_web.h"
#include "worker/work_queue.h"

namespace trawl {

struct SimulatedFaults {
  int kills = 0;  // workers that die without a word
  /// Connections that fail for up to one and a half times as long as leases last, so that a worker
  /// is lost once at most: of what is sent meanwhile, some is lost, and the rest comes at once or
  /// at the end.
  int cuts = 0;
  /// Coordinators that die, with some of the messages under way, and are started again on the same
  /// store.
  int restarts = 0;
  int pauses = 0;  // by the control key, for a while
  /// Losses of the store's connection, at any call: it is lost, or executed and its reply lost, or
  /// executed when the coordinator has opened the job again.
  int store_losses = 0;
  int lost_in_thousand = 0;      // messages
  int repeated_in_thousand = 0;  // messages to the coordinator

  bool none() const {
    return kills + cuts + restarts + pauses + store_losses + lost_in_thousand +
               repeated_in_thousand ==
           0;
  }
};

class SimulatedCrawl {
 public:
  struct Row {
    std::string url;
    int depth = 0;
    LeaseId lease = 0;
    int index = 0;
  };

  SimulatedCrawl(std::uint64_t seed, CoordinatorOptions options, const RandomWeb& web,
                 SimulatedFaults faults);
  ~SimulatedCrawl();

  /// Goes on with the job as another run with these options, whether this one has ended or not.
  void Resume(CoordinatorOptions options);
  /// Runs to the end of the crawl; false when it has not ended after so much virtual time.
  bool Run(milliseconds most = std::chrono::hours(24));

  /// The page rows that count: written by a worker, and not refused by the outbox.
  std::vector<Row> Pages() const;
  const std::vector<std::string>& outbox() const { return outbox_; }
  const MemoryStore& store() const { return store_; }
  /// By origin: how often its robots.txt was fetched.
  const std::map<std::string, int>& robots_fetches() const { return robots_fetches_; }
  /// How many URLs have moved to a smaller depth, by what had become of them before.
  const std::map<Admission::Was, int>& moves() const { return moves_; }
  /// The first broken promise that was seen on the way; empty: none.
  const std::string& violation() const { return violation_; }

 private:
  /// Not the beginning of time, which stands for "never".
  static constexpr TimePoint kStart = TimePoint() + std::chrono::hours(1);

  struct SimulatedWorker;
  struct Event {
    TimePoint at;
    std::uint64_t number;  // keeps events of one instant in order
    std::function<void()> run;
    bool operator>(const Event& other) const {
      return std::tie(at, number) > std::tie(other.at, other.number);
    }
  };

  void StartCoordinator();
  void StartWorker();
  void At(TimePoint when, std::function<void()> run);
  void After(int most_ms, std::function<void()> run);
  void CarryOut();
  void ApplyStep(const Coordinator::Apply& apply);
  void LoseStore(const Coordinator::Apply& apply);
  Result<Reply> Execute(const Step& step);
  void ToCoordinatorAt(TimePoint when, const SimulatedWorker& worker, ToCoordinator message);
  void TellBeyond(const Coordinator::ReadBeyond& read);
  void ToCoordinatorFrom(SimulatedWorker& worker, ToCoordinator message);
  void ToWorkerNamed(const std::string& name, const ToWorker& message);
  bool Stops(SimulatedWorker& worker, std::function<void()> send_again);
  bool IsLostWith(int coordinator_life);
  void Receive(SimulatedWorker& worker, const ToWorker& message);
  void SayHello(SimulatedWorker& worker);
  void SendReports(SimulatedWorker& worker);
  void Beat(SimulatedWorker& worker);
  void Start(SimulatedWorker& worker, const WorkItem& item);
  void End(SimulatedWorker& worker, const WorkItem& item, std::optional<Outcome> outcome = {});
  Report ReportOf(const WorkItem& item);
  void DropLease(SimulatedWorker& worker, LeaseId lease);
  void OnRobots(SimulatedWorker& worker, const RobotsAnswer& answer);
  void FetchRobots(SimulatedWorker& worker);
  RobotsReport RobotsReportOf(const std::string& origin);
  void CheckDeferral(const std::string& origin, const char* what);
  void Tick();
  void PlanFaults(SimulatedFaults faults);
  void PlanCut(SimulatedWorker& worker);
  void HandBackAll(SimulatedWorker& worker);
  void HandBack(SimulatedWorker& worker, const std::string& host);
  std::uint64_t SinceStart() const {
    return std::chrono::duration_cast<milliseconds>(now_ - kStart).count();
  }
  WallTime Wall() const { return WallTime(std::chrono::floor<milliseconds>(now_ - kStart)); }
  void CheckPoliteness(const Lease& lease, const std::string& worker);
  int Draw(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  std::mt19937_64 random_;
  CoordinatorOptions options_;
  const RandomWeb& web_;
  const SimulatedFaults faults_;
  bool faultless_;
  TimePoint now_ = kStart;
  std::uint64_t events_made_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;

  MemoryStore store_;
  std::unique_ptr<Coordinator> coordinator_;
  int coordinator_life_ = 0;  // events of an earlier life are void
  bool store_is_lost_ = false;
  int store_losses_due_ = 0;  // each at the next call
  int steps_ = 0;
  TimePoint last_reply_{};
  bool ended_ = false;
  bool carrying_out_ = false;

  std::map<std::string, std::unique_ptr<SimulatedWorker>> workers_;
  int workers_made_ = 0;
  std::map<std::string, int> robots_fetches_;
  std::map<Admission::Was, int> moves_;
  std::vector<Row> rows_;
  std::vector<std::string> outbox_;
  std::uint64_t outbox_next_ = 0;
  std::size_t beyond_read_ = 0;  // of outbox_, by the coordinator that starts
  std::string violation_;
};

}  // namespace trawl

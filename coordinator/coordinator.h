// Decides a whole crawl: messages of workers and replies of the store go in, actions come out. It
// does no I/O and reads no clock, so that a test runs a crawl of a thousand workers in one process.
//
// Every event method appends to the actions; whoever drives it carries them out in order and feeds
// what comes of them back in: each Apply ends in one OnReply(), in the order in which they were
// applied.
//
// What it keeps in memory (host queues, leases, rounds) mirrors the store and is rebuilt from a
// Snapshot. A URL counts as leased from the LeaseStep until the reply that ended it, so a depth
// without waiting, leased and delayed URLs has nothing under way: its round is closed.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/link_memory.h"
#include "common/options.h"
#include "common/scope.h"
#include "coordinator/frontier.h"
#include "coordinator/lease_table.h"
#include "coordinator/report_rules.h"
#include "coordinator/robots_table.h"
#include "coordinator/round_work.h"
#include "coordinator/store/store.h"
#include "coordinator/worker_table.h"
#include "proto/messages.h"

namespace trawl {

class Coordinator {
 public:
  struct Send {
    std::string worker;
    ToWorker message;
  };
  /// A step for the store, and what the reply will need again.
  struct Apply {
    Step step;
    std::string worker;             // AcceptStep: who reported; LeaseStep: who gets the lease
    std::uint64_t sequence = 0;     // AcceptStep: of the report
    milliseconds delay{0};          // LeaseStep: terms of the lease
    TimePoint start{};              // LeaseStep: no request before
    std::uint64_t body_digest = 0;  // AcceptStep: of the body that ended the URL; 0: none
    /// AcceptStep: its links need not come again if no limit drops one (Ack::links_settled).
    bool may_settle_links = false;
  };
  /// Append these outbox items to the results; OnWritten() follows.
  struct Write {
    std::uint64_t first = 0;
    std::vector<std::string> items;
  };
  /// Tell what was found beyond a depth, and not beyond another one, from where the last one
  /// stopped; OnBeyond() follows.
  struct ReadBeyond {
    int depth = 0;     // deeper than this
    int greatest = 0;  // and no deeper than this
  };
  /// Something that a person should know.
  struct Log {
    std::string text;
  };
  /// The job has ended for this process.
  struct End {};
  using Action = std::variant<Send, Apply, Write, ReadBeyond, Log, End>;

  enum class Phase {
    kStarting,  // waits for the seeds to be admitted
    kRunning,
    kPaused,    // leases nothing, on a person's word
    kDraining,  // leases nothing; workers hand back what they have
    kClosing,   // all is decided; the last rows are written
    kSaving,    // the job's state is saved
    kParting,   // workers are sent home
    kEnded,
  };

  struct Counts {
    std::uint64_t admitted = 0;
    std::uint64_t fetched = 0;
    std::uint64_t redirected = 0;
    std::uint64_t failed = 0;
    std::uint64_t bytes = 0;  // decoded bodies of fetched pages
    std::uint64_t leases_expired = 0;
    std::map<std::string, std::uint64_t> failed_by_reason;
    Drops dropped_by_reason;  // links, sitemaps and redirect targets, as they are reported
  };

  /// What a person sees of a running crawl.
  struct Progress {
    Phase phase = Phase::kStarting;
    int round = 0;
    Counts counts;
    std::uint64_t waiting = 0;  // in host queues, or delayed
    std::uint64_t leased = 0;
    std::uint64_t in_flight = 0;
    std::size_t workers = 0;
    std::size_t hosts = 0;
    bool store_lost = false;  // set by who drives the coordinator
  };

  /// `wall` is the time of day at `now`.
  Coordinator(CoordinatorOptions options, Scope scope, TimePoint now,
              std::chrono::system_clock::time_point wall);

  /// The first event.
  void Start(const Snapshot& snapshot, TimePoint now);
  void OnMessage(const std::string& peer, const ToCoordinator& message, TimePoint now);
  /// A message that could not be decoded.
  void OnGarbage(const std::string& peer, TimePoint now);
  void OnReply(const Apply& apply, Reply reply, TimePoint now);
  /// Some of what was asked for, and whether it was the last of it.
  void OnBeyond(const std::vector<FoundBeyond>& found, bool last, TimePoint now);
  /// The items of a Write are in the results.
  void OnWritten(const Write& write, TimePoint now);
  /// Rows cannot be written for now, or can be again: nothing is leased meanwhile.
  void OnRowsStalled(bool stalled, TimePoint now);
  /// Several times a second. `listening` is false while messages of workers that have come are not
  /// read, or not all.
  void OnTick(TimePoint now, bool listening = true);
  /// Hand everything back and end; the job can be resumed.
  void Stop(TimePoint now);

  std::vector<Action> TakeActions();

  Progress progress() const;
  /// All is saved, and nothing is asked of the store any more that matters.
  bool is_parting() const { return phase_ >= Phase::kParting; }
  /// Why the job ended, for people; empty when every admitted URL is terminal.
  const std::string& stopped_because() const { return stopped_because_; }

 private:
  void OnHello(const std::string& peer, const Hello& hello, TimePoint now);
  void OnHeartbeat(const std::string& peer, const WorkerHeartbeat& heartbeat, TimePoint now);
  void OnReport(const std::string& peer, const Report& report, TimePoint now);
  void OnGoodbye(const std::string& peer);
  void OnRobotsQuery(const std::string& peer, const RobotsQuery& query);
  void OnRobotsReport(const std::string& peer, const RobotsReport& report, TimePoint now);
  void OnAdmitted(const AdmitStep& step, const AdmitReply& reply);
  void OnLeased(const Apply& apply, LeaseReply reply, TimePoint now);
  void OnAccepted(const Apply& apply, const AcceptReply& reply, TimePoint now);
  void OnWoken(const WakeReply& reply, TimePoint now);
  void OnGivenUp(const GiveUpStep& step, const GiveUpReply& reply);
  void OnExpired(const ExpireStep& step, const ExpireReply& reply, TimePoint now);
  void OnControl(const std::string& control, TimePoint now);
  void OnOutbox(ReadOutboxReply reply, TimePoint now);

  static Report WithoutRetry(const Report& report);
  milliseconds LeaveAlone(const std::string& host, const Report& report, TimePoint now);
  void GiveUpHost(const std::string& host, Error reason);
  bool DropLinksOfRepeatedBody(const std::string& host, const Report& report, AcceptStep& step);
  void Count(const Ending& ending);
  void Admitted(const Candidate& candidate, const Admission& admission, int depth);
  void Moved(const Candidate& candidate, const Admission& admission, int depth);
  void AllAdmitted(const std::vector<Candidate>& candidates,
                   const std::vector<Admission>& admissions, int depth);

  /// Leases out as much as workers and hosts can take, opens rounds, ends the crawl.
  void Advance(TimePoint now);
  void Dispatch(TimePoint now);
  void LeaseTo(const std::string& worker, const Frontier::Grant& grant, TimePoint now);
  bool MayAskForRobots(const std::string& peer, LeaseId id, const std::string& origin) const;
  void ObeyRobots(TimePoint now);
  void AnswerRobots(RobotsTable::Answer answer);
  void SendRobots(const RobotsTable::Answer& answer);
  void OnSitemapsAdmitted();
  /// A lease of a URL on its last life reaches a worker when it has no other such lease: it is not
  /// to lose that life for another URL's sake.
  void SendSuspect(const std::string& worker, Lease lease, TimePoint now);
  void SendNextSuspect(const std::string& worker, TimePoint now);
  void SuspectEnded(const std::string& worker, LeaseId id, TimePoint now);
  void TakeBackSuspects();
  /// Takes the lease's connections that are not in use any more back, and all when it is over.
  void ReleaseLease(LeaseId id, const std::string& host, int ended_urls, TimePoint now);
  bool MayOpenNextRound() const;
  int LeastDepth() const;
  bool IsBeyondRound(int least) const;
  void OpenRound(int depth, TimePoint now);
  void CloseOverdueRound(TimePoint now);
  std::uint64_t PagesAllowed() const;
  milliseconds HeartbeatInterval() const;
  milliseconds LeaseLife() const;
  bool NobodyIsThere(TimePoint now) const;
  void ExpireLease(LeaseId id, bool blame);
  void LoseWorker(const std::string& name, bool blame);
  void Close(std::string state);
  void SaveState(TimePoint now);
  void SayGoodbye(TimePoint now);
  void JudgeSilence(TimePoint now);
  void ContinueStart();
  void ReadControl();
  void ReadOutbox();
  void Pause();
  void SaveWorkers(TimePoint now);
  std::string WorkerJson(const Worker& worker) const;

  void Do(Action action) { actions_.push_back(std::move(action)); }
  void ApplyStep(Step step) { Do(Apply{std::move(step), {}}); }
  void SendTo(const std::string& worker, ToWorker message) { Do(Send{worker, std::move(message)}); }
  void SendToAll(const ToWorker& message);
  void AckReport(const std::string& worker, std::uint64_t sequence, Ack::Verdict verdict,
                 bool links_settled = false);
  WallTime WallTimeAt(TimePoint at) const;

  // Constant after construction.
  const CoordinatorOptions options_;
  const ReportRules rules_;
  const TimePoint started_;
  const std::chrono::system_clock::time_point started_wall_;

  Phase phase_ = Phase::kStarting;
  Frontier frontier_;
  LeaseTable leases_;
  WorkerTable workers_;
  RobotsTable robots_;
  LinkMemory settled_;  // links that the store need not be asked for
  // Wait for the sitemaps that they name to be admitted, in the order of these steps.
  std::deque<RobotsTable::Answer> answers_;
  Counts counts_;
  struct Suspects {
    LeaseId sent = 0;           // 0: none
    std::deque<Lease> waiting;  // of which some may have ended
  };
  std::unordered_map<std::string, Suspects> suspects_;  // by worker
  RoundWork work_;
  int deepest_ = 0;  // the greatest depth that anything was admitted at
  // URLs that have moved after they were fetched ahead: their bodies are counted already.
  std::unordered_set<Fingerprint> fetched_again_;
  std::uint64_t giving_up_ = 0;  // URLs of GiveUpSteps that are under way
  TimePoint round_opened_{};
  bool closing_round_ = false;  // its deadline has passed: all comes back, to be given up
  TimePoint next_wake_{};       // when the store is asked for those whose time has come
  std::uint64_t epoch_ = 0;
  std::uint64_t lease_number_ = 0;

  // Of the ways to the end.
  std::string state_;  // what the job's state becomes
  std::string stopped_because_;
  TimePoint drain_deadline_{};
  TimePoint goodbye_deadline_{};

  // Of the outbox: one read or write is under way at most.
  std::uint64_t outbox_written_ = 0;
  bool outbox_busy_ = false;
  bool outbox_before_beyond_ = false;  // it is to be written first
  bool rows_stalled_ = false;
  bool outbox_read_last_ = false;  // that read began when all was decided

  TimePoint last_tick_{};
  TimePoint judge_after_{};  // silence is not judged before
  std::uint64_t garbage_ = 0;
  TimePoint next_garbage_log_{};
  TimePoint next_chores_{};  // control key, outbox
  TimePoint next_save_{};    // table of workers
  bool control_busy_ = false;
  // Of the start: the steps under way, and from which depth on links are still to be read that
  // were found beyond it.
  int starting_steps_ = 0;
  std::optional<ReadBeyond> beyond_;
  bool starts_paused_ = false;

  std::vector<Action> actions_;
  std::unordered_map<std::string, Acks> acks_;  // not sent yet, by worker
};

}  // namespace trawl

// A Coordinator on a MemoryStore that is told of messages and of time; what it does about them is
// carried out at once and written down.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/coordinator.h"
#include "coordinator/store/memory_store.h"

namespace trawl {

inline constexpr milliseconds kTimeout{1'000};

inline Lease LeaseOfNothing() {
  Lease lease;
  lease.entries.emplace_back();
  return lease;
}

inline const Failed kReset{Error::kReset, "connection reset", 0};
inline const Failed kUnavailable{Error::kHttpStatus, "HTTP status 503", 503};

class CoordinatorTest : public ::testing::Test {
 protected:
  CoordinatorTest() {
    options_.job = "job";
    options_.lease_timeout = kTimeout;
    options_.crawl.seeds = {"http://a.test/"};
    options_.crawl.host_delay = milliseconds(0);
  }

  void Start() {
    std::string complaint;
    coordinator_ = std::make_unique<Coordinator>(
        options_, Scope::Make(options_.crawl, complaint).value(), now_,
        std::chrono::system_clock::time_point(now_.time_since_epoch()));
    const bool created = store_.job().empty();
    store_.Open(created ? Store::OpenMode::kCreate : Store::OpenMode::kResume,
                {{"options", options_.crawl.Json()}},
                [this](Result<Snapshot> found) { coordinator_->Start(found.value(), now_); });
    CarryOut();
  }

  void CarryOut() {
    for (auto actions = coordinator_->TakeActions(); !actions.empty();
         actions = coordinator_->TakeActions()) {
      for (const Coordinator::Action& action : actions) {
        if (const auto* send = std::get_if<Coordinator::Send>(&action)) {
          sent_.push_back(*send);
          if (std::holds_alternative<CoordinatorGoodbye>(send->message)) Note("goodbye");
        } else if (const auto* apply = std::get_if<Coordinator::Apply>(&action)) {
          ApplyStep(*apply);
        } else if (const auto* write = std::get_if<Coordinator::Write>(&action)) {
          Note("rows");
          rows_.insert(rows_.end(), write->items.begin(), write->items.end());
          coordinator_->OnWritten(*write, now_);
        } else if (const auto* read = std::get_if<Coordinator::ReadBeyond>(&action)) {
          std::vector<FoundBeyond> found;
          for (const std::string& row : rows_) {
            const auto links = ParseFoundBeyond(row);
            if (links && links->depth > read->depth && links->depth <= read->greatest) {
              found.push_back(*links);
            }
          }
          coordinator_->OnBeyond(found, true, now_);
        } else if (const auto* log = std::get_if<Coordinator::Log>(&action)) {
          logs_.push_back(log->text);
        } else {
          Note("end");
        }
      }
    }
  }

  void ApplyStep(const Coordinator::Apply& apply) {
    if (!held_.empty() || (hold_leases_ && std::holds_alternative<LeaseStep>(apply.step)) ||
        (hold_reports_ && std::holds_alternative<AcceptStep>(apply.step)) ||
        (hold_admissions_ && std::holds_alternative<AdmitStep>(apply.step))) {
      held_.push_back(apply);  // and all that follows, as steps take effect in order
      return;
    }
    steps_.push_back(apply.step);
    const auto* save = std::get_if<SaveJobStep>(&apply.step);
    if (save && save->fields.contains("state")) Note(save->fields.at("state"));
    store_.Apply(apply.step, [&](Result<Reply> reply) {
      coordinator_->OnReply(apply, std::move(reply).value(), now_);
    });
  }

  void Note(std::string event) { events_.push_back(std::move(event)); }

  void Say(const std::string& peer, ToCoordinator message) {
    coordinator_->OnMessage(peer, message, now_);
    CarryOut();
  }
  void SayHello(const std::string& name, std::uint32_t capacity = 100,
                std::vector<LeaseId> held = {}) {
    Hello hello;
    hello.name = name;
    hello.capacity = capacity;
    hello.lease_ids = std::move(held);
    Say(name, hello);
  }
  void Beat(const std::string& name, std::vector<LeaseId> held) {
    WorkerHeartbeat heartbeat;
    heartbeat.lease_ids = std::move(held);
    heartbeat.capacity = 100;
    Say(name, heartbeat);
  }
  /// Lets time pass, in steps in which a coordinator is ticked.
  void Pass(milliseconds time) {
    constexpr milliseconds kStep{100};
    for (; time > milliseconds(0); time -= kStep) {
      now_ += kStep;
      coordinator_->OnTick(now_);
      CarryOut();
    }
  }
  /// Of a worker that holds nothing and is heard of all the while.
  void PassWith(const std::string& worker, milliseconds time) {
    constexpr milliseconds kBeat{500};
    for (; time > milliseconds(0); time -= kBeat) {
      Pass(std::min(time, kBeat));
      Beat(worker, {});
    }
  }
  void Tell(Outcome outcome, const std::string& worker, const Lease& lease, int index = 0,
            std::vector<std::string> links = {}) {
    Report report;
    report.sequence = ++sequence_;
    report.lease_id = lease.lease_id;
    report.index = index;
    report.entry = lease.entries.at(index);
    report.links = std::move(links);
    report.outcome = std::move(outcome);
    Say(worker, Reports{{report}});
  }

  /// Takes the messages of one kind that a worker was sent.
  template <class Message>
  std::vector<Message> Take(const std::string& worker) {
    std::vector<Message> taken;
    std::erase_if(sent_, [&](const Coordinator::Send& send) {
      const auto* message = std::get_if<Message>(&send.message);
      if (!message || send.worker != worker) return false;
      taken.push_back(*message);
      return true;
    });
    return taken;
  }
  std::vector<Ack::Verdict> Verdicts(const std::string& worker) {
    std::vector<Ack::Verdict> verdicts;
    for (const Acks& acks : Take<Acks>(worker)) {
      for (const Ack& ack : acks.acks) verdicts.push_back(ack.verdict);
    }
    return verdicts;
  }
  Lease TheLease(const std::string& worker) {
    const std::vector<Lease> leases = Take<Lease>(worker);
    if (leases.size() != 1) ADD_FAILURE() << worker << " has got " << leases.size() << " leases";
    return leases.empty() ? LeaseOfNothing() : leases[0];
  }
  /// Starts a crawl of two seeds, of which one has ended and led to http://a.test/x. Returns the
  /// other's lease.
  Lease CrawlTheFirstOfTwo() {
    options_.crawl.seeds = {"http://a.test/1", "http://a.test/2"};
    Start();
    SayHello("w");
    // One URL, until robots.txt is known.
    Tell(Fetched{}, "w", TheLease("w"), 0, {"http://a.test/x"});
    return TheLease("w");
  }
  template <class Kind>
  int Steps() const {
    return static_cast<int>(std::count_if(steps_.begin(), steps_.end(), [](const Step& step) {
      return std::holds_alternative<Kind>(step);
    }));
  }
  void SeedHosts(int count) {
    options_.crawl.seeds.clear();
    for (int i = 0; i < count; ++i) {
      options_.crawl.seeds.push_back("http://h" + std::to_string(i) + ".test/");
    }
  }
  Coordinator::Phase phase() const { return coordinator_->progress().phase; }

  CoordinatorOptions options_;
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  MemoryStore store_;
  std::unique_ptr<Coordinator> coordinator_;
  std::vector<Coordinator::Send> sent_;
  std::vector<Step> steps_;
  std::vector<std::string> rows_, logs_, events_;
  bool hold_leases_ = false;
  bool hold_reports_ = false;
  bool hold_admissions_ = false;
  std::vector<Coordinator::Apply> held_;
  std::uint64_t sequence_ = 0;
};

}  // namespace trawl

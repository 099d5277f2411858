// What the suites of the stores share: a store of either kind, steps that wait for their reply,
// values as text, and the fixture of the rules that hold for both.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coordinator/store/memory_store.h"
#include "coordinator/store/redis_client.h"
#include "coordinator/store/store.h"
#include "tests/support/redis_server.h"

namespace trawl {

using Strings = std::vector<std::string>;
using Admitted = Admission::Kind;

inline constexpr WallTime kNoon{std::chrono::hours(500'000)};

// ---- A store of either kind, and steps that wait for their reply ----

class Backend {
 public:
  virtual ~Backend() = default;
  /// Another handle on the same job, as another coordinator has it.
  virtual std::unique_ptr<Store> NewStore() = 0;
  virtual void SetControl(const std::string& control) = 0;
  /// Lets something happen; throws when nothing does.
  virtual void Turn() = 0;
};

class MemoryBackend : public Backend {
 public:
  std::unique_ptr<Store> NewStore() override {
    return std::make_unique<MemoryStore>(job_.SameJob());
  }
  void SetControl(const std::string& control) override { job_.SetControl(control); }
  void Turn() override;

 private:
  MemoryStore job_;
};

/// Of all suites; whoever makes a RedisBackend empties it.
RedisServer& SharedServer();

class RedisBackend : public Backend {
 public:
  explicit RedisBackend(RedisServer& server = SharedServer());

  std::unique_ptr<Store> NewStore() override;
  void SetControl(const std::string& control) override;
  void Turn() override;
  void Connect();

 private:
  RedisServer& server_;
  boost::asio::io_context io_;
  RedisClient client_{io_};
};

/// "Memory" or "Redis".
std::unique_ptr<Backend> NewBackend(const std::string& name);

/// A coordinator, as the store sees it.
class StoreUser {
 public:
  explicit StoreUser(Backend& backend) : backend_(backend), store_(backend.NewStore()) {}

  Result<Snapshot> Open(Store::OpenMode mode, const std::map<std::string, std::string>& job) {
    std::optional<Result<Snapshot>> result;
    store_->Open(mode, job, [&](Result<Snapshot> snapshot) { result = std::move(snapshot); });
    while (!result) backend_.Turn();
    return *result;
  }

  /// A new job, or the one that is there.
  Snapshot Open(const std::map<std::string, std::string>& job = {}) {
    const Result<Snapshot> created = Open(Store::OpenMode::kCreate, job);
    return created ? *created : Open(Store::OpenMode::kResume, job).value();
  }

  Result<Reply> Apply(const Step& step) {
    std::optional<Result<Reply>> result;
    store_->Apply(step, [&](Result<Reply> reply) { result = std::move(reply); });
    while (!result) backend_.Turn();
    return *result;
  }

  /// Without waiting for one before the next.
  std::vector<Result<Reply>> Apply(const std::vector<Step>& steps) {
    std::vector<Result<Reply>> results;
    for (const Step& step : steps) {
      store_->Apply(step, [&](Result<Reply> reply) { results.push_back(std::move(reply)); });
    }
    while (results.size() < steps.size()) backend_.Turn();
    return results;
  }

  template <class R>
  R Do(const Step& step) {
    return std::get<R>(Apply(step).value());
  }

  std::vector<Admission> Admit(int depth, const Strings& urls);
  Strings Lease(LeaseId id, const std::string& host, int depth, int count);
  AcceptReply Accept(LeaseId id, int index, std::optional<Ending> ending,
                     const Strings& links = {});
  ExpireReply Expire(LeaseId id, bool blame = true) {
    return Do<ExpireReply>(ExpireStep{id, blame});
  }
  void OpenRound(int depth) { Do<OpenRoundReply>(OpenRoundStep{depth}); }
  Strings Outbox() { return Do<ReadOutboxReply>(ReadOutboxStep{0, 1000}).items; }

 private:
  Backend& backend_;
  std::unique_ptr<Store> store_;
};

Candidate Offer(const std::string& url);
std::vector<Candidate> Offers(const Strings& urls);

Ending Ended(Ending::Kind kind, const std::string& row = "");
Ending Fetched();
Ending Returned();
Ending RedirectedTo(const std::string& url, int hops = 1);

/// One of each state, with a value in every field that goes with it.
std::vector<RobotsRecord> RobotsRecords();

// ---- Values as text, to compare and to show ----

std::string Text(const Admission& admission);
std::string Text(const std::vector<Admission>& admissions);
std::string Text(const WakeReply& reply);
std::string Text(const RobotsRecord& record);
std::string Text(const Result<Reply>& reply);
/// Without the epoch.
std::string Text(const Snapshot& snapshot);

/// Every admitted URL waits, is leased or has ended, over the job and at each depth. A leased one
/// may count at another depth than its lease's: it has moved.
void ExpectBalance(const Snapshot& snapshot);

// ---- The rules of both ----

class StoreRules : public testing::TestWithParam<std::string> {
 protected:
  StoreRules() { coordinator_.Open({{"state", "running"}}); }
  ~StoreRules() override { ExpectBalance(Now()); }

  Snapshot Now() { return coordinator_.Open(); }
  std::uint64_t Stat(const std::string& name) { return Now().stats[name]; }
  /// host:waiting at a depth.
  Strings Queues(int depth) {
    Strings queues;
    for (const auto& queue : Now().queues) {
      if (queue.depth != depth) continue;
      queues.push_back(queue.host + ' ' + std::to_string(queue.waiting));
    }
    return queues;
  }

  std::unique_ptr<Backend> backend_ = NewBackend(GetParam());
  StoreUser coordinator_{*backend_};
};

}  // namespace trawl

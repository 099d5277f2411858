// The rules of coordinator/store.h, on both implementations, and that these two agree; then what is
// Redis' own: the seen set's buckets, the keys, a restart of the server.

#include "coordinator/store/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "coordinator/store/memory_store.h"
#include "coordinator/store/redis_store.h"
#include "tests/support/redis_server.h"

namespace trawl {
namespace {

using Strings = std::vector<std::string>;
using Admitted = Admission::Kind;

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
  void Turn() override { throw std::logic_error("a MemoryStore answers at once"); }

 private:
  MemoryStore job_;
};

RedisServer& SharedServer() {
  static RedisServer server;
  return server;
}

class RedisBackend : public Backend {
 public:
  explicit RedisBackend(RedisServer& server = SharedServer()) : server_(server) {
    server_.Run({"FLUSHALL"});
    Connect();
  }

  std::unique_ptr<Store> NewStore() override { return std::make_unique<RedisStore>(client_, "j"); }
  void SetControl(const std::string& control) override {
    server_.Run({"SET", "trawl:{j}:control", control});
  }
  void Turn() override {
    io_.restart();
    if (io_.run_one_for(std::chrono::seconds(20)) == 0) throw std::runtime_error("no reply");
  }

  void Connect() {
    std::string why;
    std::optional<Result<void>> connected;
    client_.Connect(ParseRedisUrl(server_.url(), why).value(),
                    [&](Result<void> result, const std::string&) { connected = result; });
    while (!connected) Turn();
    connected->value();
  }

 private:
  RedisServer& server_;
  boost::asio::io_context io_;
  RedisClient client_{io_};
};

std::unique_ptr<Backend> NewBackend(const std::string& name) {
  if (name == "Memory") return std::make_unique<MemoryBackend>();
  return std::make_unique<RedisBackend>();
}

class Coordinator {
 public:
  explicit Coordinator(Backend& backend) : backend_(backend), store_(backend.NewStore()) {}

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

Candidate Offer(const std::string& url) { return {FingerprintOf(url), url}; }

std::vector<Candidate> Offers(const Strings& urls) {
  std::vector<Candidate> offers;
  for (const std::string& url : urls) offers.push_back(Offer(url));
  return offers;
}

std::vector<Admission> Coordinator::Admit(int depth, const Strings& urls) {
  return Do<AdmitReply>(AdmitStep{depth, Offers(urls)}).admissions;
}

Strings Coordinator::Lease(LeaseId id, const std::string& host, int depth, int count) {
  Strings texts;
  for (const auto& entry : Do<LeaseReply>(LeaseStep{id, "w", host, depth, count, 2}).entries) {
    texts.push_back(entry.Text());
  }
  return texts;
}

AcceptReply Coordinator::Accept(LeaseId id, int index, std::optional<Ending> ending,
                                const Strings& links) {
  return Do<AcceptReply>(AcceptStep{id, index, Offers(links), std::move(ending)});
}

Ending Ended(Ending::Kind kind, const std::string& row = "") {
  Ending ending;
  ending.kind = kind;
  ending.row = row;
  return ending;
}

Ending Fetched() { return Ended(Ending::Kind::kFetched); }
Ending Returned() { return Ended(Ending::Kind::kReturned); }

Ending RedirectedTo(const std::string& url, int hops = 1) {
  Ending ending = Ended(Ending::Kind::kRedirected, "row");
  ending.target = Offer(url);
  ending.target_hops = hops;
  return ending;
}

// ---- Values as text, to compare and to show ----

std::string Text(const Admission& admission) {
  if (admission.kind == Admitted::kMoved) {
    std::string text = std::to_string(admission.moved_from);
    switch (admission.was) {
      case Admission::Was::kWaiting:
        return text;
      case Admission::Was::kLeased:
        return text + ":leased";
      case Admission::Was::kDelayed:
        return text + ":delayed";
      case Admission::Was::kFetched:
        return text + ":fetched:" + std::to_string(admission.body_bytes);
      case Admission::Was::kRedirected:
        return text + ":redirected";
      case Admission::Was::kFailed:
        return text + ":failed:" + std::string(ReasonWord(admission.reason));
    }
  }
  if (const auto drop = DropWord(admission.kind); !drop.empty()) return std::string(drop);
  return admission.kind == Admitted::kAdmitted ? "+" : "=";
}

std::string Text(const std::vector<Admission>& admissions) {
  std::string text;
  for (const Admission& admission : admissions) text += Text(admission) + ' ';
  return text;
}

std::string Text(const AdmitReply& reply) {
  return Text(reply.sitemaps) + "/ " + Text(reply.admissions);
}
std::string Text(const LeaseReply& reply) {
  std::string text = "lease";
  for (const FrontierEntry& entry : reply.entries) text += ", " + entry.Text();
  if (reply.left > 0) text += ", " + std::to_string(reply.left) + " left";
  return text;
}
std::string Text(const AcceptReply& reply) {
  if (reply.moved_to) return "moved to " + std::to_string(*reply.moved_to);
  return std::string(reply.accepted ? "accepted " : "refused ") + Text(reply.links) +
         (reply.sitemaps.empty() ? "" : "/ " + Text(reply.sitemaps)) + "-> " +
         (reply.target ? Text(*reply.target) : "none");
}
std::string Text(const WakeReply& reply) {
  std::set<std::string> queues;  // their order does not matter
  for (const auto& [host, depth, woken] : reply.queues) {
    queues.insert(host + ':' + std::to_string(depth) + ' ' + std::to_string(woken) + ", ");
  }
  std::string text;
  for (const std::string& queue : queues) text += queue;
  return text + "next " +
         (reply.next ? std::to_string(reply.next->time_since_epoch().count()) : "none");
}
std::string Text(const ExpireReply& reply) {
  std::string text =
      std::to_string(reply.returned) + " returned, " + std::to_string(reply.given_up) + " lost";
  for (const auto& [depth, given_up] : reply.moved) {
    text += (given_up ? ", lost at " : ", moved to ") + std::to_string(depth);
  }
  return text;
}
std::string Text(const GiveUpReply& reply) { return std::to_string(reply.given_up) + " given up"; }
std::string Text(const RobotsRecord& record) {
  std::string text;
  for (const auto& [name, value] : record.ToFields()) text += name + '=' + value + '\n';
  return text;
}
std::string Text(const ReadRobotsReply& reply) {
  return reply.record ? Text(*reply.record) : "nothing";
}
std::string Text(const ReadControlReply& reply) { return reply.control; }
std::string Text(const ReadOutboxReply& reply) {
  std::string text = std::to_string(reply.first);
  for (const std::string& item : reply.items) text += '\n' + item;
  return text;
}
template <class Empty>
std::string Text(const Empty&) {
  return "done";
}

std::string Text(const Result<Reply>& reply) {
  if (!reply) return reply.error().message();
  return std::visit([](const auto& taken) { return Text(taken); }, *reply);
}

/// Without the epoch.
std::string Text(const Snapshot& snapshot) {
  std::ostringstream out;
  for (const auto& [name, value] : snapshot.job) out << name << '=' << value << '\n';
  for (const auto& [name, value] : snapshot.stats) out << name << '=' << value << '\n';
  out << "open " << snapshot.open_depth << '\n';
  for (const RoundCounts& round : snapshot.rounds) {
    out << "round " << round.admitted << ' ' << round.leased << ' ' << round.fetched << ' '
        << round.redirected << ' ' << round.failed << ' ' << round.delayed << '\n';
  }
  for (const auto& [host, until] : snapshot.paused) {
    out << "paused " << host << ' ' << until.time_since_epoch().count() << '\n';
  }
  for (const auto& queue : snapshot.queues) {
    out << "queue " << queue.depth << ' ' << queue.host << ' ' << queue.waiting << '\n';
  }
  for (const auto& lease : snapshot.leases) {
    out << "lease " << lease.id << ' ' << lease.worker << ' ' << lease.host << ' ' << lease.depth
        << ' ' << lease.connections << ':';
    for (int index : lease.indexes) out << ' ' << index;
    out << '\n';
  }
  return out.str();
}

/// Every admitted URL waits, is leased or has ended, over the job and at each depth. A leased one
/// may count at another depth than its lease's: it has moved.
void ExpectBalance(const Snapshot& snapshot) {
  SCOPED_TRACE(Text(snapshot));
  std::vector<std::uint64_t> waiting(snapshot.rounds.size());
  std::vector<std::uint64_t> leased(snapshot.rounds.size());
  std::uint64_t all_leased = 0;
  for (const auto& queue : snapshot.queues) {
    EXPECT_GT(queue.waiting, 0u);
    waiting.at(queue.depth) += queue.waiting;
  }
  for (const auto& lease : snapshot.leases) {
    EXPECT_FALSE(lease.indexes.empty());
    leased.at(lease.depth) += lease.indexes.size();
    all_leased += lease.indexes.size();
  }
  RoundCounts sum;
  for (std::size_t depth = 0; depth < snapshot.rounds.size(); ++depth) {
    const RoundCounts& round = snapshot.rounds[depth];
    if (snapshot.stats.at("moved") == 0) {
      EXPECT_EQ(round.leased, leased[depth]);
    }
    EXPECT_EQ(round.admitted, waiting[depth] + round.delayed + round.leased + round.fetched +
                                  round.redirected + round.failed);
    sum.delayed += round.delayed;
    sum.admitted += round.admitted;
    sum.leased += round.leased;
    sum.fetched += round.fetched;
    sum.redirected += round.redirected;
    sum.failed += round.failed;
  }
  EXPECT_EQ(snapshot.stats.at("admitted"), sum.admitted);
  EXPECT_EQ(snapshot.stats.at("leased"), sum.leased);
  EXPECT_EQ(snapshot.stats.at("leased"), all_leased);
  EXPECT_EQ(snapshot.stats.at("fetched"), sum.fetched);
  EXPECT_EQ(snapshot.stats.at("redirected"), sum.redirected);
  EXPECT_EQ(snapshot.stats.at("failed"), sum.failed);
  EXPECT_EQ(snapshot.stats.at("delayed"), sum.delayed);
}

// ---- The rules ----

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
  Coordinator coordinator_{*backend_};
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreRules, testing::Values("Memory", "Redis"),
                         [](const auto& info) { return info.param; });

TEST_P(StoreRules, CreatesTheJobOnceAndCountsItsCoordinators) {
  Coordinator next(*backend_);
  const Result<Snapshot> second = next.Open(Store::OpenMode::kCreate, {{"state", "new"}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), Error::kUsage);
  const Snapshot snapshot = next.Open(Store::OpenMode::kResume, {{"seeds", "s"}}).value();
  EXPECT_EQ(snapshot.epoch, 2u);
  EXPECT_EQ(snapshot.job, (std::map<std::string, std::string>{{"state", "running"}}));
  EXPECT_EQ(snapshot.open_depth, 0);
  EXPECT_EQ(snapshot.rounds.size(), 1u);
}

TEST_P(StoreRules, ResumesOnlyAJobThatIsThere) {
  const std::unique_ptr<Backend> empty = NewBackend(GetParam());
  Coordinator early(*empty);
  const Result<Snapshot> resumed = early.Open(Store::OpenMode::kResume, {{"state", "running"}});
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error(), Error::kUsage);
  EXPECT_EQ(early.Open(Store::OpenMode::kCreate, {{"state", "running"}}).value().epoch, 1u);
}

TEST_P(StoreRules, ObeysTheLastCoordinatorOnly) {
  coordinator_.Admit(0, {"http://a/"});
  const Strings leased = coordinator_.Lease(1, "a", 0, 1);
  Coordinator next(*backend_);
  const std::string before = Text(next.Open());
  for (const Step& step : std::initializer_list<Step>{
           AdmitStep{0, {Offer("http://b/")}}, LeaseStep{2, "w", "a", 0, 1, 1},
           AcceptStep{1, 0, {Offer("http://c/")}, Fetched()}, ExpireStep{1, true},
           GiveUpStep{"b", 0, 1}, SetLimitsStep{1, 1}, OpenRoundStep{1},
           SaveJobStep{{{"state", "x"}}}, SaveWorkersStep{{{"w", "{}"}}}, ReadControlStep{},
           ReadOutboxStep{1, 1}, ReadRobotsStep{"http://a", {}},
           KeepRobotsStep{"http://a", {}, {}}}) {
    const Result<Reply> reply = coordinator_.Apply(step);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error(), Error::kStepRefused);
  }
  EXPECT_EQ(Text(next.Open()), before);
  EXPECT_TRUE(next.Accept(1, 0, Fetched()).accepted);
}

TEST_P(StoreRules, RefusesStepsBeforeItIsOpened) {
  Coordinator unopened(*backend_);
  EXPECT_EQ(unopened.Apply(ReadControlStep{}).error(), Error::kStepRefused);
}

TEST_P(StoreRules, AdmitsAUrlOnce) {
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/1"})), "+ + = ");
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/2", "http://a/3"})), "= + ");
  EXPECT_EQ(Queues(0), Strings{"a 3"});
}

TEST_P(StoreRules, QueuesAUrlUnderItsAuthority) {
  coordinator_.Admit(0, {"http://a/x", "https://a/y", "http://a:8080/", "http://[::1]:81/z?q",
                         "http://b?q=http://a/", "https://b/?/"});
  EXPECT_EQ(Queues(0), (Strings{"[::1]:81 1", "a 2", "a:8080 1", "b 2"}));
}

TEST_P(StoreRules, ChangesNothingWhenACandidateIsNoUrl) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  const std::string before = Text(Now());
  for (const char* bad : {"", "a", "ftp://a/", "http:///", "http://?q", "http://a/ b"}) {
    const std::vector<Candidate> offers = {Offer("http://new/"), {7, bad}};
    EXPECT_FALSE(coordinator_.Apply(AdmitStep{0, offers})) << bad;
    EXPECT_FALSE(coordinator_.Apply(AcceptStep{1, 0, offers, Fetched()})) << bad;
    EXPECT_FALSE(coordinator_.Apply(AdmitStep{0, {}, offers, ""})) << bad;
    EXPECT_FALSE(coordinator_.Apply(AcceptStep{1, 0, {}, Fetched(), true, offers})) << bad;
  }
  EXPECT_FALSE(coordinator_.Apply(AdmitStep{-1, {Offer("http://new/")}}));
  EXPECT_EQ(Text(Now()), before);
}

TEST_P(StoreRules, LeasesTheFirstEntriesOfAHostQueue) {
  coordinator_.Admit(0, {"http://a/1", "http://b/", "http://a/2", "http://a/3"});
  EXPECT_EQ(coordinator_.Lease(1, "a", 0, 2), (Strings{"http://a/1", "http://a/2"}));
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 2), (Strings{"http://a/3"}));
  EXPECT_EQ(Queues(0), Strings{"b 1"});
  EXPECT_EQ(Stat("leased"), 3u);
}

TEST_P(StoreRules, AnswersARepeatedLeaseStepAsTheFirst) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3"});
  const Strings first = coordinator_.Lease(1, "a", 0, 2);
  EXPECT_EQ(coordinator_.Lease(1, "a", 0, 2), first);
  EXPECT_EQ(Queues(0), Strings{"a 1"});
}

TEST_P(StoreRules, MakesNoLeaseWithoutUrls) {
  coordinator_.Admit(0, {"http://a/"});
  EXPECT_EQ(coordinator_.Lease(1, "b", 0, 1), Strings());
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 0), Strings());
  EXPECT_TRUE(Now().leases.empty());
}

TEST_P(StoreRules, LeasesOnlyFromOpenRoundsAndTheNext) {
  coordinator_.Admit(2, {"http://a/2"});
  coordinator_.Admit(1, {"http://a/1"});
  EXPECT_FALSE(coordinator_.Apply(LeaseStep{1, "w", "a", 2, 1, 1}));
  EXPECT_EQ(coordinator_.Lease(1, "a", 1, 1), Strings{"http://a/1"});
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(2, "a", 2, 1), Strings{"http://a/2"});
}

TEST_P(StoreRules, KeepsTheHighestLeaseIdExactly) {
  coordinator_.Admit(0, {"http://a/"});
  const LeaseId highest = std::numeric_limits<LeaseId>::max();
  coordinator_.Lease(highest, "a", 0, 1);
  EXPECT_EQ(Now().leases.at(0).id, highest);
  EXPECT_FALSE(coordinator_.Accept(highest - 1, 0, Fetched()).accepted);
  EXPECT_TRUE(coordinator_.Accept(highest, 0, Fetched()).accepted);
}

TEST_P(StoreRules, AcceptsAReportOnlyWhileTheUrlIsLeased) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2"});
  coordinator_.Lease(1, "a", 0, 2);
  EXPECT_FALSE(coordinator_.Accept(2, 0, Fetched(), {"http://x/"}).accepted);
  EXPECT_FALSE(coordinator_.Accept(1, 2, Fetched(), {"http://x/"}).accepted);
  EXPECT_TRUE(coordinator_.Accept(1, 0, Fetched(), {"http://a/3"}).accepted);
  EXPECT_FALSE(coordinator_.Accept(1, 0, Fetched(), {"http://x/"}).accepted);
  coordinator_.Expire(1);
  EXPECT_FALSE(coordinator_.Accept(1, 1, Fetched(), {"http://x/"}).accepted);
  EXPECT_FALSE(coordinator_.Accept(1, 1, std::nullopt, {"http://x/"}).accepted);
  const Snapshot now = Now();
  EXPECT_EQ(now.stats.at("reports_refused"), 4u);
  EXPECT_EQ(now.stats.at("fetched"), 1u);
  EXPECT_EQ(now.stats.at("admitted"), 3u);
}

TEST_P(StoreRules, KeepsAUrlLeasedUntilItsReportEnds) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, std::nullopt, {"http://a/1"})), "accepted + -> none");
  EXPECT_EQ(Now().leases.size(), 1u);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, Fetched(), {"http://a/1", "http://a/2"})),
            "accepted = + -> none");
  EXPECT_TRUE(Now().leases.empty());
}

TEST_P(StoreRules, AdmitsLinksOneDepthDeeperWithTheirReferrer) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Accept(1, 0, Fetched(), {"http://a/1", "http://a/", "http://b/"});
  EXPECT_EQ(Queues(1), (Strings{"a 1", "b 1"}));
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(2, "b", 1, 1), Strings{"http://b/ http://a/"});
}

TEST_P(StoreRules, CountsHowUrlsEnd) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3"});
  coordinator_.Lease(1, "a", 0, 3);
  Ending page = Fetched();
  page.body_bytes = 5'000'000'000;
  page.links = 12;
  coordinator_.Accept(1, 0, page);
  for (int index : {1, 2}) {
    Ending failure = Ended(Ending::Kind::kFailed, R"({"n":)" + std::to_string(index) + "}");
    failure.reason = index == 1 ? Error::kTimeout : Error::kTooManyHops;
    coordinator_.Accept(1, index, failure);
  }
  auto stats = Now().stats;
  EXPECT_EQ(stats["bytes"], 5'000'000'000u);
  EXPECT_EQ(stats["links"], 12u);
  EXPECT_EQ(stats["fetched"], 1u);
  EXPECT_EQ(stats["failed"], 2u);
  EXPECT_EQ(stats["failed:timeout"], 1u);
  EXPECT_EQ(stats["failed:too_many"], 1u);
  EXPECT_EQ(coordinator_.Outbox(), (Strings{R"(failed {"n":1})", R"(failed {"n":2})"}));
}

TEST_P(StoreRules, CountsDropsWithWhatItAccepts) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  AcceptStep part{1, 0, {}};
  part.drops = {{"scope", 12}, {"url_length", 1}};
  coordinator_.Do<AcceptReply>(part);
  part.ending = Fetched();
  part.drops = {{"scope", 3}};
  coordinator_.Do<AcceptReply>(part);
  EXPECT_FALSE(coordinator_.Do<AcceptReply>(part).accepted);
  EXPECT_EQ(Stat("dropped:scope"), 15u);
  EXPECT_EQ(Stat("dropped:url_length"), 1u);
}

TEST_P(StoreRules, AdmitsARedirectTargetAtTheSameDepthForTheSameReferrer) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, RedirectedTo("http://b/", 1))), "accepted -> +");
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 1), Strings{"http://b/ - 0 1 0"});
  coordinator_.Accept(2, 0, Fetched(), {"http://c/"});
  coordinator_.OpenRound(1);
  coordinator_.Lease(3, "c", 1, 1);
  coordinator_.Accept(3, 0, RedirectedTo("http://d/", 2));
  EXPECT_EQ(coordinator_.Lease(4, "d", 1, 1), Strings{"http://d/ http://b/ 0 2 0"});
}

TEST_P(StoreRules, AdmitsSitemapsBeforeSeedsWithTheirReferrer) {
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(
                AdmitStep{0, Offers({"http://a/", "http://a/s"}), Offers({"http://a/s"}), ""})),
            "+ / + = ");
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(
                AdmitStep{0, {}, Offers({"http://b/s", "http://a/s"}), "http://b/robots.txt"})),
            "+ = / ");
  EXPECT_EQ(coordinator_.Lease(1, "a", 0, 9), (Strings{"http://a/s - 0 0 0 1", "http://a/"}));
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 9), Strings{"http://b/s http://b/robots.txt 0 0 0 1"});
}

TEST_P(StoreRules, AdmitsWhatASitemapListsAtItsOwnDepth) {
  coordinator_.OpenRound(1);
  coordinator_.Do<AdmitReply>(AdmitStep{1, {}, Offers({"http://a/s"}), "http://a/robots.txt"});
  coordinator_.Lease(1, "a", 1, 1);
  AcceptStep part{1, 0, Offers({"http://a/1"}), std::nullopt, true, Offers({"http://b/t"})};
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(part)), "accepted + / + -> none");
  part.ending = Fetched();
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(part)), "accepted = / = -> none");
  EXPECT_EQ(Queues(1), (Strings{"a 1", "b 1"}));
  EXPECT_EQ(coordinator_.Lease(2, "a", 1, 9), Strings{"http://a/1 http://a/s"});
  EXPECT_EQ(coordinator_.Lease(3, "b", 1, 9), Strings{"http://b/t http://a/robots.txt 0 0 0 2"});
}

TEST_P(StoreRules, ASitemapStaysOneWhateverHappensToIt) {
  coordinator_.Do<AdmitReply>(AdmitStep{0, {}, Offers({"http://a/s"}), ""});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Expire(1);
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 1), Strings{"http://a/s - 0 0 1 1"});
  coordinator_.Accept(2, 0, RedirectedTo("http://b/s", 1));
  EXPECT_EQ(coordinator_.Lease(3, "b", 0, 1), Strings{"http://b/s - 0 1 0 1"});
  coordinator_.Accept(3, 0, Returned());
  EXPECT_EQ(coordinator_.Lease(4, "b", 0, 1), Strings{"http://b/s - 0 1 0 1"});
}

TEST_P(StoreRules, AUrlThatWaitsDeeperBecomesTheSitemapThatItIsFoundToBe) {
  coordinator_.Admit(1, {"http://a/s"});
  const AdmitStep step{0, {}, Offers({"http://a/s"}), "http://a/robots.txt"};
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(step)), "1 / ");
  EXPECT_EQ(coordinator_.Lease(1, "a", 0, 1), Strings{"http://a/s http://a/robots.txt 0 0 0 1"});
}

TEST_P(StoreRules, PostsWhatBecameOfARedirect) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3"});
  coordinator_.Lease(1, "a", 0, 3);
  coordinator_.Accept(1, 0, RedirectedTo("http://b/"));
  coordinator_.Accept(1, 1, RedirectedTo("http://b/"));
  Ending refused = Ended(Ending::Kind::kRedirected, "row");
  refused.refusal = "scope";
  coordinator_.Accept(1, 2, refused);
  EXPECT_EQ(coordinator_.Outbox(),
            (Strings{"redirected admitted row", "redirected seen row", "redirected scope row"}));
}

TEST_P(StoreRules, PutsAReturnedUrlUnchangedToTheFront) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3"});
  const Strings leased = coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Accept(1, 0, Returned());
  EXPECT_EQ(coordinator_.Outbox(), Strings{"refused 1 0"});
  EXPECT_FALSE(coordinator_.Accept(1, 0, Fetched()).accepted);
  coordinator_.Accept(1, 1, Fetched());
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 9), (Strings{"http://a/1", "http://a/3"}));
}

constexpr WallTime kNoon{std::chrono::hours(500'000)};

Ending RetriedIn(milliseconds delay) {
  Ending ending = Ended(Ending::Kind::kRetried);
  ending.delay = delay;
  ending.body_bytes = 7;
  return ending;
}

TEST_P(StoreRules, DelaysWhatIsTriedAgainUntilItsTime) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://b/1", "http://a/3"});
  coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Lease(2, "b", 0, 1);
  const auto retry = [&](LeaseId lease, int index, int delay) {
    AcceptStep step{lease, index, {}, RetriedIn(milliseconds(delay))};
    step.now = kNoon;
    return coordinator_.Do<AcceptReply>(step).accepted;
  };
  EXPECT_TRUE(retry(1, 1, 300));
  EXPECT_FALSE(retry(1, 1, 300)) << "it has left the lease";
  EXPECT_TRUE(retry(1, 0, 100));
  EXPECT_TRUE(retry(2, 0, 200));
  EXPECT_EQ(Stat("delayed"), 3u);
  EXPECT_EQ(Stat("retries"), 3u);
  EXPECT_EQ(Stat("bytes"), 0u);
  EXPECT_EQ(Now().rounds[0].delayed, 3u);
  EXPECT_EQ(Queues(0), Strings{"a 1"});
  EXPECT_TRUE(Now().leases.empty());
  EXPECT_EQ(coordinator_.Admit(0, {"http://a/1"})[0].kind, Admitted::kSeen);
  EXPECT_TRUE(coordinator_.Outbox().empty());

  const auto wake = [&](int after, int limit = 10) {
    return Text(coordinator_.Do<WakeReply>(WakeStep{kNoon + milliseconds(after), limit}));
  };
  const std::string noon = std::to_string(kNoon.time_since_epoch().count()).substr(0, 10);
  EXPECT_EQ(wake(99), "next " + noon + "100");
  EXPECT_EQ(wake(300, 2), "a:0 1, b:0 1, next " + noon + "300");
  EXPECT_EQ(wake(299), "next " + noon + "300");
  EXPECT_EQ(Text(coordinator_.Do<WakeReply>(WakeStep{kNoon, 10, true})), "a:0 1, next none");
  EXPECT_EQ(wake(300), "next none");
  EXPECT_EQ(coordinator_.Lease(3, "a", 0, 9),
            (Strings{"http://a/2 - 1 0 0", "http://a/1 - 1 0 0", "http://a/3"}));
  EXPECT_EQ(coordinator_.Lease(4, "b", 0, 9), Strings{"http://b/1 - 1 0 0"});
  EXPECT_EQ(Stat("delayed"), 0u);
}

TEST_P(StoreRules, RemembersTheLongestPauseOfAHostUntilItIsOver) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://b/1"});
  coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Lease(2, "b", 0, 1);
  const auto pause = [&](LeaseId lease, int index, int time) {
    AcceptStep step{lease, index, {}, Ended(Ending::Kind::kFailed, "row")};
    step.now = kNoon;
    step.pause = milliseconds(time);
    coordinator_.Do<AcceptReply>(step);
  };
  pause(1, 0, 500);
  pause(1, 1, 300);
  pause(2, 0, 100);
  pause(2, 0, 900);  // refused
  using Paused = std::map<std::string, WallTime>;
  const WallTime long_pause = kNoon + milliseconds(500);
  EXPECT_EQ(Now().paused, (Paused{{"a", long_pause}, {"b", kNoon + milliseconds(100)}}));
  coordinator_.Do<WakeReply>(WakeStep{kNoon + milliseconds(100)});
  EXPECT_EQ(Now().paused, (Paused{{"a", long_pause}}));
}

TEST_P(StoreRules, PutsALostWorkersUrlsBackInOrderWithALossEach) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3", "http://a/4"});
  coordinator_.Lease(5, "a", 0, 3);
  coordinator_.Accept(5, 1, Fetched());
  EXPECT_EQ(Text(coordinator_.Expire(5)), "2 returned, 0 lost");
  EXPECT_EQ(Text(coordinator_.Expire(5)), "0 returned, 0 lost");
  EXPECT_EQ(coordinator_.Outbox(), (Strings{"refused 5 0", "refused 5 2"}));
  EXPECT_EQ(coordinator_.Lease(6, "a", 0, 9),
            (Strings{"http://a/1 - 0 0 1", "http://a/3 - 0 0 1", "http://a/4"}));
  EXPECT_EQ(Stat("leases_expired"), 1u);
}

TEST_P(StoreRules, BlamesNoUrlForAWorkerThatLeft) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Expire(1, false)), "1 returned, 0 lost");
  EXPECT_EQ(coordinator_.Lease(2, "a", 0, 1), Strings{"http://a/"});
  EXPECT_EQ(Stat("leases_expired"), 0u);
}

TEST_P(StoreRules, GivesAUrlUpAtItsLastLoss) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Accept(1, 0, RedirectedTo("http://b/", 4));
  for (LeaseId id : {2, 3, 4}) {
    coordinator_.Lease(id, "b", 0, 1);
    EXPECT_EQ(coordinator_.Expire(id).given_up, id == 4 ? 1 : 0);
  }
  const Snapshot now = Now();
  EXPECT_TRUE(now.queues.empty());
  EXPECT_EQ(now.stats.at("failed:worker_lost"), 1u);
  EXPECT_EQ(coordinator_.Outbox().back(), "given_up worker_lost 0 http://b/ - 0 4 3");
}

TEST_P(StoreRules, LeasesAUrlOnItsLastLifeAlone) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2"});
  for (const LeaseId id : {1, 2}) {
    coordinator_.Lease(id, "a", 0, 2);
    coordinator_.Expire(id);
  }
  coordinator_.Admit(0, {"http://a/3", "http://a/4"});
  const auto lease = [&](LeaseId id, int count) {
    return Text(coordinator_.Do<LeaseReply>(LeaseStep{id, "w", "a", 0, count, 1}));
  };
  EXPECT_EQ(lease(3, 3), "lease, http://a/1 - 0 0 2, 2 left");
  EXPECT_EQ(lease(3, 3), "lease, http://a/1 - 0 0 2") << "of a step that comes again";
  EXPECT_EQ(lease(4, 9), "lease, http://a/2 - 0 0 2, 2 left");
  EXPECT_EQ(lease(5, 9), "lease, http://a/3, http://a/4");
  coordinator_.Accept(5, 0, Ended(Ending::Kind::kReturned, ""));
  EXPECT_EQ(coordinator_.Expire(3, false).returned, 1);
  EXPECT_EQ(lease(6, 2), "lease, http://a/1 - 0 0 2, 1 left");
  ExpectBalance(Now());
}

TEST_P(StoreRules, GivesUpWhatWaitsOfAHost) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://a/3", "http://b/1"});
  const auto give_up = [&](const char* host, int depth, std::uint64_t count) {
    return coordinator_.Do<GiveUpReply>(GiveUpStep{host, depth, count, Error::kConnect}).given_up;
  };
  EXPECT_EQ(give_up("a", 0, 2), 2u);
  EXPECT_EQ(Queues(0), (Strings{"a 1", "b 1"}));
  EXPECT_EQ(give_up("a", 0, 5), 1u);
  EXPECT_EQ(give_up("a", 0, 5), 0u);
  EXPECT_EQ(Queues(0), Strings{"b 1"});
  EXPECT_EQ(Stat("failed"), 3u);
  EXPECT_EQ(Stat("failed:connect"), 3u);
  EXPECT_EQ(coordinator_.Outbox(),
            (Strings{"given_up connect 0 http://a/1", "given_up connect 0 http://a/2",
                     "given_up connect 0 http://a/3"}));
  coordinator_.Admit(1, {"http://b/2"});
  EXPECT_FALSE(coordinator_.Apply(GiveUpStep{"b", 1, 1, Error::kConnect}))
      << "it may still move to a smaller depth";
  ExpectBalance(Now());
}

TEST_P(StoreRules, KeepsWhatIsFoundBeyondTheDepthEachUrlOnce) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://b/"});
  coordinator_.Lease(1, "a", 0, 2);
  const auto accept = [&](LeaseId lease, int index, const Strings& beyond) {
    AcceptStep step{lease, index, {}, Fetched()};
    step.beyond = Offers(beyond);
    EXPECT_TRUE(coordinator_.Do<AcceptReply>(step).accepted);
  };
  accept(1, 0, {"http://c/1", "http://b/", "http://c/2", "http://c/1"});
  accept(1, 1, {"http://c/2", "http://c/3"});
  EXPECT_EQ(coordinator_.Outbox(), (Strings{"beyond 1 http://a/1 http://c/1 http://c/2",
                                            "beyond 1 http://a/2 http://c/3"}));
  EXPECT_EQ(Stat("admitted"), 3u);
  AdmitStep step{1, Offers({"http://c/1", "http://b/"})};
  step.referrer = "http://a/1";
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(step)), "/ + = ");
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(2, "c", 1, 1), Strings{"http://c/1 http://a/1"});
  accept(2, 0, {"http://c/2"});
  EXPECT_EQ(coordinator_.Outbox().back(), "beyond 2 http://c/1 http://c/2") << "of another depth";
}

TEST_P(StoreRules, IsNotResumedUnderOtherRules) {
  coordinator_.Apply(SaveJobStep{{{"rules", "host"}}});
  const Snapshot before = Now();
  Coordinator next(*backend_);
  const auto refused = next.Open(Store::OpenMode::kResume, {{"rules", "any"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::kRulesChanged);
  EXPECT_TRUE(coordinator_.Apply(ReadControlStep{})) << "it has not taken the job over";
  EXPECT_TRUE(next.Open(Store::OpenMode::kResume, {{"rules", "host"}}));
  EXPECT_TRUE(next.Open(Store::OpenMode::kResume, {}));
}

TEST_P(StoreRules, TakesACreationThatComesOnceMoreForTheSame) {
  Coordinator first(*backend_);
  const std::map<std::string, std::string> job = {{"coordinator", "c1"}, {"state", "running"}};
  EXPECT_FALSE(first.Open(Store::OpenMode::kCreate, job)) << "the job is there, made by another";
  EXPECT_TRUE(first.Open(Store::OpenMode::kResume, job));
  EXPECT_TRUE(first.Open(Store::OpenMode::kCreate, job));
  EXPECT_FALSE(first.Open(Store::OpenMode::kCreate, {{"coordinator", "c2"}}));
}

TEST_P(StoreRules, IsReopenedByTheCoordinatorAloneThatHasOpenedItLast) {
  const std::map<std::string, std::string> own = {{"coordinator", "c1"}};
  const std::map<std::string, std::string> others = {{"coordinator", "c2"}};
  Coordinator first(*backend_);
  EXPECT_EQ(first.Open(Store::OpenMode::kReopen, own).error(), Error::kStepRefused);
  const Snapshot opened = first.Open(Store::OpenMode::kResume, own).value();
  EXPECT_EQ(opened.job.at("coordinator"), "c1");
  EXPECT_EQ(first.Open(Store::OpenMode::kReopen, own).value().epoch, opened.epoch + 1);

  Coordinator second(*backend_);
  const Snapshot taken = second.Open(Store::OpenMode::kResume, others).value();
  const Result<Snapshot> refused = first.Open(Store::OpenMode::kReopen, own);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::kStepRefused);
  EXPECT_TRUE(second.Apply(ReadControlStep{})) << "it is in charge still";
  EXPECT_EQ(second.Open(Store::OpenMode::kReopen, others).value().epoch, taken.epoch + 1);
  EXPECT_TRUE(first.Open(Store::OpenMode::kResume, own)) << "as a person asks for it";
}

TEST_P(StoreRules, ReopensNoJobThatIsNotThere) {
  const std::unique_ptr<Backend> empty = NewBackend(GetParam());
  Coordinator coordinator(*empty);
  const Result<Snapshot> refused =
      coordinator.Open(Store::OpenMode::kReopen, {{"coordinator", "c1"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::kUsage);
}

TEST_P(StoreRules, ForgetsTheWordToStopOnceItHasStoppedTheJob) {
  const auto control = [&] { return coordinator_.Do<ReadControlReply>(ReadControlStep{}).control; };
  coordinator_.Apply(SaveJobStep{{{"state", "running"}}});
  backend_->SetControl("stop");
  coordinator_.Open();
  EXPECT_EQ(control(), "stop");
  coordinator_.Apply(SaveJobStep{{{"state", "stopped"}}});
  coordinator_.Open();
  EXPECT_EQ(control(), "run");
}

TEST_P(StoreRules, MovesAWaitingUrlToTheSmallerDepth) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Admit(1, {"http://b/1", "http://b/2", "http://b/3"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, RedirectedTo("http://b/2"))), "accepted -> 1");
  EXPECT_EQ(Queues(0), Strings{"b 1"});
  EXPECT_EQ(Queues(1), Strings{"b 2"});
  EXPECT_EQ(Stat("moved"), 1u);
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 1), Strings{"http://b/2 - 0 1 0"});
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(3, "b", 1, 9), (Strings{"http://b/1", "http://b/3"}));
  EXPECT_EQ(coordinator_.Outbox(), Strings{"redirected admitted row"});
}

TEST_P(StoreRules, LeasesThatAreAskedForTogetherTakeTurns) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Admit(1, {"http://b/1", "http://b/2", "http://b/3", "http://b/4", "http://b/5"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Accept(1, 0, RedirectedTo("http://b/2"));
  coordinator_.OpenRound(1);
  const auto lease = [](LeaseId id, int count) { return LeaseStep{id, "w", "b", 1, count, 1}; };
  Strings leased;
  for (const Result<Reply>& reply : coordinator_.Apply(std::vector<Step>{
           lease(2, 2), lease(3, 1), lease(2, 2), lease(4, 9), lease(5, 1), lease(5, 1)})) {
    leased.push_back(Text(reply));
  }
  const std::string first = "lease, http://b/1, http://b/3";
  EXPECT_EQ(leased,
            (Strings{first, "lease, http://b/4", first, "lease, http://b/5", "lease", "lease"}));
  EXPECT_EQ(Queues(1), Strings());
  EXPECT_EQ(Stat("leased"), 4u);
}

TEST_P(StoreRules, MovesAUrlAgainWhileItsRoundWaits) {
  coordinator_.Admit(3, {"http://b/", "http://b/x"});
  EXPECT_EQ(Text(coordinator_.Admit(2, {"http://b/"})), "3 ");
  EXPECT_EQ(Text(coordinator_.Admit(2, {"http://b/"})), "= ");
  EXPECT_EQ(Text(coordinator_.Admit(3, {"http://b/"})), "= ");
  EXPECT_EQ(Text(coordinator_.Admit(1, {"http://b/", "http://b/x"})), "2 3 ");
  EXPECT_EQ(Queues(1), Strings{"b 2"});
  EXPECT_EQ(Queues(2), Strings());
  EXPECT_EQ(Queues(3), Strings());
}

TEST_P(StoreRules, MovesNothingOutOfAnOpenRound) {
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Admit(2, {"http://c/"});
  coordinator_.OpenRound(1);
  coordinator_.OpenRound(0);
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://b/", "http://c/"})), "= 2 ");
  EXPECT_EQ(Now().open_depth, 1);
}

TEST_P(StoreRules, TakesAUrlWhoseQueueMovedAwayAndGrewAgain) {
  coordinator_.Admit(1, {"http://b/1"});
  coordinator_.Admit(0, {"http://b/1"});
  coordinator_.Admit(1, {"http://b/2", "http://b/3", "http://b/4"});
  coordinator_.Admit(0, {"http://b/3", "http://b/4"});
  EXPECT_EQ(Queues(1), Strings{"b 1"});
  coordinator_.OpenRound(1);
  EXPECT_EQ(coordinator_.Lease(1, "b", 1, 1), Strings{"http://b/2"});
  EXPECT_EQ(Queues(1), Strings());
}

// What becomes of a URL that was leased ahead, and what is told when it moves.
struct AheadCase {
  const char* name;
  Ending ending;
  const char* told;
  Strings outbox;  // from its ending on
};

std::vector<AheadCase> AheadCases() {
  Ending fetched = Fetched();
  fetched.body_bytes = 70;
  fetched.links = 3;
  Ending failed = Ended(Ending::Kind::kFailed, "row");
  failed.reason = Error::kTls;
  Ending retried = Ended(Ending::Kind::kRetried);
  retried.delay = milliseconds(1'000);
  Ending redirected = Ended(Ending::Kind::kRedirected, "row");
  redirected.refusal = "scope";
  return {{"fetched", fetched, "1:fetched:70", {"refused 2 1"}},
          {"failed", failed, "1:failed:tls", {"failed row", "withdrawn 0"}},
          {"delayed", retried, "1:delayed", {}},
          {"redirected", redirected, "1:redirected", {"redirected scope row", "withdrawn 0"}},
          {"returned", Ended(Ending::Kind::kReturned), "1", {"refused 2 1"}}};
}

TEST_P(StoreRules, UndoesWhatHasBecomeOfAUrlThatWasLeasedAheadWhenItMoves) {
  for (const AheadCase& ahead : AheadCases()) {
    SCOPED_TRACE(ahead.name);
    const std::unique_ptr<Backend> backend = NewBackend(GetParam());
    Coordinator coordinator(*backend);
    coordinator.Open();
    coordinator.Admit(0, {"http://a/"});
    coordinator.Admit(1, {"http://b/1", "http://b/2"});
    coordinator.Lease(1, "a", 0, 1);
    coordinator.Lease(2, "b", 1, 2);
    coordinator.Accept(2, 1, ahead.ending, {"http://b/3"});
    coordinator.Expire(2, false);
    EXPECT_EQ(Text(coordinator.Admit(0, {"http://b/2"})), std::string(ahead.told) + ' ');
    EXPECT_EQ(Text(coordinator.Admit(0, {"http://b/2"})), "= ");
    Strings outbox = coordinator.Outbox();
    std::erase(outbox, "refused 2 0");
    EXPECT_EQ(outbox, ahead.outbox);
    const Snapshot now = coordinator.Open();
    ExpectBalance(now);
    for (const char* none : {"fetched", "redirected", "failed", "delayed", "bytes", "links"}) {
      EXPECT_EQ(now.stats.at(none), 0u) << none;
    }
    EXPECT_EQ(now.rounds[0].admitted, 2u);
    EXPECT_EQ(now.rounds[1].admitted, 1u);
    EXPECT_EQ(coordinator.Lease(3, "b", 0, 9), Strings{"http://b/2"});
    EXPECT_EQ(coordinator.Lease(4, "b", 1, 9), Strings{"http://b/1"});
    EXPECT_EQ(Text(coordinator.Do<WakeReply>(WakeStep{.now = kNoon, .all = true})), "next none");
    EXPECT_EQ(Text(coordinator.Accept(3, 0, Fetched(), {"http://b/3"})), "accepted 2 -> none")
        << "what it leads to follows it";
  }
}

TEST_P(StoreRules, MakesRoomForAPageThatMovesAsItDidBefore) {
  for (const Ending::Kind kind : {Ending::Kind::kFailed, Ending::Kind::kRedirected}) {
    const std::unique_ptr<Backend> backend = NewBackend(GetParam());
    Coordinator coordinator(*backend);
    coordinator.Open();
    coordinator.Apply(SetLimitsStep{1, 0});
    coordinator.Admit(1, {"http://b/"});
    coordinator.Lease(1, "b", 1, 1);
    coordinator.Accept(1, 0, Ended(kind, "row"));
    coordinator.Admit(0, {"http://b/"});
    EXPECT_EQ(Text(coordinator.Admit(0, {"http://b/2"})), "pages_per_host ");
  }
}

TEST_P(StoreRules, AUrlThatMovesWhileItIsLeasedWaitsThereWhenItIsReported) {
  coordinator_.Admit(0, {"http://a/"});
  coordinator_.Admit(1, {"http://b/1", "http://b/2"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Lease(2, "b", 1, 2);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, RedirectedTo("http://b/2"))), "accepted -> 1:leased");
  EXPECT_EQ(Now().rounds[0].leased, 1u);
  EXPECT_EQ(Now().rounds[1].leased, 1u);
  EXPECT_EQ(Queues(0), Strings()) << "its host is still busy with it";
  EXPECT_EQ(Text(coordinator_.Accept(2, 1, std::nullopt, {"http://c/"})), "refused -> none");
  EXPECT_EQ(Text(coordinator_.Accept(2, 1, Fetched(), {"http://c/"})), "moved to 0");
  EXPECT_EQ(Text(coordinator_.Accept(2, 1, Fetched())), "refused -> none");
  EXPECT_EQ(Text(coordinator_.Accept(2, 0, Fetched())), "accepted -> none");
  EXPECT_EQ(coordinator_.Outbox(), (Strings{"redirected admitted row", "refused 2 1"}));
  EXPECT_EQ(Stat("admitted"), 3u) << "a report that does not count admits nothing";
  EXPECT_EQ(Stat("fetched"), 1u);
  EXPECT_EQ(coordinator_.Lease(3, "b", 0, 1), Strings{"http://b/2 - 0 1 0"});
  EXPECT_EQ(Text(coordinator_.Accept(3, 0, Fetched(), {"http://c/"})), "accepted + -> none");
}

TEST_P(StoreRules, AUrlThatMovesWhileItIsLeasedWaitsThereWhenItsWorkerIsLost) {
  coordinator_.Admit(1, {"http://b/1", "http://b/2", "http://b/3"});
  coordinator_.Lease(1, "b", 1, 9);
  coordinator_.Admit(0, {"http://b/2"});
  EXPECT_EQ(Text(coordinator_.Expire(1)), "2 returned, 0 lost, moved to 0");
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 9), Strings{"http://b/2 - 0 0 1"});
  EXPECT_EQ(coordinator_.Lease(3, "b", 1, 9),
            (Strings{"http://b/1 - 0 0 1", "http://b/3 - 0 0 1"}));
}

TEST_P(StoreRules, AUrlThatMovesWhileItIsLeasedKeepsItsLosses) {
  coordinator_.Admit(1, {"http://b/"});
  for (LeaseId id = 1; id <= 2; ++id) {
    coordinator_.Lease(id, "b", 1, 1);
    coordinator_.Expire(id);
  }
  coordinator_.Lease(3, "b", 1, 1);
  coordinator_.Admit(0, {"http://b/"});
  EXPECT_EQ(Text(coordinator_.Expire(3)), "0 returned, 0 lost, lost at 0");
  EXPECT_EQ(coordinator_.Outbox().back(), "given_up worker_lost 0 http://b/ - 0 0 3");
  EXPECT_EQ(Now().rounds[0].failed, 1u);
}

TEST_P(StoreRules, AUrlGivenUpAheadMovesWithOneLifeLeft) {
  coordinator_.Admit(1, {"http://b/"});
  for (LeaseId id = 1; id <= 3; ++id) {
    coordinator_.Lease(id, "b", 1, 1);
    coordinator_.Expire(id);
  }
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://b/"})), "1:failed:worker_lost ");
  EXPECT_EQ(coordinator_.Outbox().back(), "withdrawn 3");
  EXPECT_EQ(coordinator_.Lease(4, "b", 0, 1), Strings{"http://b/ - 0 0 2"});
}

TEST_P(StoreRules, AUrlThatMovesWhileItIsDelayedKeepsItsLosses) {
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Lease(1, "b", 1, 1);
  coordinator_.Expire(1);
  coordinator_.Lease(2, "b", 1, 1);
  coordinator_.Accept(2, 0, Ended(Ending::Kind::kRetried));
  coordinator_.Admit(0, {"http://b/"});
  EXPECT_EQ(coordinator_.Lease(3, "b", 0, 1), Strings{"http://b/ - 0 0 1"});
}

TEST_P(StoreRules, AHostIsLeftAloneThoughTheUrlThatSaysSoHasMoved) {
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Lease(1, "b", 1, 1);
  coordinator_.Admit(0, {"http://b/"});
  AcceptStep step{1, 0, {}, Ended(Ending::Kind::kRetried)};
  step.now = kNoon;
  step.pause = milliseconds(500);
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(step)), "moved to 0");
  EXPECT_EQ(Now().paused.at("b"), kNoon + milliseconds(500));
}

TEST_P(StoreRules, NumbersOfWithdrawnItemsGoOnWhenTheOutboxIsRead) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2"});
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Accept(1, 0, Ended(Ending::Kind::kFailed, "row"));
  coordinator_.Accept(1, 1, Ended(Ending::Kind::kFailed, "row"));
  coordinator_.Do<ReadOutboxReply>(ReadOutboxStep{1, 9});
  coordinator_.Lease(2, "b", 1, 1);
  coordinator_.Accept(2, 0, Ended(Ending::Kind::kFailed, "row"));
  coordinator_.Admit(0, {"http://b/"});
  EXPECT_EQ(coordinator_.Outbox().back(), "withdrawn 2");
}

TEST_P(StoreRules, NothingMovesAnyMoreWhenTheRoundOfWhatWasLeasedAheadOpens) {
  coordinator_.Admit(1, {"http://b/1", "http://b/2", "http://b/3"});
  coordinator_.Lease(1, "b", 1, 2);
  coordinator_.Accept(1, 0, Fetched());
  coordinator_.OpenRound(1);
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://b/1", "http://b/2", "http://b/3"})), "= = = ");
  EXPECT_EQ(Text(coordinator_.Accept(1, 1, Fetched())), "accepted -> none");
}

TEST_P(StoreRules, WhatHasMovedWhileLeasedDoesSoThoughAllRoundsOpen) {
  coordinator_.Admit(1, {"http://b/"});
  coordinator_.Lease(1, "b", 1, 1);
  coordinator_.Admit(0, {"http://b/"});
  coordinator_.OpenRound(5);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, Fetched())), "moved to 0");
  EXPECT_EQ(Queues(0), Strings{"b 1"});
}

TEST_P(StoreRules, WhatCameBackAheadMovesAsWhatWaits) {
  coordinator_.Admit(1, {"http://b/1", "http://b/2"});
  coordinator_.Lease(1, "b", 1, 2);
  Ending retried = Ended(Ending::Kind::kRetried);
  coordinator_.Accept(1, 0, retried);
  coordinator_.Expire(1);
  coordinator_.Do<WakeReply>(WakeStep{.now = kNoon, .all = true});
  EXPECT_EQ(Queues(1), Strings{"b 2"});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://b/1", "http://b/2"})), "1 1 ");
  EXPECT_EQ(Queues(1), Strings());
  EXPECT_EQ(coordinator_.Lease(2, "b", 0, 9), (Strings{"http://b/1", "http://b/2"}));
}

TEST_P(StoreRules, NumbersTheOutboxAndDropsWhatWasRead) {
  coordinator_.Admit(0, {"http://a/0", "http://a/1", "http://a/2", "http://a/3"});
  coordinator_.Lease(1, "a", 0, 4);
  for (int i = 0; i < 4; ++i) coordinator_.Accept(1, i, Ended(Ending::Kind::kFailed, "r"));
  const auto read = [this](std::uint64_t from, int limit) {
    const auto reply = coordinator_.Do<ReadOutboxReply>(ReadOutboxStep{from, limit});
    return std::pair(reply.first, reply.items.size());
  };
  EXPECT_EQ(read(0, 3), std::pair(std::uint64_t{0}, std::size_t{3}));
  EXPECT_EQ(read(3, 0), std::pair(std::uint64_t{3}, std::size_t{0}));
  EXPECT_EQ(read(1, 9), std::pair(std::uint64_t{3}, std::size_t{1}));
  EXPECT_EQ(read(9, 9), std::pair(std::uint64_t{4}, std::size_t{0}));
  Now();
  EXPECT_EQ(read(0, 9), std::pair(std::uint64_t{4}, std::size_t{0}));
}

TEST_P(StoreRules, KeepsTheJobsFields) {
  coordinator_.Apply(SaveJobStep{{{"state", "paused"}, {"finished", "now, \"at\" once\n"}}});
  coordinator_.Apply(SaveJobStep{});
  const auto job = Now().job;
  EXPECT_EQ(job.at("state"), "paused");
  EXPECT_EQ(job.at("finished"), "now, \"at\" once\n");
  EXPECT_EQ(job.size(), 2u);
}

TEST_P(StoreRules, ReadsWhatAPersonControls) {
  EXPECT_EQ(coordinator_.Do<ReadControlReply>(ReadControlStep{}).control, "");
  backend_->SetControl("pause");
  EXPECT_EQ(coordinator_.Do<ReadControlReply>(ReadControlStep{}).control, "pause");
}

TEST_P(StoreRules, GoesOnAfterARestartWhereItStopped) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2", "http://b/", "http://a/3"});
  coordinator_.Lease(7, "a", 0, 2);
  coordinator_.Accept(7, 0, Fetched(), {"http://c/1", "http://c/2", "http://d/"});
  coordinator_.Lease(8, "b", 0, 1);
  coordinator_.Accept(8, 0, RedirectedTo("http://c/1"));
  const Snapshot snapshot = Now();
  EXPECT_EQ(
      Text(snapshot),
      "state=running\n"
      "admitted=7\nbytes=0\ndelayed=0\nfailed=0\nfetched=1\nleased=1\nleases_expired=0\nlinks=0\n"
      "moved=1\nredirected=1\nreports_refused=0\nretries=0\n"
      "open 0\nround 5 1 1 1 0 0\nround 2 0 0 0 0 0\n"
      "queue 0 a 1\nqueue 0 c 1\nqueue 1 c 1\nqueue 1 d 1\n"
      "lease 7 w a 0 2: 1\n");
  EXPECT_EQ(Text(Coordinator(*backend_).Open()), Text(snapshot));
}

// ---- robots.txt ----

/// One of each state, with a value in every field that goes with it.
std::vector<RobotsRecord> RobotsRecords() {
  std::vector<RobotsRecord> records(4);
  records[0].state = RobotsRecord::State::kRules;
  records[0].body = std::string("User-agent: *\r\nDisallow: /\xFF\0\n", 29);
  records[0].status = 200;
  records[1].state = RobotsRecord::State::kAllowAll;
  records[1].status = 404;
  records[2].state = RobotsRecord::State::kFailing;
  records[2].failures = 2;
  records[2].status = 503;
  records[2].detail = "HTTP status 503";
  records[2].next_try = kNoon + milliseconds(20'001);
  records[3].state = RobotsRecord::State::kGivenUp;
  records[3].failures = 4;
  records[3].reason = Error::kConnect;
  records[3].detail = "connect to 192.0.2.1:80: Connection refused";
  for (RobotsRecord& record : records) {
    record.fetched = kNoon + milliseconds(1);
    record.expires = kNoon + std::chrono::hours(24);
  }
  return records;
}

TEST_P(StoreRules, KeepsWhatIsKnownOfAnOriginsRobotsTxt) {
  const auto read = [this](const std::string& origin) {
    return coordinator_.Do<ReadRobotsReply>(ReadRobotsStep{origin, kNoon}).record;
  };
  const std::string origin = "https://a:81";
  EXPECT_EQ(read(origin), std::nullopt);
  for (const RobotsRecord& record : RobotsRecords()) {
    coordinator_.Do<KeepRobotsReply>(KeepRobotsStep{origin, record, kNoon});
    EXPECT_EQ(read(origin), record) << Text(record);
    Now();
    EXPECT_EQ(read(origin), record) << "after a restart";
  }
  EXPECT_EQ(read("http://a:81"), std::nullopt) << "another origin";
}

TEST_P(StoreRules, ForgetsARobotsTxtWhenItsTimeIsOver) {
  const RobotsRecord record = RobotsRecords()[0];
  coordinator_.Do<KeepRobotsReply>(KeepRobotsStep{"http://a", record, kNoon});
  for (const auto& [now, known] :
       {std::pair(record.expires - milliseconds(1), true), std::pair(record.expires, false)}) {
    const auto reply = coordinator_.Do<ReadRobotsReply>(ReadRobotsStep{"http://a", now});
    EXPECT_EQ(reply.record.has_value(), known);
  }
}

// ---- Limits on what is admitted ----

TEST_P(StoreRules, AdmitsNoMorePagesOfAHostThanItMayHave) {
  coordinator_.Apply(SetLimitsStep{2, 0});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/1", "http://b/", "http://a/2", "http://a/3"})),
            "+ + + pages_per_host ");
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/1", "http://a/3", "http://a:81/"})),
            "= pages_per_host + ")
      << "what was dropped was not seen";
  Now();
  EXPECT_EQ(Text(coordinator_.Admit(1, {"http://a/3"})), "pages_per_host ") << "after a restart";
  EXPECT_EQ(Queues(0), (Strings{"a 2", "a:81 1", "b 1"}));
  EXPECT_EQ(Stat("dropped:pages_per_host"), 3u);
  EXPECT_EQ(Stat("admitted"), 4u);
}

TEST_P(StoreRules, APageThatWasNotFetchedMakesRoomForAnother) {
  const struct {
    const char* what;
    std::optional<Ending> ending;  // of http://a/1; none: its worker is lost for the last time
    const char* admission;         // of http://a/2 then
  } kCases[] = {
      {"fetched", Fetched(), "pages_per_host "},
      {"failed", Ended(Ending::Kind::kFailed), "+ "},
      {"redirected away", RedirectedTo("http://b/"), "+ "},
      {"redirected within the host", RedirectedTo("http://a/x"), "pages_per_host "},
      {"redirected to nowhere", Ended(Ending::Kind::kRedirected), "+ "},
      {"returned", Returned(), "pages_per_host "},
      {"lost", std::nullopt, "+ "},
  };
  for (const auto& c : kCases) {
    const std::unique_ptr<Backend> backend = NewBackend(GetParam());
    Coordinator coordinator(*backend);
    coordinator.Open();
    coordinator.Apply(SetLimitsStep{1, 0});
    coordinator.Admit(0, {"http://a/1"});
    coordinator.Lease(1, "a", 0, 1);
    if (c.ending) {
      coordinator.Accept(1, 0, c.ending);
    } else {
      for (LeaseId id = 1; id <= kMaxLosses; ++id) {
        coordinator.Lease(id, "a", 0, 1);
        coordinator.Expire(id);
      }
    }
    EXPECT_EQ(Text(coordinator.Admit(0, {"http://a/2"})), c.admission) << c.what;
  }
}

TEST_P(StoreRules, ARedirectToAHostThatIsFullIsDropped) {
  coordinator_.Apply(SetLimitsStep{1, 0});
  coordinator_.Admit(0, {"http://a/", "http://b/1"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, RedirectedTo("http://b/2"), {"http://b/3"})),
            "accepted pages_per_host -> pages_per_host");
  EXPECT_EQ(coordinator_.Outbox(), Strings{"redirected pages_per_host row"});
  EXPECT_EQ(Stat("dropped:pages_per_host"), 2u);
}

TEST_P(StoreRules, SitemapsAreNoPagesOfTheirHost) {
  coordinator_.Apply(SetLimitsStep{1, 0});
  const Strings sitemaps = {"http://a/s1", "http://a/s2"};
  EXPECT_EQ(
      Text(coordinator_.Do<AdmitReply>(AdmitStep{0, Offers({"http://a/1"}), Offers(sitemaps), ""})),
      "+ + / + ");
  coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Accept(1, 0, Ended(Ending::Kind::kFailed));
  EXPECT_EQ(Text(coordinator_.Accept(1, 1, RedirectedTo("http://a/s3"))), "accepted -> +");
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/2"})), "pages_per_host ");
}

TEST_P(StoreRules, MovesAWaitingUrlOfAHostThatIsFull) {
  coordinator_.Apply(SetLimitsStep{1, 0});
  coordinator_.Admit(1, {"http://a/"});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/"})), "1 ");
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/2"})), "pages_per_host ");
}

TEST_P(StoreRules, PagesFromBeforeALimitCountForIt) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Accept(1, 0, Fetched());
  coordinator_.Apply(SetLimitsStep{2, 0});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/3"})), "pages_per_host ");
  coordinator_.Apply(SetLimitsStep{3, 0});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/3", "http://a/4"})), "+ pages_per_host ");
  coordinator_.Apply(SetLimitsStep{});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/4"})), "+ ");
}

TEST_P(StoreRules, AdmitsNoMoreHostsOfADomainThanItMayHave) {
  coordinator_.Apply(SetLimitsStep{0, 2});
  const Domains domains = {{"1.a", "a"}, {"2.a", "a"}, {"3.a", "a"}, {"4.a:81", "a"}, {"1.b", "b"}};
  coordinator_.Admit(0, {"http://a/", "http://0.a/"});
  coordinator_.Lease(1, "a", 0, 1);
  AcceptStep step{1, 0, Offers({"http://1.a/", "http://2.a/", "http://3.a/", "http://1.a/x"})};
  step.domains = domains;
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(step)), "accepted + + hosts_per_domain + -> none")
      << "seeds are no hosts that were found";
  Now();
  step.links = Offers({"http://4.a:81/", "http://1.b/", "http://0.a/y", "http://2.a/z"});
  step.ending = RedirectedTo("http://3.a/");
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(step)),
            "accepted hosts_per_domain + + + -> hosts_per_domain");
  EXPECT_EQ(coordinator_.Outbox(), Strings{"redirected hosts_per_domain row"});
  EXPECT_EQ(Stat("dropped:hosts_per_domain"), 3u);
  const AdmitStep sitemaps{0, {}, Offers({"http://3.a/s", "http://1.a/s"}), "http://a/r", domains};
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(sitemaps)), "hosts_per_domain + / ");
  coordinator_.Apply(SetLimitsStep{});
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(sitemaps)), "+ = / ");
}

// ---- Both stores agree ----

class RandomSteps {
 public:
  explicit RandomSteps(unsigned seed) : random_(seed) {}

  Step Next() {
    switch (Pick(17)) {
      case 0:
        return AdmitStep{Pick(4), Some(5), Some(3), Pick(2) ? "" : "http://r/robots.txt",
                         SomeDomains()};
      case 1:
      case 2:
      case 3:
        return LeaseStep{++last_lease_ - (Pick(8) == 0),
                         "w",
                         HostName(Pick(kHosts)),
                         Pick(open_ + 3),
                         Pick(5),
                         1 + Pick(3)};
      case 4:
        return ExpireStep{RecentLease(), Pick(3) > 0};
      case 15:
        return WakeStep{kNoon + milliseconds(Pick(kLongestDelay)), 1 + Pick(9), Pick(9) == 0};
      case 16:
        return GiveUpStep{HostName(Pick(kHosts)), Pick(open_ + 2),
                          static_cast<std::uint64_t>(Pick(3)), Error::kTimeout};
      case 14:
        return SetLimitsStep{static_cast<std::uint64_t>(Pick(2) * (8 + Pick(20))),
                             static_cast<std::uint64_t>(Pick(4))};
      case 5:
        if (Pick(6) > 0) return ReadControlStep{};
        return OpenRoundStep{open_ = std::max(open_, Pick(5))};
      case 6:
        return ReadOutboxStep{static_cast<std::uint64_t>(Pick(40)), Pick(30)};
      case 7:
        return SaveJobStep{{{"state", std::to_string(Pick(3))}}};
      case 8:
        return ReadRobotsStep{"http://" + HostName(Pick(kHosts)), kNoon + SomeHours()};
      case 9:
        return KeepRobotsStep{"http://" + HostName(Pick(kHosts)), RobotsRecords()[Pick(4)],
                              kNoon + SomeHours()};
      default:
        return RandomAccept();
    }
  }

 private:
  static constexpr int kHosts = 4;
  static constexpr int kLongestDelay = 1'000'000'000;  // so that no two are equal

  int Pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  static std::string HostName(int host) { return "host" + std::to_string(host); }
  LeaseId RecentLease() { return last_lease_ - std::min<LeaseId>(last_lease_, Pick(6)); }

  std::chrono::hours SomeHours() { return std::chrono::hours(20 + Pick(4)); }

  Candidate One() {
    return Offer("http://" + HostName(Pick(kHosts)) + '/' + std::to_string(Pick(40)));
  }
  std::vector<Candidate> Some(int below) {
    std::vector<Candidate> some(Pick(below));
    for (Candidate& candidate : some) candidate = One();
    return some;
  }

  AcceptStep RandomAccept() {
    AcceptStep step{RecentLease(), Pick(5), Some(6), RandomEnding()};
    step.is_sitemap = Pick(3) == 0;
    if (Pick(3) == 0) step.beyond = Some(4);
    if (step.is_sitemap) step.sitemaps = Some(3);
    if (Pick(3) == 0) step.drops["scope"] = Pick(9);
    step.domains = SomeDomains();
    step.now = kNoon;
    if (Pick(4) == 0) step.pause = milliseconds(Pick(kLongestDelay));
    return step;
  }

  Domains SomeDomains() {
    Domains domains;
    for (int hosts = Pick(kHosts); hosts > 0; --hosts) domains[HostName(Pick(kHosts))] = "domain";
    return domains;
  }

  std::optional<Ending> RandomEnding() {
    if (Pick(5) == 0) return std::nullopt;
    Ending ending = Ended(static_cast<Ending::Kind>(Pick(5)), "row " + std::to_string(Pick(100)));
    ending.reason = Pick(2) ? Error::kDns : Error::kTls;
    ending.body_bytes = Pick(1000);
    ending.links = Pick(9);
    ending.delay = milliseconds(Pick(kLongestDelay));
    if (ending.kind != Ending::Kind::kRedirected) return ending;
    if (Pick(4) > 0) {
      ending.target = One();
      ending.target_hops = Pick(3);
    } else {
      ending.refusal = "scope";
    }
    return ending;
  }

  std::mt19937 random_;
  LeaseId last_lease_ = 0;
  int open_ = 0;
};

class RandomCrawl : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCrawl, testing::Range(1u, 21u));

TEST_P(RandomCrawl, GoesAlikeInMemoryAndInRedis) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  MemoryBackend memory_backend;
  RedisBackend redis_backend;
  Coordinator memory(memory_backend);
  Coordinator redis(redis_backend);
  memory.Open();
  redis.Open();
  RandomSteps steps(GetParam());
  for (int i = 0; i < 60; ++i) {
    std::vector<Step> together;
    for (int n = 0; n < 5; ++n) together.push_back(steps.Next());
    const std::vector<Result<Reply>> replies = redis.Apply(together);
    for (std::size_t n = 0; n < together.size(); ++n) {
      ASSERT_EQ(Text(replies[n]), Text(memory.Apply(together[n])))
          << "step " << i << '.' << n << ", alternative " << together[n].index();
    }
    if (i % 3 != 2) continue;
    const Snapshot snapshot = redis.Open();
    ASSERT_EQ(Text(snapshot), Text(memory.Open())) << "after step " << i;
    ExpectBalance(snapshot);
  }
}

// ---- Redis ----

std::vector<Fingerprint> TryingFingerprints() {
  constexpr auto kMin = std::numeric_limits<Fingerprint>::min();
  constexpr auto kMax = std::numeric_limits<Fingerprint>::max();
  std::set<Fingerprint> all;
  for (int i = 0; i < 60; ++i) {
    all.insert({kMin + i, kMax - i, Fingerprint{i} - 30});
    all.insert((Fingerprint{1} << 53) + i);
  }
  for (int bit = 0; bit < 63; ++bit) {
    const Fingerprint power = Fingerprint{1} << bit;
    all.insert({power - 1, power, power + 1, -power - 1, -power, 1 - power});
  }
  std::mt19937_64 random(1);
  while (all.size() < 20'000) all.insert(static_cast<Fingerprint>(random()));
  std::vector<Fingerprint> shuffled(all.begin(), all.end());
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  return shuffled;
}

std::string NumberedUrl(std::size_t number) { return "http://a/" + std::to_string(number); }

/// Offers the fingerprints in steps of 500 and counts the admissions of a kind.
int CountOffers(Coordinator& coordinator, const std::vector<Fingerprint>& fingerprints, int depth,
                Admitted kind) {
  int count = 0;
  for (std::size_t first = 0; first < fingerprints.size(); first += 500) {
    AdmitStep step{depth, {}};
    for (std::size_t i = first; i < std::min(first + 500, fingerprints.size()); ++i) {
      step.candidates.push_back({fingerprints[i], NumberedUrl(i)});
    }
    for (const Admission& admission : coordinator.Do<AdmitReply>(step).admissions) {
      count += admission.kind == kind;
    }
  }
  return count;
}

/// Checks the buckets of a fingerprint set, and returns their members.
std::set<Fingerprint> ReadBuckets(const std::string& name) {
  std::set<Fingerprint> members;
  const Strings buckets = SharedServer().Run({"KEYS", "trawl:{j}:" + name + ":*"});
  EXPECT_GT(buckets.size(), 30u);
  for (const std::string& bucket : buckets) {
    EXPECT_EQ(SharedServer().Run({"OBJECT", "ENCODING", bucket}), Strings{"intset"}) << bucket;
    for (const std::string& member : SharedServer().Run({"SMEMBERS", bucket})) {
      EXPECT_TRUE(members.insert(std::stoll(member)).second) << member << " is in two buckets";
    }
  }
  return members;
}

TEST(RedisStore, FindsEveryFingerprintAgainThroughSplits) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  const std::vector<Fingerprint> all = TryingFingerprints();
  const int size = static_cast<int>(all.size());
  EXPECT_EQ(CountOffers(coordinator, all, 2, Admitted::kAdmitted), size);
  EXPECT_EQ(CountOffers(coordinator, all, 2, Admitted::kSeen), size);
  const std::set<Fingerprint> expected(all.begin(), all.end());
  EXPECT_EQ(ReadBuckets("seen"), expected);
  EXPECT_EQ(ReadBuckets("waiting:2"), expected);
  EXPECT_EQ(SharedServer().Run({"HGET", "trawl:{j}:seen", "size"}), Strings{std::to_string(size)});

  EXPECT_EQ(CountOffers(coordinator, all, 1, Admitted::kMoved), size);
  EXPECT_EQ(SharedServer().Run({"KEYS", "trawl:{j}:waiting:2:*"}), Strings());
  EXPECT_EQ(ReadBuckets("waiting:1"), expected);
  coordinator.OpenRound(1);
  EXPECT_EQ(SharedServer().Run({"KEYS", "trawl:{j}:waiting:*"}), Strings{"trawl:{j}:waiting:2"});
  ExpectBalance(coordinator.Open());
}

TEST(RedisStore, NamesTheBucketsOfAHugeSeenSetByTheirWholeNumber) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  SharedServer().Run({"HSET", "trawl:{j}:seen", "level", "20", "split", "0", "size", "0"});
  std::vector<Fingerprint> firsts;  // each the smallest of its bucket
  for (const int number : {1'048'576, 1'050'000, 1'050'007, 1'050'010, 2'097'151}) {
    const auto part = static_cast<std::uint64_t>(number - (1 << 20));
    firsts.push_back(static_cast<Fingerprint>((part << 44) ^ (std::uint64_t{1} << 63)));
  }
  EXPECT_EQ(CountOffers(coordinator, firsts, 0, Admitted::kAdmitted), 5);
  Strings buckets = SharedServer().Run({"KEYS", "trawl:{j}:seen:*"});
  std::sort(buckets.begin(), buckets.end());
  EXPECT_EQ(buckets,
            (Strings{"trawl:{j}:seen:1048576", "trawl:{j}:seen:1050000", "trawl:{j}:seen:1050007",
                     "trawl:{j}:seen:1050010", "trawl:{j}:seen:2097151"}));
}

TEST(RedisStore, FindsTheEndsOfTheRangeAtEveryMomentOfItsGrowth) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  constexpr auto kMin = std::numeric_limits<Fingerprint>::min();
  constexpr auto kMax = std::numeric_limits<Fingerprint>::max();
  const std::vector<Fingerprint> ends = {kMin, kMin + 1, -1, 0, 1, kMax - 1, kMax};
  const int size = static_cast<int>(ends.size());
  EXPECT_EQ(CountOffers(coordinator, ends, 0, Admitted::kAdmitted), size);
  std::mt19937_64 random(2);
  for (int round = 0; round < 60; ++round) {
    std::vector<Fingerprint> more(150);
    for (Fingerprint& one : more) one = static_cast<Fingerprint>(random());
    EXPECT_EQ(CountOffers(coordinator, more, 0, Admitted::kAdmitted), 150);
    ASSERT_EQ(CountOffers(coordinator, ends, 0, Admitted::kSeen), size) << "round " << round;
  }
}

TEST(RedisStore, SplitsBucketsThatTheServerKeepsAsTables) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  SharedServer().Run({"CONFIG", "SET", "set-max-intset-entries", "100"});
  const std::vector<Fingerprint> all = TryingFingerprints();
  const int size = static_cast<int>(all.size());
  EXPECT_EQ(CountOffers(coordinator, all, 0, Admitted::kAdmitted), size);
  EXPECT_EQ(CountOffers(coordinator, all, 0, Admitted::kSeen), size);
  coordinator.Open();
  EXPECT_EQ(SharedServer().Run({"CONFIG", "GET", "set-max-intset-entries"}).at(1), "1024");
}

TEST(RedisStore, RaisesTheIntsetLimitWhenItIsTooLow) {
  SharedServer().Run({"CONFIG", "SET", "set-max-intset-entries", "512"});
  RedisBackend backend;
  Coordinator(backend).Open();
  EXPECT_EQ(SharedServer().Run({"CONFIG", "GET", "set-max-intset-entries"}).at(1), "1024");
}

TEST(RedisStore, LeavesNoKeysOfWhatIsDone) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  coordinator.Admit(0, {"http://a/"});
  coordinator.Lease(1, "a", 0, 1);
  coordinator.Accept(1, 0, RedirectedTo("http://b/2"), {"http://b/1", "http://b/2"});
  coordinator.Lease(2, "b", 0, 1);
  coordinator.Accept(2, 0, Fetched());
  coordinator.OpenRound(1);
  coordinator.Lease(3, "b", 1, 5);
  coordinator.Accept(3, 0, Fetched());
  coordinator.Do<ReadOutboxReply>(ReadOutboxStep{9, 9});
  Strings keys = SharedServer().Run({"KEYS", "*"});
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys, (Strings{"trawl:jobs", "trawl:{j}:job", "trawl:{j}:pages_of_host",
                           "trawl:{j}:round:0", "trawl:{j}:round:1", "trawl:{j}:seen",
                           "trawl:{j}:seen:1", "trawl:{j}:stats"}));
}

TEST(RedisStore, ReplacesTheTableOfWorkers) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  coordinator.Apply(SaveWorkersStep{{{"one", "{}"}, {"two", R"({"pid":2})"}}});
  coordinator.Apply(SaveWorkersStep{{{"two", "{}"}}});
  EXPECT_EQ(SharedServer().Run({"HGETALL", "trawl:{j}:workers"}), (Strings{"two", "{}"}));
}

TEST(RedisStore, ARobotsTxtCanBeReadByAPersonAndGoesByItself) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  const std::string key = "trawl:{j}:robots:http://a";
  const RobotsRecord record = RobotsRecords()[2];
  coordinator.Apply(KeepRobotsStep{"http://a", RobotsRecords()[0], kNoon});
  coordinator.Apply(KeepRobotsStep{"http://a", record, kNoon + std::chrono::hours(23)});
  EXPECT_EQ(SharedServer().Run({"HMGET", key, "state", "http_status", "failures", "next_try"}),
            (Strings{"failing", "503", "2", Rfc3339(record.next_try)}));
  EXPECT_EQ(SharedServer().Run({"HEXISTS", key, "body"}), Strings{"0"});
  const int left_ms = std::stoi(SharedServer().Run({"PTTL", key}).at(0));
  EXPECT_GT(left_ms, 3'000'000);
  EXPECT_LE(left_ms, 3'600'000);
}

TEST(RedisStore, ARobotsTxtThatSomebodyHasSpoiltIsAskedForAgain) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  coordinator.Apply(KeepRobotsStep{"http://a", RobotsRecords()[0], kNoon});
  SharedServer().Run({"HSET", "trawl:{j}:robots:http://a", "state", "so-so"});
  const auto reply = coordinator.Do<ReadRobotsReply>(ReadRobotsStep{"http://a", kNoon});
  EXPECT_EQ(reply.record, std::nullopt);
}

TEST(RedisStore, ReadsManyHostsAndLeasesInPages) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  constexpr int kHosts = 25'000;
  constexpr int kLeases = 1'200;
  AdmitStep step;
  for (int i = 0; i < kHosts; ++i) step.candidates.push_back({i, "http://h" + std::to_string(i)});
  coordinator.Apply(step);
  for (int i = 0; i < kLeases; ++i) coordinator.Lease(i + 1, "h" + std::to_string(i), 0, 1);
  const Snapshot snapshot = coordinator.Open();
  EXPECT_EQ(snapshot.queues.size(), std::size_t{kHosts - kLeases});
  EXPECT_EQ(snapshot.leases.size(), std::size_t{kLeases});
  ExpectBalance(snapshot);
}

std::uint64_t FunctionCalls() {
  std::string stats;
  for (const std::string& line : SharedServer().Run({"INFO", "commandstats"})) stats += line + '\n';
  const std::size_t at = stats.find("cmdstat_fcall:calls=");
  return at == stats.npos ? 0 : std::stoull(stats.substr(stats.find('=', at) + 1));
}

TEST(RedisStore, LeasesTravelTogether) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  Strings urls;
  for (int i = 0; i < 120; ++i) urls.push_back(NumberedUrl(i));
  coordinator.Admit(0, urls);
  std::vector<Step> steps;
  for (LeaseId id = 1; id <= 120; ++id) steps.push_back(LeaseStep{id, "w", "a", 0, 1, 1});
  SharedServer().Run({"CONFIG", "RESETSTAT"});
  coordinator.Apply(steps);
  EXPECT_LT(FunctionCalls(), 10u);
  EXPECT_EQ(coordinator.Open().leases.size(), 120u);
}

std::vector<Step> ReportsOf(LeaseId lease, int first, int end) {
  std::vector<Step> reports;
  for (int i = first; i < end; ++i) {
    reports.push_back(AcceptStep{lease, i, Offers({"http://a/x" + std::to_string(i)}), Fetched()});
  }
  return reports;
}

TEST(RedisStore, ReportsTravelTogetherInTheirOrder) {
  RedisBackend backend;
  Coordinator coordinator(backend);
  coordinator.Open();
  Strings urls;
  for (int i = 0; i < 900; ++i) urls.push_back(NumberedUrl(i));
  coordinator.Admit(0, urls);
  coordinator.Lease(1, "a", 0, 900);
  SharedServer().Run({"CONFIG", "RESETSTAT"});
  std::vector<Step> steps = ReportsOf(1, 0, 600);
  steps.push_back(steps[3]);  // refused
  steps.push_back(LeaseStep{2, "w", "a", 2, 2, 2});
  const std::vector<Step> last = ReportsOf(1, 600, 900);
  steps.insert(steps.end(), last.begin(), last.end());
  const std::vector<Result<Reply>> replies = coordinator.Apply(steps);
  for (int i = 0; i < 902; ++i) {
    if (i == 601) continue;
    EXPECT_EQ(Text(replies[i]), i == 600 ? "refused -> none" : "accepted + -> none") << i;
  }
  EXPECT_EQ(replies[601].error(), Error::kStepRefused) << "that round is not open";
  EXPECT_LT(FunctionCalls(), 20u);
}

TEST(RedisStore, SendsNoReportOfAnEpochUnderTheNext) {
  RedisBackend backend;
  const std::unique_ptr<Store> store = backend.NewStore();
  Coordinator(backend).Open();
  const auto open = [&] {
    std::optional<Result<Snapshot>> snapshot;
    store->Open(Store::OpenMode::kResume, {},
                [&](Result<Snapshot> result) { snapshot = std::move(result); });
    while (!snapshot) backend.Turn();
    return snapshot->value();
  };
  open();
  const auto apply = [&](const Step& step) {
    std::optional<Result<Reply>> result;
    store->Apply(step, [&](Result<Reply> reply) { result = std::move(reply); });
    while (!result) backend.Turn();
  };
  apply(AdmitStep{0, Offers({"http://a/0", "http://a/1", "http://a/2"})});
  apply(LeaseStep{1, "w", "a", 0, 3, 2});
  for (const Step& report : ReportsOf(1, 0, 3)) store->Apply(report, [](Result<Reply>) {});
  const std::string opened = Text(open());
  apply(ReadControlStep{});
  EXPECT_EQ(Text(open()), opened) << "what is executed later is not in the snapshot";
  apply(AcceptStep{1, 2, {}, Fetched()});
  EXPECT_EQ(open().stats.at("fetched"), 2u) << "reports travel as before";
}

TEST(RedisStore, GoesOnAfterTheServerWasKilled) {
  RedisServer server(RedisServer::Log::kAppendOnlyFile);
  RedisBackend backend(server);
  Coordinator coordinator(backend);
  coordinator.Open();
  coordinator.Admit(0, {"http://a/", "http://b/"});
  coordinator.Lease(1, "a", 0, 1);
  coordinator.Accept(1, 0, std::nullopt, {"http://c/"});
  const std::string before = Text(coordinator.Open());
  server.Kill();
  EXPECT_EQ(coordinator.Apply(ReadControlStep{}).error(), Error::kStore);
  server.Start();
  backend.Connect();
  EXPECT_EQ(Text(coordinator.Open()), before);
  EXPECT_TRUE(coordinator.Accept(1, 0, Fetched()).accepted);
}

}  // namespace
}  // namespace trawl

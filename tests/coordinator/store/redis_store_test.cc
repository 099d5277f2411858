// What is Redis' own: the seen set's buckets, the keys, a restart of the server.

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>

#include "tests/coordinator/store/store_fixture.h"

namespace trawl {
namespace {

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
int CountOffers(StoreUser& coordinator, const std::vector<Fingerprint>& fingerprints, int depth,
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
  StoreUser coordinator(backend);
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
  StoreUser coordinator(backend);
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
  StoreUser coordinator(backend);
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
  StoreUser coordinator(backend);
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
  StoreUser(backend).Open();
  EXPECT_EQ(SharedServer().Run({"CONFIG", "GET", "set-max-intset-entries"}).at(1), "1024");
}

TEST(RedisStore, LeavesNoKeysOfWhatIsDone) {
  RedisBackend backend;
  StoreUser coordinator(backend);
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

TEST(RedisStore, IsReopenedThoughTheServerHasForgottenWhoOpenedItLast) {
  RedisBackend backend;
  StoreUser(backend).Open(Store::OpenMode::kCreate, {{"coordinator", "c0"}}).value();
  StoreUser user(backend);
  const std::map<std::string, std::string> own = {{"coordinator", "c1"}};
  EXPECT_EQ(user.Open(Store::OpenMode::kResume, own).value().epoch, 2u);
  SharedServer().Run({"HSET", "trawl:{j}:job", "coordinator", "c0", "epoch", "1"});
  EXPECT_EQ(user.Open(Store::OpenMode::kReopen, own).value().epoch, 2u);
  SharedServer().Run({"HSET", "trawl:{j}:job", "coordinator", "c2", "epoch", "3"});
  EXPECT_EQ(user.Open(Store::OpenMode::kReopen, own).error(), Error::kStepRefused);
}

TEST(RedisStore, ReplacesTheTableOfWorkers) {
  RedisBackend backend;
  StoreUser coordinator(backend);
  coordinator.Open();
  coordinator.Apply(SaveWorkersStep{{{"one", "{}"}, {"two", R"({"pid":2})"}}});
  coordinator.Apply(SaveWorkersStep{{{"two", "{}"}}});
  EXPECT_EQ(SharedServer().Run({"HGETALL", "trawl:{j}:workers"}), (Strings{"two", "{}"}));
}

TEST(RedisStore, ARobotsTxtCanBeReadByAPersonAndGoesByItself) {
  RedisBackend backend;
  StoreUser coordinator(backend);
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
  StoreUser coordinator(backend);
  coordinator.Open();
  coordinator.Apply(KeepRobotsStep{"http://a", RobotsRecords()[0], kNoon});
  SharedServer().Run({"HSET", "trawl:{j}:robots:http://a", "state", "so-so"});
  const auto reply = coordinator.Do<ReadRobotsReply>(ReadRobotsStep{"http://a", kNoon});
  EXPECT_EQ(reply.record, std::nullopt);
}

TEST(RedisStore, ReadsManyHostsAndLeasesInPages) {
  RedisBackend backend;
  StoreUser coordinator(backend);
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
  StoreUser coordinator(backend);
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
  StoreUser coordinator(backend);
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
  StoreUser(backend).Open();
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
  StoreUser coordinator(backend);
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

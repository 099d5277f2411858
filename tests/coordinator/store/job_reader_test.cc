#include "coordinator/store/job_reader.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "coordinator/store/redis_store.h"
#include "tests/support/redis_server.h"

namespace trawl {
namespace {

constexpr char kHost[] = "a.test";

std::string UrlOf(int number) { return "http://a.test/" + std::to_string(number); }

class JobReaderTest : public ::testing::Test {
 protected:
  JobReaderTest() {
    std::optional<Result<void>> connected;
    client_.Connect(Address(),
                    [&](Result<void> result, const std::string&) { connected = result; });
    Await(connected);
    std::optional<Result<Snapshot>> opened;
    store_.Open(Store::OpenMode::kCreate, {{"state", "running"}, {"options", "{}"}},
                [&](Result<Snapshot> snapshot) { opened = std::move(snapshot); });
    Await(opened);
  }

  RedisAddress Address() const {
    std::string why;
    return ParseRedisUrl(server_.url(), why).value();
  }

  template <class Answer>
  void Await(const std::optional<Answer>& answer) {
    io_.restart();
    while (!answer) {
      if (io_.run_one_for(std::chrono::seconds(20)) == 0) throw std::runtime_error("no reply");
    }
    answer->value();
  }

  Reply Do(const Step& step) {
    std::optional<Result<Reply>> reply;
    store_.Apply(step, [&](Result<Reply> got) { reply = std::move(got); });
    Await(reply);
    return **reply;
  }

  void Admit(int depth, int first, int end) {
    AdmitStep step{depth, {}};
    for (int i = first; i < end; ++i)
      step.candidates.push_back({FingerprintOf(UrlOf(i)), UrlOf(i)});
    Do(step);
  }

  RedisServer server_;
  boost::asio::io_context io_{1};
  RedisClient client_{io_};
  RedisStore store_{client_, "j"};
};

TEST_F(JobReaderTest, FindsEveryUrlWhereItIs) {
  // Enough for the seen set's buckets to split, and for several pages of a queue.
  constexpr int kLeased = 300, kEnded = 100, kAll = 5'000, kMoved = 50;
  Admit(0, 0, kAll);
  Admit(1, kAll, 2 * kAll);
  Admit(0, kAll, kAll + kMoved);
  Do(LeaseStep{7, "w1", kHost, 0, kLeased, 2});
  for (int i = 0; i < kEnded; ++i) Do(AcceptStep{7, i, {}, Ending()});
  JobReader reader(Address(), "j");
  for (int i = 0; i < 2 * kAll + 10; i += i < kLeased ? 1 : 37) {
    SCOPED_TRACE(UrlOf(i));
    const UrlPlace place = reader.Find(UrlOf(i));
    EXPECT_EQ(place.seen, i < 2 * kAll);
    EXPECT_EQ(place.leased.has_value(), i >= kEnded && i < kLeased);
    EXPECT_EQ(place.waiting.has_value(), i >= kLeased && i < 2 * kAll);
    if (place.leased) {
      EXPECT_EQ(place.leased->lease, 7u);
      EXPECT_EQ(place.leased->worker, "w1");
      EXPECT_EQ(place.leased->depth, 0);
      EXPECT_EQ(place.leased->entry.url, UrlOf(i));
    }
    if (place.waiting) {
      const bool moved = i >= kAll && i < kAll + kMoved;
      EXPECT_EQ(place.waiting->depth, i < kAll || moved ? 0 : 1);
      EXPECT_EQ(place.waiting->ahead,
                static_cast<std::uint64_t>(i < kAll || moved ? i - kLeased : i - kAll));
      EXPECT_EQ(place.waiting->entry.url, UrlOf(i));
    }
  }
}

TEST_F(JobReaderTest, AUrlIsNotTakenForAnotherThatBeginsLikeIt) {
  Admit(0, 12, 13);
  JobReader reader(Address(), "j");
  EXPECT_TRUE(reader.Find(UrlOf(12)).waiting);
  EXPECT_FALSE(reader.Find(UrlOf(1)).seen);
  EXPECT_FALSE(reader.Find(UrlOf(123)).seen);
  Admit(0, 1, 2);
  Do(LeaseStep{1, "w", kHost, 0, 1, 1});
  EXPECT_TRUE(reader.Find(UrlOf(12)).leased);
  EXPECT_FALSE(reader.Find(UrlOf(1)).leased);
  EXPECT_EQ(reader.Find(UrlOf(1)).waiting->ahead, 0u);
}

TEST_F(JobReaderTest, TellsAttemptsAndReferrer) {
  Admit(0, 0, 1);
  Do(LeaseStep{1, "w", kHost, 0, 1, 1});
  Do(AcceptStep{1, 0, {{FingerprintOf(UrlOf(1)), UrlOf(1)}}, std::nullopt});
  Do(ExpireStep{1, true});
  JobReader reader(Address(), "j");
  EXPECT_EQ(reader.Find(UrlOf(0)).waiting->entry.losses, 1);
  EXPECT_EQ(reader.Find(UrlOf(1)).waiting->entry.referrer, UrlOf(0));
}

TEST_F(JobReaderTest, ChangesNothing) {
  Admit(0, 0, 10);
  const auto dump = [&] {
    std::map<std::string, std::string> all;
    for (const std::string& key : server_.Run({"KEYS", "*"})) {
      all[key] = server_.Run({"DUMP", key}).at(0);
    }
    return all;
  };
  const auto before = dump();
  JobReader reader(Address(), "j");
  reader.Find(UrlOf(1));
  reader.Find(UrlOf(11));
  EXPECT_EQ(dump(), before);
}

TEST_F(JobReaderTest, ReadsHashes) {
  JobReader reader(Address(), "j");
  EXPECT_EQ(reader.Hash("job").at("state"), "running");
  EXPECT_TRUE(reader.Hash("nonsense").empty());
  EXPECT_EQ(reader.Field("job", "state"), "running");
  EXPECT_EQ(reader.Field("job", "nonsense"), std::nullopt);
  EXPECT_EQ(reader.Field("nonsense", "state"), std::nullopt);
  EXPECT_TRUE(JobReader(Address(), "other").Hash("job").empty());
  EXPECT_FALSE(JobReader(Address(), "other").Find(UrlOf(1)).seen);
}

TEST_F(JobReaderTest, SaysWhatIsWrongWithRedis) {
  RedisAddress nowhere;
  nowhere.socket_path = "/nonexistent/redis.sock";
  EXPECT_THROW(JobReader(nowhere, "j"), std::runtime_error);
  JobReader reader(Address(), "j");
  server_.Run({"FUNCTION", "FLUSH"});
  EXPECT_THROW(reader.Find(UrlOf(1)), std::runtime_error);
  server_.Kill();
  EXPECT_THROW(reader.Hash("job"), std::runtime_error);
}

TEST_F(JobReaderTest, FindsAUrlThatIsToBeTriedAgain) {
  constexpr int kDelayed = 1'500;  // more than a page
  const WallTime now(std::chrono::hours(500'000));
  Admit(0, 0, kDelayed);
  Do(LeaseStep{7, "w1", kHost, 0, kDelayed, 2});
  for (int i = 0; i < kDelayed; ++i) {
    AcceptStep step{7, i, {}, Ending()};
    step.ending->kind = Ending::Kind::kRetried;
    step.ending->delay = milliseconds(i);
    step.now = now;
    Do(step);
  }
  JobReader reader(Address(), "j");
  for (const int i : {0, 999, 1'000, kDelayed - 1}) {
    const UrlPlace place = reader.Find(UrlOf(i));
    ASSERT_TRUE(place.delayed) << i;
    EXPECT_EQ(place.delayed->until, now + milliseconds(i));
    EXPECT_EQ(place.delayed->entry.attempt, 1);
    EXPECT_FALSE(place.waiting || place.leased);
  }
  EXPECT_FALSE(reader.Find(UrlOf(kDelayed)).delayed);
}

}  // namespace
}  // namespace trawl

// The coordinator's process, in this one, with a real Redis and a worker that is played by hand.
#include "coordinator/crawl_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/options.h"
#include "proto/message_socket.h"
#include "proto/messages.h"
#include "tests/support/process.h"
#include "tests/support/redis_server.h"

namespace trawl {
namespace {

constexpr int kPages = 40;

CoordinatorOptions OptionsFor(const RedisServer& redis, const std::filesystem::path& folder) {
  CoordinatorOptions options;
  options.job = "j";
  options.redis = redis.url();
  options.out = folder.string();
  options.endpoint_file = (folder / "endpoint").string();
  options.quiet = true;
  options.crawl.host_delay = milliseconds(0);
  options.crawl.host_connections = 2 * kPages;
  options.crawl.ignore_robots = true;
  options.crawl.depth = 0;
  for (int i = 0; i < kPages; ++i) {
    options.crawl.seeds.push_back("http://a.example/" + std::to_string(i));
  }
  return options;
}

class CrawlServerTest : public testing::Test {
 protected:
  CrawlServerTest() : server_(io_, OptionsFor(redis_, folder_.path())) {
    const std::filesystem::path file = folder_.path() / "endpoint";
    Await([&] { return std::filesystem::exists(file); });
    std::string endpoint = ReadFile(file);
    endpoint.resize(endpoint.find('\n'));
    worker_.emplace(MessageSocket::Dealer(io_, endpoint, "w",
                                          [this](const std::string&, std::string_view bytes) {
                                            const ToWorker message = DecodeToWorker(bytes).value();
                                            if (const auto* lease = std::get_if<Lease>(&message))
                                              leases_.push_back(*lease);
                                            if (const auto* acks = std::get_if<Acks>(&message))
                                              acks_.push_back(acks->acks.size());
                                            if (std::holds_alternative<CoordinatorGoodbye>(message))
                                              sent_home_ = true;
                                          }));
    Hello hello;
    hello.name = "w";
    hello.capacity = kPages;
    worker_->Send("", Encode(ToCoordinator(hello)));
  }

  void Await(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) ASSERT_GT(io_.run_one_until(deadline), 0u);
  }

  /// All URLs of the leases that have come since, in one message.
  void ReportAll() {
    Reports reports;
    for (const Lease& lease : std::exchange(leases_, {})) {
      for (std::size_t i = 0; i < lease.entries.size(); ++i) {
        Report report;
        report.sequence = ++reported_;
        report.lease_id = lease.lease_id;
        report.index = static_cast<int>(i);
        report.entry = lease.entries[i];
        report.outcome = Fetched{};
        reports.reports.push_back(std::move(report));
      }
    }
    worker_->Send("", Encode(ToCoordinator(std::move(reports))));
  }

  /// The host is tried with one URL first.
  void ReportTheFirst() {
    Await([&] { return leases_.size() == 1; });
    ReportAll();
    Await([&] {
      std::size_t leased = 0;
      for (const Lease& lease : leases_) leased += lease.entries.size();
      return acknowledged() == 1 && leased == kPages - 1;
    });
  }

  /// As another coordinator does that is told to resume the job, while this one is cut off.
  void TakeJobOver() {
    const std::string job = "trawl:{j}:job";
    redis_.Run({"HSET", job, "coordinator", "another"});
    redis_.Run({"HINCRBY", job, "epoch", "1"});
    redis_.Run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  }

  std::size_t acknowledged() const {
    std::size_t sum = 0;
    for (const std::size_t acks : acks_) sum += acks;
    return sum;
  }

  TemporaryFolder folder_;
  RedisServer redis_;
  boost::asio::io_context io_;
  CrawlServer server_;
  std::optional<MessageSocket> worker_;
  std::vector<Lease> leases_;      // not reported yet
  std::vector<std::size_t> acks_;  // how many came with each message
  bool sent_home_ = false;
  std::uint64_t reported_ = 0;
};

TEST_F(CrawlServerTest, AcknowledgesInOneMessageWhatTheStoreTookInOneCall) {
  ReportTheFirst();
  acks_.clear();
  ReportAll();
  Await([&] { return acknowledged() == kPages - 1; });
  // The first report goes to the store at once, the others together.
  EXPECT_LE(acks_.size(), 2u);
}

TEST_F(CrawlServerTest, LeavesTheJobToWhoTookItOverWhileItWasCutFromRedis) {
  Await([&] { return leases_.size() == 1; });
  TakeJobOver();
  Await([&] { return !server_.failure().empty(); });
  EXPECT_EQ(server_.failure(), "another coordinator has taken the job over");
  EXPECT_EQ(server_.exit_code(), 1);
  EXPECT_EQ(redis_.Run({"HGET", "trawl:{j}:job", "coordinator"}).at(0), "another");
}

TEST_F(CrawlServerTest, SaysThatItsJobWasDeleted) {
  Await([&] { return leases_.size() == 1; });
  redis_.Run({"DEL", "trawl:{j}:job"});
  Await([&] { return !server_.failure().empty(); });
  EXPECT_EQ(server_.failure(), "the job is not in Redis any more");
}

TEST_F(CrawlServerTest, HasEndedWellThoughItsJobGoesOnElsewhereBeforeTheLastGoodbye) {
  ReportTheFirst();
  ReportAll();
  Await([&] { return sent_home_; });
  TakeJobOver();
  Await([&] {
    return redis_.Run({"INFO", "errorstats"}).at(0).find("errorstat_STALE") != std::string::npos;
  });
  worker_->Send("", Encode(ToCoordinator(WorkerGoodbye{})));
  worker_.reset();
  io_.run_for(std::chrono::seconds(20));
  EXPECT_EQ(server_.failure(), "");
  EXPECT_EQ(server_.exit_code(), 0);
}

}  // namespace
}  // namespace trawl

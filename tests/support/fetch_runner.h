// Runs fetches to their end for tests and keeps what their observers were told.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/test_dns.h"
#include "worker/http/fetcher.h"

namespace trawl {

/// One fetch as its observer saw it.
struct Fetched {
  ResponseHead head;  // from OnHead()
  std::string body;
  std::size_t largest_piece = 0;
  FetchOutcome outcome;
  int heads = 0;
  int ends = 0;
  bool out_of_order = false;
};

/// What the observer answers.
struct Reaction {
  BodyWish wish = BodyWish::kRead;
  boost::system::error_code body_error = {};
};

class Recorder : public FetchObserver {
 public:
  explicit Recorder(std::shared_ptr<Fetched> fetched, Reaction reaction = {})
      : fetched_(std::move(fetched)), reaction_(reaction) {}

  BodyWish OnHead(const ResponseHead& head) override {
    if (fetched_->heads++ > 0 || fetched_->ends > 0) fetched_->out_of_order = true;
    fetched_->head = head;
    return reaction_.wish;
  }
  boost::system::error_code OnBody(std::string_view bytes) override {
    if (fetched_->heads == 0 || fetched_->ends > 0) fetched_->out_of_order = true;
    if (reaction_.wish == BodyWish::kSkip) fetched_->out_of_order = true;
    fetched_->body += bytes;
    fetched_->largest_piece = std::max(fetched_->largest_piece, bytes.size());
    return reaction_.body_error;
  }
  void OnDone(FetchOutcome outcome) override {
    ++fetched_->ends;
    fetched_->outcome = std::move(outcome);
  }

 private:
  const std::shared_ptr<Fetched> fetched_;  // shared with the test, which may drop it first
  const Reaction reaction_;
};

class FetchRunner {
 public:
  /// Names are looked up at dns().
  explicit FetchRunner(Fetcher::Options options = {.user_agent = "test/1.0"})
      : options_(std::move(options)) {
    options_.dns_servers = dns_.address();
    Restart();
  }

  /// With a fetcher that has no connection and remembers no name.
  void Restart() { fetcher_ = std::make_unique<Fetcher>(io_, options_); }

  /// A request with limits that suit a test: seconds, where a crawl waits for minutes.
  static FetchRequest Request(const std::string& url) {
    return {.url = Url::Parse(url).value(),
            .limits = {.connect = milliseconds(5'000),
                       .idle = milliseconds(5'000),
                       .total = milliseconds(10'000)},
            .private_allowed = true};
  }

  /// The result is filled in until Await() has returned.
  std::shared_ptr<Fetched> Start(FetchRequest request, Reaction reaction = {}) {
    auto fetched = std::make_shared<Fetched>();
    fetcher_->Start(std::move(request), std::make_unique<Recorder>(fetched, reaction));
    EXPECT_EQ(fetched->ends, 0);
    return fetched;
  }

  void Await(const Fetched& fetched) {
    io_.restart();
    while (fetched.ends == 0 && io_.run_one() > 0) {
    }
    EXPECT_EQ(fetched.ends, 1);
    EXPECT_FALSE(fetched.out_of_order);
  }

  Fetched Get(FetchRequest request, Reaction reaction = {}) {
    const auto fetched = Start(std::move(request), reaction);
    Await(*fetched);
    return *fetched;
  }
  Fetched Get(const std::string& url) { return Get(Request(url)); }

  /// Returns how many handlers ran.
  template <class Done>
  std::size_t RunUntil(Done done) {
    constexpr std::chrono::seconds kPatience{20};
    const auto end = std::chrono::steady_clock::now() + kPatience;
    std::size_t handlers = 0;
    while (!done() && std::chrono::steady_clock::now() < end) {
      io_.restart();
      handlers += io_.run_one_for(milliseconds(5));
    }
    EXPECT_TRUE(done());
    return handlers;
  }

  /// Lets everything that is ready happen.
  void Poll() {
    io_.restart();
    io_.poll();
  }

  /// Likewise, but false when there is no end of it.
  bool Settles() {
    constexpr std::size_t kMany = 10'000;
    io_.restart();
    std::size_t handlers = 0;
    while (handlers < kMany && io_.poll_one() > 0) ++handlers;
    return handlers < kMany;
  }

  TestDns& dns() { return dns_; }
  Fetcher& fetcher() { return *fetcher_; }
  void DestroyFetcher() { fetcher_.reset(); }

 private:
  boost::asio::io_context io_{1};
  TestDns dns_{io_};
  Fetcher::Options options_;
  std::unique_ptr<Fetcher> fetcher_;
};

}  // namespace trawl

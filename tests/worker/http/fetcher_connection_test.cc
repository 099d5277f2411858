// What a Fetcher does with connections: keeping, reusing, draining, cancelling.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fetch_runner.h"
#include "tests/support/test_site.h"
#include "worker/http/fetcher.h"

namespace trawl {
namespace {

using Fault = TestPage::Fault;
using Framing = TestPage::Framing;
using Farewell = TestSite::Farewell;

TEST(FetcherConnections, KeepsAConnectionWhenTheResponseAllowsIt) {
  const struct {
    const char* name;
    TestPage page;
    bool kept;
  } cases[] = {
      {"length", {.body = "text"}, true},
      {"chunked gzip",
       {.body = "text", .framing = Framing::kChunked, .coding = Coding::kGzip},
       true},
      {"no content", {.status = 204}, true},
      {"until close", {.body = "text", .framing = Framing::kUntilClose}, false},
      {"Connection: close", {.headers = {{"Connection", "close"}}}, false},
      {"HTTP/1.0", {.raw = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"}, false},
      {"unasked bytes", {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more"}, false},
      {"broken coding",
       {.headers = {{"Content-Encoding", "gzip"}}, .body = "text", .fault = Fault::kNone},
       false},
  };
  TestSite site;
  site.SetHtml("/next", "next");
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    FetchRunner runner;
    site.Set("/page", c.page);
    const Fetched first = runner.Get(site.Url("/page"));
    EXPECT_FALSE(first.outcome.reused_connection);
    const Fetched next = runner.Get(site.Url("/next"));
    EXPECT_EQ(next.body, "next") << next.outcome.detail;
    EXPECT_EQ(next.outcome.reused_connection, c.kept);
  }
}

TEST(FetcherConnections, OutliveAServerThatClosesThemWhenItLikes) {
  for (const Farewell farewell : {Farewell::kAnnounced, Farewell::kAbrupt, Farewell::kOnNext}) {
    SCOPED_TRACE(static_cast<int>(farewell));
    TestSite site({.requests_per_connection = 3, .farewell = farewell});
    site.SetHtml("/page", "text");
    FetchRunner runner;
    for (int i = 0; i < 20; ++i) {
      const Fetched fetched = runner.Get(site.Url("/page"));
      EXPECT_EQ(fetched.body, "text") << fetched.outcome.detail;
    }
    EXPECT_GE(site.connection_count(), 7u);
  }
}

// A fresh connection that ends without an answer is an error: no second try.
TEST(FetcherConnections, TryOnlyOnceMoreAfterAStaleOne) {
  TestSite site;
  site.SetHtml("/page", "text");
  FetchRunner runner;
  ASSERT_EQ(runner.Get(site.Url("/page")).body, "text");
  site.Set("/page", {.fault = Fault::kCloseBeforeHead});
  const Fetched fetched = runner.Get(site.Url("/page"));
  EXPECT_EQ(fetched.outcome.error, Error::kReset);
  EXPECT_FALSE(fetched.outcome.reused_connection);
  EXPECT_EQ(site.request_count(), 3u);
}

TEST(FetcherConnections, AreClosedWhenTooOldAndThenLetTheLoopEnd) {
  TestSite site;
  boost::asio::io_context io;
  Fetcher fetcher(io, {.user_agent = "test/1.0", .idle_connection_age = milliseconds(1)});
  const auto fetched = std::make_shared<Fetched>();
  fetcher.Start(FetchRunner::Request(site.Url("/page")), std::make_unique<Recorder>(fetched));
  io.run();
  EXPECT_EQ(fetched->head.status, 404);
  EXPECT_TRUE(site.WaitUntilIdle());
}

TEST(FetcherConnections, AreNotKeptForARequestThatComesTooLateForThem) {
  TestSite site;
  site.SetHtml("/page", "text");
  FetchRunner runner({.user_agent = "test/1.0", .idle_connection_age = milliseconds(15'000)});
  FetchRequest request = FetchRunner::Request(site.Url("/page"));
  request.next_after = milliseconds(14'999);
  EXPECT_EQ(runner.Get(request).body, "text");
  request.next_after = milliseconds(15'000);
  EXPECT_TRUE(runner.Get(request).outcome.reused_connection);
  EXPECT_FALSE(runner.Get(request).outcome.reused_connection);
  EXPECT_NE(site.requests().at(0).head.find("\r\nConnection: keep-alive\r\n"), std::string::npos);
  EXPECT_NE(site.requests().at(1).head.find("\r\nConnection: close\r\n"), std::string::npos);
}

TEST(FetcherConnections, AreTriedWithEveryAddressOfTheName) {
  TestSite site({.address = "127.0.0.9"});
  site.SetHtml("/page", "text");
  FetchRunner runner;
  runner.dns().names["a.test"].addresses = {"127.0.0.8", "127.0.0.9", "127.0.0.1"};
  const std::string url = "http://a.test:" + std::to_string(site.port()) + "/page";
  const Fetched fetched = runner.Get(url);
  EXPECT_EQ(fetched.body, "text") << fetched.outcome.detail;
  EXPECT_EQ(fetched.outcome.remote_address, "127.0.0.9:" + std::to_string(site.port()));
  EXPECT_EQ(site.requests().at(0).host, "a.test:" + std::to_string(site.port()));

  FetchRequest request = FetchRunner::Request(url);
  request.private_allowed = false;
  EXPECT_EQ(runner.Get(request).outcome.error, Error::kAddress);
}

TEST(FetcherConnections, SkipABodyAndKeepTheConnectionOnlyIfLittleIsLeft) {
  const struct {
    const char* name;
    TestPage page;
    bool kept;
  } cases[] = {
      {"small", {.body = std::string(50'000, 'x')}, true},
      {"arriving", {.body = "slow", .fault = Fault::kSlowDrip, .drip = milliseconds(5)}, true},
      {"large", {.body = std::string(5'000'000, 'x')}, false},
      {"endless", {.body = "x", .fault = Fault::kEndlessBody}, false},
      {"broken", {.body = "half", .fault = Fault::kResetInBody}, false},
      {"longer than allowed", {.body = std::string(300'000, 'x')}, false},
      {"unknown coding", {.headers = {{"Content-Encoding", "br"}}, .body = "x"}, true},
  };
  TestSite site;
  site.SetHtml("/next", "next");
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    FetchRunner runner;
    site.Set("/page", c.page);
    FetchRequest request = FetchRunner::Request(site.Url("/page"));
    request.limits.body_bytes = 200'000;
    const Fetched skipped = runner.Get(request, {.wish = BodyWish::kSkip});
    EXPECT_FALSE(skipped.outcome.error) << skipped.outcome.detail;
    EXPECT_EQ(skipped.outcome.body_bytes, 0u);
    EXPECT_EQ(skipped.outcome.head.status, 200);
    EXPECT_EQ(runner.Get(site.Url("/next")).outcome.reused_connection, c.kept);
  }
}

class FetcherCancel : public ::testing::Test {
 protected:
  FetcherCancel() { site_.Set("/silent", {.fault = Fault::kSilent}); }

  /// Fetches that wait: for a name, for a handshake, for an answer, and one that has only begun.
  std::vector<std::shared_ptr<Fetched>> StartWaiting() {
    const std::string authority = site_.origin().substr(7);
    std::vector<std::shared_ptr<Fetched>> all = {
        runner_.Start(FetchRunner::Request("http://silent.test/")),
        runner_.Start(FetchRunner::Request("https://" + authority + "/")),
        runner_.Start(FetchRunner::Request(site_.Url("/silent")))};
    while (site_.request_count() == 0 || site_.connection_count() < 2 ||
           runner_.dns().queries == 0) {
      runner_.Poll();
    }
    all.push_back(runner_.Start(FetchRunner::Request(site_.Url("/silent"))));
    return all;
  }

  TestSite site_;
  FetchRunner runner_;
};

TEST_F(FetcherCancel, EndsEveryFetchOnce) {
  const auto all = StartWaiting();
  runner_.fetcher().Cancel();
  for (const auto& fetched : all) EXPECT_EQ(fetched->ends, 0);
  for (const auto& fetched : all) {
    runner_.Await(*fetched);
    EXPECT_EQ(fetched->outcome.error, Error::kReset) << fetched->outcome.detail;
  }
  EXPECT_EQ(runner_.fetcher().in_flight(), 0u);
  runner_.Poll();
  for (const auto& fetched : all) EXPECT_EQ(fetched->ends, 1);
}

TEST_F(FetcherCancel, HappensAtTheFetchersEnd) {
  const auto all = StartWaiting();
  runner_.DestroyFetcher();
  for (const auto& fetched : all) {
    EXPECT_EQ(fetched->ends, 1);
    EXPECT_EQ(fetched->outcome.error, Error::kReset);
  }
  runner_.Poll();
  EXPECT_TRUE(site_.WaitUntilIdle());
}

TEST_F(FetcherCancel, IsCompleteWhenTheLoopGoesWithoutRunningAgain) {
  const auto all = StartWaiting();
  runner_.DestroyFetcher();
  for (const auto& fetched : all) EXPECT_EQ(fetched->ends, 1);
}

}  // namespace
}  // namespace trawl

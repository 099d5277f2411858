#include "worker/http/fetcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/fetch_runner.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

using Fault = TestPage::Fault;
using Framing = TestPage::Framing;

std::string LongText() {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  return text;
}

std::string Gzip(std::string_view text) { return Encode(Coding::kGzip, text); }

/// A body under a Content-Encoding of the test's own.
TestPage Encoded(std::string codings, std::string body) {
  return {.headers = {{"Content-Encoding", std::move(codings)}}, .body = std::move(body)};
}

TEST(Fetcher, GivesTheDecodedBodyWhateverItsFraming) {
  const std::string text = LongText();
  const struct {
    const char* name;
    TestPage page;
    std::string body;
  } cases[] = {
      {"plain", {.body = "hello"}, "hello"},
      {"empty", {.body = ""}, ""},
      {"no content", {.status = 204, .content_type = ""}, ""},
      {"long", {.body = text}, text},
      {"chunked", {.body = text, .framing = Framing::kChunked}, text},
      {"empty chunked", {.framing = Framing::kChunked}, ""},
      {"until close", {.body = text, .framing = Framing::kUntilClose}, text},
      {"gzip", {.body = text, .coding = Coding::kGzip}, text},
      {"chunked gzip", {.body = text, .framing = Framing::kChunked, .coding = Coding::kGzip}, text},
      {"deflate", {.body = text, .coding = Coding::kDeflate}, text},
      {"raw deflate", {.body = text, .coding = Coding::kRawDeflate}, text},
      {"two gzip members", Encoded("gzip", Gzip("one ") + Gzip("two")), "one two"},
      {"two codings", Encoded("deflate, gzip", Gzip(Encode(Coding::kDeflate, text))), text},
      {"in drips", {.body = "slow", .fault = Fault::kSlowDrip, .drip = milliseconds(1)}, "slow"},
      {"HTTP/1.0", {.raw = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nold"}, "old"},
      {"interim heads",
       {.raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLocation: /no\r\n\r\n"
               "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
       "ok"},
      {"trailers",
       {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               "2;name=value\r\nok\r\n0\r\nLocation: /no\r\n\r\n"},
       "ok"},
  };
  TestSite site;
  FetchRunner runner;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    site.Set("/page", c.page);
    const Fetched fetched = runner.Get(site.Url("/page"));
    EXPECT_FALSE(fetched.outcome.error) << fetched.outcome.detail;
    EXPECT_EQ(fetched.outcome.detail, "");
    EXPECT_EQ(fetched.head.status, c.page.status);
    EXPECT_EQ(fetched.head.location, "");
    EXPECT_TRUE(fetched.body == c.body);
    EXPECT_EQ(fetched.outcome.body_bytes, c.body.size());
    EXPECT_LE(fetched.largest_piece, 64u * 1024);
  }
}

TEST(Fetcher, NamesTheReasonOfEveryFailure) {
  const std::string long_line(20'000, 'a');
  const struct {
    const char* name;
    TestPage page;
    Error error;
    const char* detail;  // a part of it
  } cases[] = {
      {"closed before head",
       {.fault = Fault::kCloseBeforeHead},
       Error::kReset,
       "before the answer"},
      {"reset before head", {.fault = Fault::kResetBeforeHead}, Error::kReset, "reset by peer"},
      {"closed in head", {.raw = "HTTP/1.1 200 OK\r\nContent-"}, Error::kReset, "within the head"},
      {"closed in body",
       {.body = "half of it", .fault = Fault::kCloseInBody},
       Error::kTruncated,
       "within the body"},
      {"reset in body", {.body = "half", .fault = Fault::kResetInBody}, Error::kReset, "reset"},
      {"reset until close",
       {.body = "half", .framing = Framing::kUntilClose, .fault = Fault::kResetInBody},
       Error::kReset,
       "reset"},
      {"no last chunk",
       {.body = LongText(), .framing = Framing::kChunked, .fault = Fault::kCloseInBody},
       Error::kTruncated,
       "within the body"},
      {"gzip cut short", Encoded("gzip", Gzip("text").substr(0, 15)), Error::kTruncated, "coding"},
      {"rubbish",
       {.raw = "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
       Error::kMalformed,
       "not an HTTP response"},
      {"another version", {.raw = "HTTP/2.0 200 OK\r\n\r\n"}, Error::kMalformed, "bad version"},
      {"unasked upgrade",
       {.raw = "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
       Error::kMalformed,
       "status 101"},
      {"bad chunk",
       {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n"},
       Error::kMalformed,
       "bad chunk"},
      {"two framings",
       {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"},
       Error::kMalformed,
       "Transfer-Encoding"},
      {"another transfer coding",
       {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc"},
       Error::kMalformed,
       "transfer coding gzip"},
      {"endless line between chunks",
       {.raw =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(200'000, 'x')},
       Error::kMalformed,
       "between chunks"},
      {"unknown coding", Encoded("compress", "x"), Error::kMalformed,
       "unknown content coding compress"},
      {"many codings", Encoded("gzip,gzip,gzip", "x"), Error::kMalformed, "more than 2"},
      {"not gzip", Encoded("gzip", "plain"), Error::kMalformed, "broken content coding"},
      {"one long header", {.headers = {{"X", long_line}}}, Error::kTooLarge, "16384 head bytes"},
      {"many interim heads",
       {.generator = nullptr,
        .raw =
            [] {
              std::string heads;
              while (heads.size() < 20'000) heads += "HTTP/1.1 102 Processing\r\n\r\n";
              return heads;
            }()},
       Error::kTooLarge,
       "16384 head bytes"},
      {"announced long body",
       {.body = std::string(1'000'001, 'x')},
       Error::kTooLarge,
       "1000001 bytes"},
      {"endless body",
       {.body = "again ", .fault = Fault::kEndlessBody},
       Error::kTooLarge,
       "more than 1000000"},
      {"endless until close",
       {.body = long_line, .framing = Framing::kUntilClose, .fault = Fault::kEndlessBody},
       Error::kTooLarge,
       "more than 1000000"},
      {"bomb",
       {.body = std::string(10'000'000, '\0'), .coding = Coding::kGzip},
       Error::kTooLarge,
       "when decoded"},
      {"silent", {.fault = Fault::kSilent}, Error::kTimeout, "nothing for 100 ms"},
      {"slow drip",
       {.body = std::string(1000, 'x'), .fault = Fault::kSlowDrip},
       Error::kTimeout,
       "not done within 300 ms"},
  };
  TestSite site;
  FetchRunner runner;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    site.Set("/page", c.page);
    FetchRequest request = FetchRunner::Request(site.Url("/page"));
    request.limits.head_bytes = 16 * 1024;
    request.limits.body_bytes = 1'000'000;
    if (c.error == Error::kTimeout) {
      request.limits.idle = milliseconds(100);
      request.limits.total = milliseconds(300);
    }
    const Fetched fetched = runner.Get(request);
    EXPECT_EQ(fetched.outcome.error, c.error) << fetched.outcome.detail;
    EXPECT_NE(fetched.outcome.detail.find(c.detail), std::string::npos) << fetched.outcome.detail;
    EXPECT_LE(fetched.body.size(), 1'000'000u);
    EXPECT_LT(fetched.outcome.elapsed, milliseconds(5'000));
  }
}

TEST(Fetcher, AsksForThePageAsACrawlerShould) {
  TestSite site;
  FetchRunner runner({.user_agent = "trawl-test/1.0 (+https://a.test)"});
  FetchRequest request = FetchRunner::Request(site.Url("/a%20b?q=1"));
  request.accept = "text/html";
  EXPECT_EQ(runner.Get(request).head.status, 404);
  ASSERT_EQ(site.request_count(), 1u);
  EXPECT_EQ(site.requests()[0].head,
            "GET /a%20b?q=1 HTTP/1.1\r\n"
            "Host: 127.0.0.1:" +
                std::to_string(site.port()) +
                "\r\n"
                "User-Agent: trawl-test/1.0 (+https://a.test)\r\n"
                "Accept: text/html\r\n"
                "Accept-Encoding: gzip, deflate, br, zstd\r\n"
                "Connection: keep-alive\r\n\r\n");
}

TEST(Fetcher, ReportsTheHeadAndTheConnection) {
  TestSite site;
  site.Set("/page", {.status = 301,
                     .content_type = "text/plain; charset=x",
                     .headers = {{"LOCATION", "/next"},
                                 {"X-Robots-Tag", "noindex"},
                                 {"x-robots-tag", "other: nofollow"},
                                 {"Retry-After", "120"}},
                     .body = "moved"});
  FetchRunner runner;
  const Fetched fetched = runner.Get(site.Url("/page"));
  for (const ResponseHead& head : {fetched.head, fetched.outcome.head}) {
    EXPECT_EQ(head.status, 301);
    EXPECT_EQ(head.content_type, "text/plain; charset=x");
    EXPECT_EQ(head.location, "/next");
    EXPECT_EQ(head.robots_tag, "noindex\nother: nofollow");
    EXPECT_EQ(head.retry_after, "120");
  }
  EXPECT_EQ(fetched.outcome.remote_address, "127.0.0.1:" + std::to_string(site.port()));
  EXPECT_FALSE(fetched.outcome.reused_connection);
  EXPECT_GT(fetched.outcome.wire_bytes, 100u);
}

TEST(Fetcher, KeepsTheStatusOfAResponseThatFailsLater) {
  TestSite site;
  site.Set("/page", {.status = 203, .body = "half of it", .fault = Fault::kResetInBody});
  FetchRunner runner;
  EXPECT_EQ(runner.Get(site.Url("/page")).outcome.head.status, 203);
}

TEST(Fetcher, MeasuresTheTimeThatAFetchTook) {
  TestSite site;
  site.Set("/page", {.latency = milliseconds(60)});
  FetchRunner runner;
  const Fetched fetched = runner.Get(site.Url("/page"));
  EXPECT_GE(fetched.outcome.elapsed, milliseconds(60));
}

TEST(Fetcher, SaysWhoRefusedTheConnection) {
  std::string url;
  {
    const TestSite gone;
    url = gone.Url("/");
  }
  FetchRunner runner;
  const Fetched fetched = runner.Get(url);
  EXPECT_EQ(fetched.outcome.error, Error::kConnect);
  EXPECT_EQ(fetched.outcome.detail,
            "connect to " + url.substr(7, url.size() - 8) + ": Connection refused");
  EXPECT_EQ(fetched.outcome.remote_address, "");
  EXPECT_EQ(fetched.heads, 0);
}

TEST(Fetcher, SaysWhichNameDoesNotExist) {
  FetchRunner runner;
  const Fetched fetched = runner.Get("http://no-such-host.test/");
  EXPECT_EQ(fetched.outcome.error, Error::kDns);
  EXPECT_EQ(fetched.outcome.detail, "no-such-host.test: no such name");
  EXPECT_TRUE(fetched.outcome.permanent);
}

TEST(Fetcher, GivesUpOnANameThatNobodyAnswersFor) {
  FetchRunner runner;
  FetchRequest request = FetchRunner::Request("http://silent.test/");
  request.limits.connect = milliseconds(100);
  const Fetched fetched = runner.Get(request);
  EXPECT_EQ(fetched.outcome.error, Error::kTimeout);
  EXPECT_EQ(fetched.outcome.detail, "lookup of silent.test: no connection within 100 ms");
}

// RFC 6761, section 6.4: no such name exists. The system's servers may say so or may not be there.
TEST(Fetcher, AsksTheSystemsServersWithoutWaitingForEver) {
  boost::asio::io_context io;
  Fetcher fetcher(io, {.user_agent = "test/1.0"});
  const auto fetched = std::make_shared<Fetched>();
  FetchRequest request = FetchRunner::Request("http://no-such-host.invalid/");
  request.limits.connect = milliseconds(300);
  fetcher.Start(request, std::make_unique<Recorder>(fetched));
  while (fetched->ends == 0) io.run_one();
  const auto error = fetched->outcome.error;
  EXPECT_TRUE(error == Error::kDns || error == Error::kTimeout) << fetched->outcome.detail;
  EXPECT_LT(fetched->outcome.elapsed, milliseconds(3'000));
}

TEST(Fetcher, FindsLocalhost) {
  TestSite site;
  site.SetHtml("/", "home");
  FetchRunner runner;
  EXPECT_EQ(runner.Get("http://localhost:" + std::to_string(site.port()) + "/").body, "home");
}

TEST(Fetcher, ConnectsToNoPrivateAddressUnlessAllowed) {
  TestSite site;
  const std::string port = std::to_string(site.port());
  FetchRunner runner;
  ASSERT_EQ(runner.Get(site.Url("/")).head.status, 404);
  ASSERT_EQ(site.connection_count(), 1u);
  for (const char* host :
       {"127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]"}) {
    SCOPED_TRACE(host);
    FetchRequest request = FetchRunner::Request(std::string("http://") + host + ":" + port + "/");
    request.private_allowed = false;
    const Fetched fetched = runner.Get(request);
    EXPECT_EQ(fetched.outcome.error, Error::kAddress) << fetched.outcome.detail;
    EXPECT_NE(fetched.outcome.detail.find("is not a public address"), std::string::npos);
  }
  // Not even over the connection that an allowed request has left in the pool.
  EXPECT_EQ(site.request_count(), 1u);
  EXPECT_EQ(site.connection_count(), 1u);
}

TEST(Fetcher, EndsWithTheObserversError) {
  TestSite site;
  site.Set("/page", {.body = "text"});
  FetchRunner runner;
  const Fetched fetched =
      runner.Get(FetchRunner::Request(site.Url("/page")), {.body_error = Error::kStore});
  EXPECT_EQ(fetched.outcome.error, Error::kStore);
}

/// Starts the next fetch from OnDone(), as a worker does.
class Chain : public FetchObserver {
 public:
  Chain(Fetcher& fetcher, std::string url, int left, int& done)
      : fetcher_(fetcher), url_(std::move(url)), left_(left), done_(done) {}
  BodyWish OnHead(const ResponseHead&) override { return BodyWish::kRead; }
  boost::system::error_code OnBody(std::string_view) override { return {}; }
  void OnDone(FetchOutcome outcome) override {
    if (!outcome.error) ++done_;
    if (left_ == 0) return;
    fetcher_.Start(FetchRunner::Request(url_),
                   std::make_unique<Chain>(fetcher_, url_, left_ - 1, done_));
  }

 private:
  Fetcher& fetcher_;
  const std::string url_;
  const int left_;
  int& done_;
};

TEST(Fetcher, CarriesManyFetchesAtOnce) {
  constexpr int kAtOnce = 200;
  constexpr int kEach = 5;
  TestSite site;
  site.Set("/page", {.body = std::string(50'000, 'x'), .framing = Framing::kChunked});
  boost::asio::io_context io;
  Fetcher fetcher(io, {.user_agent = "test/1.0", .idle_connection_age = milliseconds(0)});
  int done = 0;
  for (int i = 0; i < kAtOnce; ++i) {
    fetcher.Start(FetchRunner::Request(site.Url("/page")),
                  std::make_unique<Chain>(fetcher, site.Url("/page"), kEach - 1, done));
  }
  EXPECT_EQ(fetcher.in_flight(), static_cast<std::size_t>(kAtOnce));
  io.run();
  EXPECT_EQ(done, kAtOnce * kEach);
  EXPECT_EQ(fetcher.in_flight(), 0u);
}

}  // namespace
}  // namespace trawl

// What a Fetcher does with connections: keeping, reusing, draining, cancelling, TLS.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"
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

/// Takes one connection and, after the handshake, sends new keys only, many more than fit
/// into the buffers of sockets.
class KeyUpdateServer {
 public:
  explicit KeyUpdateServer(const TestCertificate& certificate)
      : context_(boost::asio::ssl::context::tls_server),
        acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {
    context_.use_certificate_chain(boost::asio::buffer(certificate.certificate_pem));
    context_.use_private_key(boost::asio::buffer(certificate.key_pem),
                             boost::asio::ssl::context::pem);
    thread_ = std::thread([this] { Serve(); });
  }
  ~KeyUpdateServer() { thread_.join(); }

  std::string url() const {
    return "https://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/";
  }
  bool is_prepared() const { return prepared_; }
  /// But for what the system holds on both sides.
  bool has_sent() const { return sent_; }

 private:
  using Tcp = boost::asio::ip::tcp;
  static constexpr long kBytes = 3 * 1024 * 1024;

  void Serve() {
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    boost::asio::ssl::stream<Tcp::socket> stream(io_, context_);
    boost::system::error_code error;
    acceptor_.accept(stream.next_layer(), error);
    if (!error) stream.handshake(boost::asio::ssl::stream_base::server, error);
    if (error) return;
    SSL* const ssl = stream.native_handle();
    BIO* const records = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl, records);
    char* begin = nullptr;
    while (BIO_get_mem_data(records, &begin) < kBytes) {
      SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
      SSL_do_handshake(ssl);
    }
    stream.next_layer().set_option(boost::asio::socket_base::send_buffer_size(64 * 1024), error);
    prepared_ = true;
    boost::asio::write(stream.next_layer(), boost::asio::buffer(begin, kBytes), error);
    sent_ = true;
    // Until the other side has had enough.
    boost::asio::read(stream.next_layer(), boost::asio::buffer(begin, kBytes), error);
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_;
  Tcp::acceptor acceptor_;
  std::atomic<bool> prepared_{false};
  std::atomic<bool> sent_{false};
  std::thread thread_;
};

class FetcherTls : public ::testing::Test {
 protected:
  FetcherTls() { std::ofstream(ca_file_) << authority_.certificate_pem(); }
  ~FetcherTls() override { std::remove(ca_file_.c_str()); }

  Fetcher::Options Trusting() const { return {.user_agent = "test/1.0", .ca_file = ca_file_}; }

  static TestSite::Options Serving(const TestCertificate& certificate) {
    return {.certificate_pem = certificate.certificate_pem, .key_pem = certificate.key_pem};
  }

  const TestAuthority authority_;
  const std::string ca_file_ = ::testing::TempDir() + "trawl_ca_" + std::to_string(::getpid()) +
                               "_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) +
                               ".pem";
};

TEST_F(FetcherTls, AcceptsOnlyAValidCertificateForTheHost) {
  constexpr std::chrono::seconds kPast = -std::chrono::hours(1);
  const struct {
    const char* name;
    const char* host;
    TestCertificate certificate;
    const char* problem;  // a part of it; empty when it is to be accepted
  } cases[] = {
      {"its address", "127.0.0.1", authority_.Issue("IP:127.0.0.1"), ""},
      {"its name", "localhost", authority_.Issue("DNS:a.test,DNS:localhost"), ""},
      {"another address", "127.0.0.1", authority_.Issue("IP:127.0.0.2"), "IP address mismatch"},
      {"a name that reads like the address", "127.0.0.1", authority_.Issue("DNS:127.0.0.1"),
       "IP address mismatch"},
      {"another name", "localhost", authority_.Issue("DNS:a.test"), "hostname mismatch"},
      {"expired", "127.0.0.1", authority_.Issue("IP:127.0.0.1", kPast), "has expired"},
      {"self-signed", "127.0.0.1", SelfSigned("IP:127.0.0.1"), "self-signed certificate"},
      {"unknown authority", "127.0.0.1", TestAuthority().Issue("IP:127.0.0.1"), "certificate"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    TestSite site(Serving(c.certificate));
    site.SetHtml("/page", "secret");
    FetchRunner runner(Trusting());
    const Fetched fetched =
        runner.Get("https://" + std::string(c.host) + ":" + std::to_string(site.port()) + "/page");
    if (*c.problem == '\0') {
      EXPECT_FALSE(fetched.outcome.error) << fetched.outcome.detail;
      EXPECT_EQ(fetched.body, "secret");
    } else {
      EXPECT_EQ(fetched.outcome.error, Error::kTls);
      EXPECT_NE(fetched.outcome.detail.find(c.problem), std::string::npos)
          << fetched.outcome.detail;
      EXPECT_EQ(site.request_count(), 0u);
    }
    // Without the check any will do.
    Fetcher::Options insecure = Trusting();
    insecure.insecure = true;
    FetchRunner careless(insecure);
    EXPECT_EQ(
        careless.Get("https://" + std::string(c.host) + ":" + std::to_string(site.port()) + "/page")
            .body,
        "secret");
  }
}

TEST_F(FetcherTls, AConnectionThatBreaksInTheHandshakeIsNoWrongCertificate) {
  namespace asio = boost::asio;
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address_v4("127.0.0.1"), 0});
  const std::jthread server([&acceptor] { acceptor.accept().close(); });
  FetchRunner runner(Trusting());
  const std::string port = std::to_string(acceptor.local_endpoint().port());
  EXPECT_EQ(runner.Get("https://127.0.0.1:" + port + "/").outcome.error, Error::kReset);
}

TEST_F(FetcherTls, TrustsTheSystemsAuthoritiesOnlyByDefault) {
  TestSite site(Serving(authority_.Issue("IP:127.0.0.1")));
  FetchRunner runner;
  EXPECT_EQ(runner.Get(site.Url("/")).outcome.error, Error::kTls);
}

TEST_F(FetcherTls, ReadsTheSystemsAuthoritiesWhenHttpsIsFirstAskedFor) {
  TestSite site(Serving(authority_.Issue("IP:127.0.0.1")));
  site.SetHtml("/page", "secret");
  const char* const before = std::getenv("SSL_CERT_FILE");
  const std::string system = before ? before : "";
  ::setenv("SSL_CERT_FILE", "/nowhere/ca.pem", 1);
  FetchRunner runner;
  ::setenv("SSL_CERT_FILE", ca_file_.c_str(), 1);
  EXPECT_EQ(runner.Get(site.Url("/page")).body, "secret");
  ::unsetenv("SSL_CERT_FILE");
  if (before) ::setenv("SSL_CERT_FILE", system.c_str(), 1);
}

TEST_F(FetcherTls, ReusesConnectionsAndReadsLargeBodies) {
  TestSite site(Serving(authority_.Issue("IP:127.0.0.1")));
  const std::string text(1'000'000, 'x');
  site.Set("/page", {.body = text, .framing = Framing::kChunked});
  FetchRunner runner(Trusting());
  EXPECT_TRUE(runner.Get(site.Url("/page")).body == text);
  const Fetched again = runner.Get(site.Url("/page"));
  EXPECT_TRUE(again.body == text);
  EXPECT_TRUE(again.outcome.reused_connection);
}

TEST_F(FetcherTls, IsCompleteWhenTheLoopGoesWithoutRunningAgain) {
  TestSite::Options options = Serving(authority_.Issue("IP:127.0.0.1"));
  options.requests_per_connection = 1;
  TestSite site(options);
  site.SetHtml("/page", "text");
  site.Set("/silent", {.fault = Fault::kSilent});
  FetchRunner runner(Trusting());
  EXPECT_EQ(runner.Get(site.Url("/page")).body, "text");
  const auto fetched = runner.Start(FetchRunner::Request(site.Url("/silent")));
  runner.RunUntil([&] { return site.request_count("/silent") == 1; });
  runner.DestroyFetcher();
  EXPECT_EQ(fetched->ends, 1);
}

TEST_F(FetcherTls, AServerThatSendsManyRecordsWithoutDataLeavesTurnsOfTheLoopToOthers) {
  KeyUpdateServer hostile(authority_.Issue("IP:127.0.0.1"));
  FetchRunner runner(Trusting());
  FetchRequest request = FetchRunner::Request(hostile.url());
  request.limits.idle = request.limits.total = milliseconds(60'000);
  const auto fetched = runner.Start(std::move(request));
  runner.RunUntil([&] { return hostile.is_prepared(); });
  EXPECT_GT(runner.RunUntil([&] { return hostile.has_sent(); }), 10u);
  runner.fetcher().Cancel();
  runner.Await(*fetched);
}

TEST_F(FetcherTls, GoesOnWithTheSessionOfTheLastConnectionToTheOrigin) {
  for (const bool tls12 : {false, true}) {
    SCOPED_TRACE(tls12);
    TestSite::Options options = Serving(authority_.Issue("IP:127.0.0.1"));
    options.requests_per_connection = 2;
    options.tls12 = tls12;
    TestSite site(options);
    TestSite other(options);
    site.SetHtml("/page", "text");
    FetchRunner runner(Trusting());
    for (int i = 0; i < 6; ++i) EXPECT_EQ(runner.Get(site.Url("/page")).body, "text");
    EXPECT_EQ(site.full_handshakes(), 1u);
    EXPECT_EQ(site.resumed_handshakes(), 2u);

    // Not with another origin's, and with none when none are kept.
    runner.Get(other.Url("/page"));
    EXPECT_EQ(other.full_handshakes(), 1u);
    Fetcher::Options forgetful = Trusting();
    forgetful.tls_sessions = 0;
    FetchRunner without(forgetful);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(without.Get(site.Url("/page")).body, "text");
    EXPECT_EQ(site.full_handshakes(), 3u);
    EXPECT_EQ(site.resumed_handshakes(), 2u);
  }
}

TEST_F(FetcherTls, BeginsFromScratchWhereItsSessionIsNotKnownAnyMore) {
  TestSite::Options options = Serving(authority_.Issue("IP:127.0.0.1"));
  options.requests_per_connection = 1;
  FetchRunner runner(Trusting());
  auto site = std::make_unique<TestSite>(options);
  const std::string url = site->Url("/page");
  runner.Get(url);
  options.port = site->port();
  site.reset();
  // With another certificate, so that it is the new one that is verified.
  const TestCertificate unknown = TestAuthority().Issue("IP:127.0.0.1");
  options.certificate_pem = unknown.certificate_pem;
  options.key_pem = unknown.key_pem;
  TestSite again(options);
  EXPECT_EQ(runner.Get(url).outcome.error, Error::kTls);
  EXPECT_EQ(again.resumed_handshakes(), 0u);
}

// RFC 9112, section 9.8: without TLS's own end, anyone on the way may have cut the body.
TEST_F(FetcherTls, TakesABodyThatLastsUntilTheEndOnlyWithTlsOwnEnd) {
  TestSite site(Serving(authority_.Issue("IP:127.0.0.1")));
  FetchRunner runner(Trusting());
  site.Set("/page", {.body = "text", .framing = Framing::kUntilClose});
  const Fetched whole = runner.Get(site.Url("/page"));
  EXPECT_FALSE(whole.outcome.error) << whole.outcome.detail;
  EXPECT_EQ(whole.body, "text");
  site.Set("/page",
           {.body = "text", .framing = Framing::kUntilClose, .fault = Fault::kCloseInBody});
  EXPECT_EQ(runner.Get(site.Url("/page")).outcome.error, Error::kReset);
}

TEST_F(FetcherTls, EndsAHandshakeWithWhatIsNoTlsServer) {
  TestSite site;
  FetchRunner runner;
  FetchRequest request = FetchRunner::Request("https://" + site.origin().substr(7) + "/");
  request.limits.connect = milliseconds(100);
  const Fetched fetched = runner.Get(request);
  EXPECT_EQ(fetched.outcome.error, Error::kTimeout);
  EXPECT_NE(fetched.outcome.detail.find("TLS handshake"), std::string::npos);
}

TEST(FetcherOptions, NeedACaFileThatCanBeRead) {
  boost::asio::io_context io;
  EXPECT_ANY_THROW(Fetcher(io, {.user_agent = "test/1.0", .ca_file = "/nowhere/ca.pem"}));
}

}  // namespace
}  // namespace trawl

// What a Fetcher takes over TLS: certificates, bodies, handshakes.
#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/support/certificates.h"
#include "tests/support/fetch_runner.h"
#include "tests/support/test_site.h"
#include "tests/support/tls_fetches.h"
#include "tests/support/tls_server.h"
#include "worker/http/fetcher.h"

namespace trawl {
namespace {

using Fault = TestPage::Fault;
using Framing = TestPage::Framing;

class FetcherTls : public TlsFetches {};

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

TEST_F(FetcherTls, TellsWhatTheServerHasCutFromWhatMayHaveBeenCutOnTheWay) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string length = head + "Content-Length: 8\r\n\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
  const struct {
    const char* name;
    std::string text;
    bool goodbye;
    boost::system::error_code error;
  } cases[] = {
      {"within a length, in order", length + "half", true, Error::kTruncated},
      {"within a length", length + "half", false, Error::kReset},
      {"after the length", length + "half all", false, {}},
      {"between chunks, in order", chunked, true, Error::kTruncated},
      {"between chunks", chunked, false, Error::kReset},
      {"after the last chunk", chunked + "0\r\n\r\n", false, {}},
      {"until the end, in order", head + "\r\nhalf", true, {}},
      {"until the end", head + "\r\nhalf", false, Error::kReset},
      {"within the head, in order", head, true, Error::kReset},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    for (const bool tls12 : {false, true}) {
      TlsServer server(authority_.Issue("IP:127.0.0.1"), {.tls12 = tls12},
                       [&c](TlsWire& wire, int) {
                         if (!wire.Handshake() || wire.ReadRequest().empty()) return;
                         wire.Send(c.text);
                         if (c.goodbye) wire.SayGoodbye();
                       });
      FetchRunner runner(Trusting());
      const Fetched fetched = runner.Get(server.Url());
      EXPECT_EQ(fetched.outcome.error, c.error) << fetched.outcome.detail;
    }
  }
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

// When a Fetcher goes on with a TLS session, and when it begins from scratch.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/fetch_runner.h"
#include "tests/support/test_site.h"
#include "tests/support/tls_fetches.h"
#include "tests/support/tls_server.h"
#include "worker/http/fetcher.h"

namespace trawl {
namespace {

class FetcherSessions : public TlsFetches {
 protected:
  /// Answers one request on each connection, on which `prepare` was called before.
  static TlsServer::Script Answering(std::vector<bool>& resumed, TlsServer::Script prepare) {
    return [&resumed, prepare = std::move(prepare)](TlsWire& wire, int number) {
      prepare(wire, number);
      if (!wire.Handshake() || wire.ReadRequest().empty()) return;
      resumed.push_back(SSL_session_reused(wire.ssl()) == 1);
      wire.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
      wire.SayGoodbye();
    };
  }
};

TEST_F(FetcherSessions, GoesOnWithTheSessionOfTheLastConnectionToTheOrigin) {
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

TEST_F(FetcherSessions, BeginsFromScratchWhereItsSessionIsNotKnownAnyMore) {
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

TEST_F(FetcherSessions, GoesOnWithTheSameOneWhereTheServerGivesNoNewOne) {
  std::vector<bool> resumed;
  {
    TlsServer server(authority_.Issue("IP:127.0.0.1"), {},
                     Answering(resumed, [](TlsWire& wire, int number) {
                       SSL_set_num_tickets(wire.ssl(), number == 1 ? 1 : 0);
                     }));
    FetchRunner runner(Trusting());
    for (int i = 0; i < 4; ++i) EXPECT_EQ(runner.Get(server.Url()).body, "ok");
  }
  EXPECT_EQ(resumed, (std::vector{false, true, true, true}));
}

TEST_F(FetcherSessions, BeginsFromScratchWhereTheServerRefusesItAndGoesOnWithTheNewOne) {
  for (const bool tls12 : {false, true}) {
    SCOPED_TRACE(tls12);
    std::vector<bool> resumed;
    {
      TlsServer server(authority_.Issue("IP:127.0.0.1"), {.tls12 = tls12},
                       Answering(resumed, [](TlsWire& wire, int number) {
                         constexpr int kRefused = 3;
                         if (number != kRefused) return;
                         std::array<unsigned char, 80> ticket_keys{};
                         SSL_CTX_set_tlsext_ticket_keys(SSL_get_SSL_CTX(wire.ssl()),
                                                        ticket_keys.data(), ticket_keys.size());
                       }));
      FetchRunner runner(Trusting());
      for (int i = 0; i < 4; ++i) EXPECT_EQ(runner.Get(server.Url()).body, "ok");
    }
    EXPECT_EQ(resumed, (std::vector{false, true, false, true}));
  }
}

// The server would take it: both names are its own.
TEST_F(FetcherSessions, IsNeverThatOfAnotherHost) {
  TestSite::Options options = Serving(authority_.Issue("DNS:a.test,DNS:b.test"));
  options.requests_per_connection = 1;
  TestSite site(options);
  FetchRunner runner(Trusting());
  for (const char* name : {"a.test", "b.test"}) runner.dns().names[name].addresses = {"127.0.0.1"};
  const std::string port = std::to_string(site.port());
  const std::string a = "https://a.test:" + port + "/";
  const std::string b = "https://b.test:" + port + "/";
  for (const std::string& url : {a, b}) EXPECT_EQ(runner.Get(url).outcome.head.status, 404);
  EXPECT_EQ(site.full_handshakes(), 2u);
  for (const std::string& url : {a, b}) EXPECT_EQ(runner.Get(url).outcome.head.status, 404);
  EXPECT_EQ(site.full_handshakes(), 2u);
  EXPECT_EQ(site.resumed_handshakes(), 2u);

  Fetcher::Options forgetful = Trusting();
  forgetful.tls_sessions = 1;
  FetchRunner with_one(forgetful);
  for (const char* name : {"a.test", "b.test"})
    with_one.dns().names[name].addresses = {"127.0.0.1"};
  for (const std::string& url : {a, b, a, a}) {
    EXPECT_EQ(with_one.Get(url).outcome.head.status, 404);
  }
  EXPECT_EQ(site.full_handshakes(), 5u);
  EXPECT_EQ(site.resumed_handshakes(), 3u);
}

}  // namespace
}  // namespace trawl

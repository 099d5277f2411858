// Fetches by a proxy: what it is sent, and what of its answers are no tunnels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "tests/support/certificates.h"
#include "tests/support/fetch_runner.h"
#include "tests/support/test_proxy.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ProxyTest : public ::testing::Test {
 protected:
  ProxyTest() { std::ofstream(ca_file_) << authority_.certificate_pem(); }
  ~ProxyTest() override { std::remove(ca_file_.c_str()); }

  Fetcher::Options By(const TestProxy& proxy, const std::string& user = "") const {
    const std::string port = std::to_string(proxy.port());
    return {.user_agent = "test/1.0",
            .ca_file = ca_file_,
            .proxy = ParseProxy("http://" + user + "127.0.0.1:" + port)};
  }

  const TestAuthority authority_;
  const std::string ca_file_ =
      ::testing::TempDir() + "trawl_proxy_ca_" + std::to_string(::getpid()) + ".pem";
};

TEST_F(ProxyTest, IsAskedForHttpUrlsInAbsoluteForm) {
  const TestProxy proxy({});
  FetchRunner runner(By(proxy, "us%3Aer:p@"));
  const Fetched fetched = runner.Get("http://a.test:81/x?y");
  EXPECT_EQ(fetched.body, "by proxy");
  const std::string head = proxy.heads().at(0);
  EXPECT_THAT(head, StartsWith("GET http://a.test:81/x?y HTTP/1.1\r\nHost: a.test:81\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nProxy-Authorization: Basic dXM6ZXI6cA==\r\n"));
}

TEST_F(ProxyTest, TunnelsHttpsWhoseCertificateIsTheTargets) {
  const TestCertificate certificate = authority_.Issue("DNS:a.test");
  TestSite site({.certificate_pem = certificate.certificate_pem, .key_pem = certificate.key_pem});
  site.SetHtml("/x", "secret");
  const TestProxy proxy({.tunnel_port = site.port()});
  FetchRunner runner(By(proxy, "u:p@"));
  const Fetched fetched = runner.Get("https://a.test/x");
  EXPECT_FALSE(fetched.outcome.error) << fetched.outcome.detail;
  EXPECT_EQ(fetched.body, "secret");
  EXPECT_THAT(proxy.heads(), ElementsAre("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n"
                                         "Proxy-Authorization: Basic dTpw\r\n\r\n"));
  ASSERT_EQ(site.request_count(), 1u);
  EXPECT_THAT(site.requests()[0].head, StartsWith("GET /x HTTP/1.1\r\n"));
  EXPECT_THAT(site.requests()[0].head, Not(HasSubstr("Proxy-")));

  // A tunnel is kept for its origin only.
  EXPECT_TRUE(runner.Get("https://a.test/x").outcome.reused_connection);
  const Fetched other = runner.Get("https://b.test/x");
  EXPECT_EQ(other.outcome.error, Error::kTls);
  EXPECT_THAT(other.outcome.detail, HasSubstr("hostname mismatch"));
}

TEST_F(ProxyTest, WhatRefusesATunnelIsSaid) {
  const struct {
    const char* answer;
    const char* detail;
  } kCases[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
       "refused with 407 Proxy Authentication Required"},
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nsorry", "refused with 403 Forbidden"},
      {"HTTP/1.1 502 Bad\x1bGateway\r\n\r\n", "refused with 502 Bad?Gateway"},
      {"HTTP/1.1 5", "End of file"},
      {"", "End of file"},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not an answer to CONNECT"},
      {"HTTP/1.1 200 OK\r\n\r\nrubbish", "bytes after the answer to CONNECT"},
  };
  TestSite site;
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.answer);
    const TestProxy proxy({.tunnel_port = site.port(), .answer = c.answer});
    FetchRunner runner(By(proxy));
    const FetchOutcome outcome = runner.Get("https://a.test/").outcome;
    EXPECT_EQ(outcome.error, Error::kConnect);
    EXPECT_FALSE(outcome.permanent);
    EXPECT_THAT(outcome.detail, StartsWith("CONNECT a.test:443 by proxy 127.0.0.1:"));
    EXPECT_THAT(outcome.detail, HasSubstr(c.detail));
  }
}

// Else a robots.txt that the proxy keeps back would count as one that is not there.
TEST_F(ProxyTest, ThatWantsAPasswordDoesNotSpeakForTheSite) {
  const TestProxy proxy({.page = "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n"});
  FetchRunner runner(By(proxy));
  const FetchOutcome outcome = runner.Get("http://a.test/").outcome;
  EXPECT_EQ(outcome.error, Error::kConnect);
  EXPECT_THAT(outcome.detail, HasSubstr("refused with 407"));
}

TEST_F(ProxyTest, AnAnswerToConnectHasALimit) {
  const TestProxy proxy({.answer = "HTTP/1.1 200 " + std::string(100'000, 'x')});
  FetchRunner runner(By(proxy));
  EXPECT_THAT(runner.Get("https://a.test/").outcome.detail, HasSubstr("not an answer"));
}

TEST_F(ProxyTest, ThatCannotBeReachedIsNotTheUrlsFault) {
  for (const char* url : {"http://localhost.:1", "http://proxy.test:3128"}) {
    SCOPED_TRACE(url);
    FetchRunner runner({.user_agent = "test/1.0", .proxy = ParseProxy(url)});
    const FetchOutcome outcome = runner.Get("http://a.test/").outcome;
    EXPECT_EQ(outcome.error, Error::kConnect) << outcome.detail;
    EXPECT_FALSE(outcome.permanent);
    EXPECT_THAT(outcome.detail, StartsWith("proxy: "));
  }
}

// The proxy's own address is loopback, and exempt: a person has named it.
TEST_F(ProxyTest, TheRuleOnAddressesHoldsForWhatAUrlSays) {
  const TestProxy proxy({});
  FetchRunner runner(By(proxy));
  for (const char* url : {"http://10.0.0.1/", "http://localhost/", "https://[::1]/"}) {
    SCOPED_TRACE(url);
    FetchRequest request = FetchRunner::Request(url);
    request.private_allowed = false;
    const FetchOutcome outcome = runner.Get(request).outcome;
    EXPECT_EQ(outcome.error, Error::kAddress);
    EXPECT_TRUE(outcome.permanent);
  }
  EXPECT_THAT(proxy.heads(), ::testing::IsEmpty());
  FetchRequest request = FetchRunner::Request("http://a.test/");
  request.private_allowed = false;
  EXPECT_EQ(runner.Get(request).body, "by proxy");
}

}  // namespace
}  // namespace trawl

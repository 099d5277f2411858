// What a crawl sends to whom, as the sites see it.
#include <gmock/gmock.h>

#include "tests/e2e/crawl_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/test_proxy.h"

namespace trawl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Requests : public CrawlFixture {};

TEST_F(Requests, SecretsGoToTheSeedsOriginsAndNowhereElse) {
  TestSite own, other;
  own.SetHtml("/", "<a href=/x>x</a><a href='" + other.Url("/y") + "'>y</a><a href=/z>z</a>");
  own.SetRedirect("/x", other.Url("/redirected"));
  own.SetHtml("/z", "z");
  other.SetFallback([](std::string_view) { return TestPage{.body = "page"}; });
  Flags flags = Fast();
  for (const char* flag : {"--scope", "any", "--auth", "u:secret", "--header", "X-Key: secret",
                           "--log-level", "debug"}) {
    flags.push_back(flag);
  }
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({own.Url("/")}, flags));
  Process& worker = StartWorker({"--log-level", "debug"});
  ASSERT_EQ(coordinator().Wait(std::chrono::seconds(60)), 0);
  ASSERT_TRUE(worker.Wait(std::chrono::seconds(10)));
  Export();
  EXPECT_EQ(Pages().size(), 4u);
  EXPECT_EQ(own.request_count(), 4u);  // robots.txt among them
  for (const TestRequest& request : own.requests()) {
    EXPECT_THAT(request.head, HasSubstr("\r\nX-Key: secret\r\nAuthorization: Basic dTpzZWNyZXQ="));
  }
  EXPECT_EQ(other.request_count(), 3u);
  for (const TestRequest& request : other.requests()) {
    EXPECT_THAT(request.head, Not(HasSubstr("X-Key")));
    EXPECT_THAT(request.head, Not(HasSubstr("Authorization")));
  }
  for (const Process* process : {&coordinator(), &worker}) {
    EXPECT_THAT(process->out() + process->err(), Not(HasSubstr("secret")));
    EXPECT_THAT(process->out() + process->err(), Not(HasSubstr("dTpzZWNyZXQ=")));
  }
  for (const char* file : {"pages.jsonl", "redirects.jsonl", "errors.jsonl"}) {
    for (const auto& row : Read(file)) {
      EXPECT_THAT(boost::json::serialize(row), Not(HasSubstr("secret")));
    }
  }
}

TEST_F(Requests, InsecureTakesAnyCertificateAndSaysSo) {
  const TestCertificate certificate = SelfSigned("DNS:other.test");
  TestSite site({.certificate_pem = certificate.certificate_pem, .key_pem = certificate.key_pem});
  site.SetHtml("/", "page");
  Flags flags = Fast();
  flags.push_back("--insecure");
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, flags));
  Process& worker = StartWorker();
  ASSERT_EQ(coordinator().Wait(std::chrono::seconds(60)), 0);
  ASSERT_TRUE(worker.Wait(std::chrono::seconds(10)));
  Export();
  EXPECT_EQ(Pages().size(), 1u);
  const std::string warning = "--insecure: certificates are not verified";
  EXPECT_THAT(coordinator().err(), HasSubstr(warning));
  EXPECT_THAT(coordinator().out(), HasSubstr(warning));  // the summary
  EXPECT_THAT(worker.err(), HasSubstr(warning));
}

TEST_F(Requests, CookiesGoBackOnlyWhenAskedFor) {
  for (const bool cookies : {false, true}) {
    TestSite site;
    site.SetRedirect("/", "/start");
    site.Set("/start",
             {.headers = {{"Set-Cookie", "a=b"}}, .body = "<a href=/1>1</a><a href=/2>2</a>"});
    site.Set("/1", {.headers = {{"Set-Cookie", "a=b"}}, .body = "1"});
    site.Set("/2", {.headers = {{"Set-Cookie", "a=b"}}, .body = "2"});
    Flags flags = {
        "--host-delay", "0", "--host-connections", "1", "--job", cookies ? "with" : "without"};
    if (cookies) flags.push_back("--cookies");
    ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, flags));
    Process& worker = StartWorker({"--name", cookies ? "w1" : "w2"});
    ASSERT_EQ(coordinator().Wait(std::chrono::seconds(60)), 0);
    ASSERT_TRUE(worker.Wait(std::chrono::seconds(10)));
    // The second of a lease's pages brings back what the first has set.
    const bool sent = site.requests().back().head.find("\r\nCookie: a=b\r\n") != std::string::npos;
    EXPECT_EQ(sent, cookies);
  }
}

TEST_F(Requests, AProxyIsAskedForEverything) {
  const TestProxy proxy({});
  Flags flags = Fast();
  flags.insert(flags.end(), {"--proxy", "http://127.0.0.1:" + std::to_string(proxy.port()),
                             "--content-types", "*/*"});
  ASSERT_NO_FATAL_FAILURE(Crawl({"http://a.test/"}, flags));
  EXPECT_EQ(Pages().size(), 1u);
  EXPECT_THAT(proxy.heads().at(0), HasSubstr("GET http://a.test/robots.txt HTTP/1.1\r\n"));
  EXPECT_THAT(proxy.heads().at(1), HasSubstr("GET http://a.test/ HTTP/1.1\r\n"));
}

}  // namespace
}  // namespace trawl

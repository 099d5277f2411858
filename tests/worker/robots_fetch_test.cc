// robots.txt as it is had: the real Fetcher against sites that answer, refuse, redirect or are not
// there. Sections are those of RFC 9309.
#include "worker/robots_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/utf8.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

using ::testing::HasSubstr;
using Fault = TestPage::Fault;
using Framing = TestPage::Framing;

class NoFields : public PageParser {
 public:
  bool WantsBody() const override { return false; }
  boost::json::object Parse(const Page&) override { return {}; }
};

TestPage Text(std::string body) { return {.content_type = "text/plain", .body = std::move(body)}; }

class RobotsFetchTest : public ::testing::Test {
 protected:
  RobotsFetchTest() {
    context_.settings.user_agent = "Trawl/1.0 (+http://a.test/bot)";
    context_.settings.allow_private = true;
    context_.settings.max_body_bytes = 64 * 1024 * 1024;
    context_.settings.fetch_timeout = milliseconds(10'000);
  }

  static Url Parse(const std::string& url) { return Url::Parse(url).value(); }

  /// Asks for the robots.txt of the URL's origin, and waits for what the coordinator is told of it.
  RobotsReport Ask(const std::string& url) {
    std::optional<RobotsReport> report;
    FetchRobots(fetcher_, context_, Parse(url), [&](RobotsResponse response) {
      report = ReportOf(std::string(Parse(url).origin()), std::move(response));
    });
    io_.restart();
    while (!report && io_.run_one() > 0) {
    }
    EXPECT_EQ(report.value().origin, Parse(url).origin());
    return *report;
  }
  RobotsReport AskFor(TestPage robots) {
    site_.Set("/robots.txt", std::move(robots));
    return Ask(site_.Url("/"));
  }
  static Robots RulesOf(const RobotsReport& report) {
    if (const auto* rules = std::get_if<RobotsFile>(&report.result)) {
      return Robots::Parse(rules->body, "trawl");
    }
    return std::holds_alternative<RobotsAllowAll>(report.result) ? Robots::AllowAll()
                                                                 : Robots::DisallowAll();
  }
  static bool Allows(const RobotsReport& report, const std::string& path) {
    return RulesOf(report).Allows(path);
  }
  /// What it failed for; kUsage when it has not failed.
  static RobotsFailure FailureOf(const RobotsReport& report) {
    const auto* failure = std::get_if<RobotsFailure>(&report.result);
    return failure ? *failure : RobotsFailure{Error::kUsage, "it has not failed"};
  }

  /// 600 KiB with rules at the beginning, just within and just beyond the first 512 KiB.
  static std::string LongRules() {
    const std::string last_rule = "\nDisallow: /last\n";
    std::string body = "User-agent: *\nDisallow: /first\n#";
    body.resize(Robots::kMaxBytes - last_rule.size(), 'x');
    body += last_rule + "Disallow: /beyond\n#";
    body.resize(std::size_t{600} * 1024, 'x');
    return body;
  }
  void ExpectTheFirst512KiB(const RobotsReport& entry) const {
    EXPECT_TRUE(Allows(entry, "/page")) << FailureOf(entry).detail;
    EXPECT_FALSE(Allows(entry, "/first"));
    EXPECT_FALSE(Allows(entry, "/last"));
    EXPECT_TRUE(Allows(entry, "/beyond"));
  }

  boost::asio::io_context io_{1};
  Fetcher fetcher_{io_, {.user_agent = "Trawl/1.0"}};
  NoFields parser_;
  PageContext context_{{}, "w1", parser_};
  TestSite site_;
};

TEST_F(RobotsFetchTest, S2311ASuccessfulAnswersRulesAreObeyed) {
  const std::string rules =
      "User-agent: trawl\nDisallow: /private\nCrawl-delay: 2\n\nUser-agent: *\nDisallow: /\n";
  const struct {
    const char* name;
    TestPage robots;
  } kCases[] = {
      {"200", Text(rules)},
      {"203", {.status = 203, .body = rules}},
      {"chunked", {.body = rules, .framing = Framing::kChunked}},
      {"gzip", {.body = rules, .coding = Coding::kGzip}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    const RobotsReport entry = AskFor(c.robots);
    EXPECT_TRUE(Allows(entry, "/open"));
    EXPECT_FALSE(Allows(entry, "/private/page"));
    EXPECT_EQ(entry.status, c.robots.status);
    EXPECT_EQ(std::get<RobotsFile>(entry.result).body, rules);
  }
}

TEST_F(RobotsFetchTest, OwnHeadersGoToTheirOriginsAndNoOther) {
  TestSite other;
  other.Set("/robots.txt", Text(""));
  site_.SetRedirect("/robots.txt", "/moved");
  site_.SetRedirect("/moved", other.Url("/robots.txt"));
  context_.settings.own_headers = {"X-Key: 1", "X-Other: 2"};
  context_.settings.own_origins = {site_.origin()};
  Ask(site_.Url("/"));
  ASSERT_EQ(site_.request_count(), 2u);
  for (const TestRequest& request : site_.requests()) {
    EXPECT_THAT(request.head, HasSubstr("\r\nX-Key: 1\r\nX-Other: 2\r\n\r\n"));
  }
  ASSERT_EQ(other.request_count(), 1u);
  EXPECT_EQ(other.requests()[0].head.find("X-Key"), std::string::npos);
}

TEST_F(RobotsFetchTest, AnEmptyFileAllowsAll) {
  EXPECT_TRUE(Allows(AskFor(Text("")), "/page"));
  EXPECT_TRUE(Allows(AskFor({.status = 204, .content_type = ""}), "/page"));
}

TEST_F(RobotsFetchTest, S2313AnUnavailableFileAllowsAll) {
  for (const int status : {400, 401, 403, 404, 410, 451}) {
    SCOPED_TRACE(status);
    const RobotsReport entry = AskFor({.status = status, .body = "User-agent: *\nDisallow: /\n"});
    EXPECT_TRUE(std::holds_alternative<RobotsAllowAll>(entry.result));
    EXPECT_EQ(entry.status, status);
  }
}

TEST_F(RobotsFetchTest, S2314AServerErrorDisallowsAllForNow) {
  for (const int status : {206, 429, 500, 503, 599}) {
    SCOPED_TRACE(status);
    const RobotsReport entry = AskFor({.status = status, .body = "User-agent: *\nAllow: /\n"});
    EXPECT_EQ(FailureOf(entry).reason, Error::kRobots);
    EXPECT_EQ(FailureOf(entry).detail,
              "robots.txt answered with HTTP status " + std::to_string(status));
    EXPECT_EQ(entry.status, status);
  }
}

TEST_F(RobotsFetchTest, S2314WithoutAWholeAnswerAllIsDisallowedForNow) {
  const std::string half = "User-agent: *\nAllow: /\n";
  const struct {
    const char* name;
    TestPage robots;
  } kCases[] = {
      {"closed before head", {.fault = Fault::kCloseBeforeHead}},
      {"reset before head", {.fault = Fault::kResetBeforeHead}},
      {"closed in body", {.body = half, .fault = Fault::kCloseInBody}},
      {"not HTTP", {.raw = "SSH-2.0-OpenSSH_9.2\r\n\r\n"}},
      {"broken coding", {.headers = {{"Content-Encoding", "gzip"}}, .body = half}},
      {"silent", {.fault = Fault::kSilent}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    context_.settings.fetch_timeout = milliseconds(c.robots.fault == Fault::kSilent ? 100 : 10'000);
    const RobotsFailure failure = FailureOf(AskFor(c.robots));
    EXPECT_EQ(failure.reason, Error::kRobots) << "the host was reached";
    EXPECT_THAT(failure.detail, HasSubstr("robots.txt: "));
    EXPECT_GT(failure.detail.size(), std::string("robots.txt: ").size());
  }
}

TEST_F(RobotsFetchTest, ItsRedirectsShareTheTimeOfOneFetch) {
  context_.settings.fetch_timeout = milliseconds(500);
  for (const std::string path : {"/robots.txt", "/1", "/2", "/3", "/4"}) {
    const std::string next = path == "/robots.txt" ? "/1" : "/" + std::to_string(path[1] - '0' + 1);
    site_.Set(path, {.status = 302, .headers = {{"Location", next}}, .latency = milliseconds(200)});
  }
  site_.Set("/5", Text(""));
  EXPECT_THAT(FailureOf(Ask(site_.Url("/"))).detail, HasSubstr("not done within "));
  EXPECT_LE(site_.request_count(), 3u);
}

TEST_F(RobotsFetchTest, S2314AHostThatIsNeverReachedFailsForTheNetworksReason) {
  auto gone = std::make_unique<TestSite>();
  const std::string url = gone->Url("/page");
  gone.reset();
  EXPECT_EQ(FailureOf(Ask(url)).reason, Error::kConnect);
}

TEST_F(RobotsFetchTest, AnAddressThatTheJobMustNotReachIsNotAsked) {
  context_.settings.allow_private = false;
  EXPECT_EQ(FailureOf(AskFor(Text(""))).reason, Error::kAddress);
  EXPECT_EQ(site_.request_count(), 0u);
}

TEST_F(RobotsFetchTest, ARedirectToAnAddressThatTheJobMustNotReachIsNotFollowed) {
  TestSite other({.address = "127.0.0.2"});
  other.Set("/robots.txt", Text(""));
  site_.SetRedirect("/robots.txt", other.Url("/robots.txt"));
  context_.settings.allow_private = false;
  context_.settings.private_hosts = {"127.0.0.1"};
  EXPECT_EQ(FailureOf(Ask(site_.Url("/"))).reason, Error::kRobots);
  EXPECT_EQ(other.request_count(), 0u);
  context_.settings.private_hosts.push_back("127.0.0.2");
  EXPECT_TRUE(Allows(Ask(site_.Url("/")), "/page"));
}

TEST_F(RobotsFetchTest, S2312FiveRedirectsAreFollowedAlsoToAnotherHost) {
  TestSite other({.address = "127.0.0.2"});
  const struct {
    int status;
    const char* second;  // where the second host's last one leads
  } kCases[] = {{301, "/rules"},
                {302, "rules"},
                {303, "//127.0.0.2:PORT/rules"},
                {307, "/rules"},
                {308, "/rules"}};
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.status);
    std::string last = c.second;
    if (const auto port = last.find("PORT"); port != last.npos) {
      last.replace(port, 4, std::to_string(other.port()));
    }
    site_.SetRedirect("/robots.txt", "/1", c.status);
    site_.SetRedirect("/1", "2", c.status);
    site_.SetRedirect("/2", other.Url("/3"), c.status);
    other.SetRedirect("/3", "/4", c.status);
    other.SetRedirect("/4", last, c.status);
    other.Set("/rules", Text("User-agent: *\nDisallow: /private\n"));
    const RobotsReport entry = Ask(site_.Url("/"));
    EXPECT_FALSE(Allows(entry, "/private")) << "the rules count for the origin that was asked for";
    EXPECT_TRUE(Allows(entry, "/page"));
  }
}

TEST_F(RobotsFetchTest, S2312AfterFiveRedirectsTheFileCountsAsUnavailable) {
  site_.SetRedirect("/robots.txt", "/1");
  for (int hop = 1; hop <= 5; ++hop) {
    site_.SetRedirect("/" + std::to_string(hop), "/" + std::to_string(hop + 1));
  }
  site_.Set("/6", Text("User-agent: *\nDisallow: /\n"));
  EXPECT_TRUE(Allows(Ask(site_.Url("/")), "/page"));
  EXPECT_EQ(site_.request_count("/5"), 1u);
  EXPECT_EQ(site_.request_count("/6"), 0u);
}

TEST_F(RobotsFetchTest, ALoopOfRedirectsEnds) {
  site_.SetRedirect("/robots.txt", "/robots.txt");
  EXPECT_TRUE(Allows(Ask(site_.Url("/")), "/page"));
  EXPECT_EQ(site_.request_count("/robots.txt"), 6u);
}

TEST_F(RobotsFetchTest, ARedirectThatLeadsNowhereCountsAsUnavailable) {
  for (const char* location : {"", "mailto:a@a.test", "http://", "http://[::1"}) {
    SCOPED_TRACE(location);
    site_.SetRedirect("/robots.txt", location);
    EXPECT_TRUE(Allows(Ask(site_.Url("/")), "/page"));
  }
}

TEST_F(RobotsFetchTest, S2314ARedirectToWhatCannotBeHadDisallowsAll) {
  site_.SetRedirect("/robots.txt", "/rules");
  site_.Set("/rules", {.status = 503});
  EXPECT_FALSE(Allows(Ask(site_.Url("/")), "/page"));
  site_.Set("/rules", {.fault = Fault::kResetBeforeHead});
  EXPECT_FALSE(Allows(Ask(site_.Url("/")), "/page"));
}

TEST_F(RobotsFetchTest, S25TheFirst512KiBCount) {
  const std::string body = LongRules();
  const struct {
    const char* name;
    TestPage robots;
  } kCases[] = {
      {"length", Text(body)},
      {"chunked", {.body = body, .framing = Framing::kChunked}},
      {"gzip", {.body = body, .coding = Coding::kGzip}},
      {"cut short beyond", {.body = body + body, .fault = Fault::kCloseInBody}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    ExpectTheFirst512KiB(AskFor(c.robots));
  }
}

TEST_F(RobotsFetchTest, S25ALimitOfPagesDoesNotLimitRobotsTxt) {
  context_.settings.max_body_bytes = 100 * 1024;
  for (const Framing framing : {Framing::kLength, Framing::kChunked}) {
    SCOPED_TRACE(static_cast<int>(framing));
    ExpectTheFirst512KiB(AskFor({.body = LongRules(), .framing = framing}));
  }
}

TEST_F(RobotsFetchTest, BytesThatAreNoTextDoNoHarm) {
  const std::string rubbish = "\xFF\xC3(\xE2\x82\xED\xA0\x80";
  const RobotsReport entry =
      AskFor(Text("User-agent: *\n" + rubbish + ": /x\nDisallow: /" + rubbish + "\n"));
  EXPECT_TRUE(Allows(entry, "/page"));

  const RobotsFailure failure =
      FailureOf(AskFor({.headers = {{"Content-Encoding", rubbish}}, .body = "x"}));
  EXPECT_THAT(failure.detail, HasSubstr("robots.txt: "));
  EXPECT_EQ(failure.detail, ValidUtf8(failure.detail)) << "it is sent as text";
}

}  // namespace
}  // namespace trawl

// robots.txt as it is had: the real Fetcher against sites that answer, refuse, redirect or are not
// there. Sections are those of RFC 9309.
#include "worker/robots_cache.h"

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

constexpr milliseconds kDay = std::chrono::hours(24);

class NoFields : public PageParser {
 public:
  bool WantsBody() const override { return false; }
  boost::json::object Parse(const Page&) override { return {}; }
};

TestPage Text(std::string body) { return {.content_type = "text/plain", .body = std::move(body)}; }

class RobotsCacheTest : public ::testing::Test {
 protected:
  RobotsCacheTest() {
    context_.settings.user_agent = "Trawl/1.0 (+http://a.test/bot)";
    context_.settings.allow_private = true;
    context_.settings.max_body_bytes = 64 * 1024 * 1024;
    context_.settings.fetch_timeout = milliseconds(10'000);
  }

  static Url Parse(const std::string& url) { return Url::Parse(url).value(); }

  /// Asks for the robots.txt of the URL's origin, and waits for the answer.
  RobotsCache::Entry Ask(const std::string& url) {
    std::optional<RobotsCache::Entry> answer;
    cache_.Ask(Parse(url), [&](const RobotsCache::Entry& entry) { answer = entry; });
    io_.restart();
    while (!answer && io_.run_one() > 0) {
    }
    return answer.value();
  }
  RobotsCache::Entry AskFor(TestPage robots) {
    site_.Set("/robots.txt", std::move(robots));
    return Ask(site_.Url("/"));
  }
  bool Allows(const RobotsCache::Entry& entry, const std::string& path) const {
    return entry.Allows(Parse(site_.Url(path)));
  }
  const RobotsCache::Entry* FindIn(milliseconds time) {
    return cache_.Find(Parse(site_.Url("/any")), std::chrono::steady_clock::now() + time);
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
  void ExpectTheFirst512KiB(const RobotsCache::Entry& entry) const {
    EXPECT_TRUE(Allows(entry, "/page")) << entry.detail;
    EXPECT_FALSE(Allows(entry, "/first"));
    EXPECT_FALSE(Allows(entry, "/last"));
    EXPECT_TRUE(Allows(entry, "/beyond"));
  }

  boost::asio::io_context io_{1};
  Fetcher fetcher_{io_, {.user_agent = "Trawl/1.0"}};
  NoFields parser_;
  PageContext context_{{}, "w1", parser_};
  RobotsCache cache_{fetcher_, context_};
  TestSite site_;
};

TEST_F(RobotsCacheTest, S2311ASuccessfulAnswersRulesAreObeyed) {
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
    const RobotsCache::Entry entry = AskFor(c.robots);
    EXPECT_TRUE(Allows(entry, "/open"));
    EXPECT_FALSE(Allows(entry, "/private/page"));
    EXPECT_EQ(entry.reason, Error::kRobots);
    EXPECT_EQ(entry.detail, "robots.txt does not allow it");
    EXPECT_EQ(entry.rules.crawl_delay()->count(), 2);
  }
}

TEST_F(RobotsCacheTest, AnEmptyFileAllowsAll) {
  EXPECT_TRUE(Allows(AskFor(Text("")), "/page"));
  EXPECT_TRUE(Allows(AskFor({.status = 204, .content_type = ""}), "/page"));
}

TEST_F(RobotsCacheTest, S24RulesAreKeptForADay) {
  EXPECT_EQ(FindIn(milliseconds(0)), nullptr);
  AskFor(Text("User-agent: *\nDisallow: /private\n"));
  for (const milliseconds time : {milliseconds(0), kDay - std::chrono::minutes(1)}) {
    const RobotsCache::Entry* entry = FindIn(time);
    ASSERT_NE(entry, nullptr);
    EXPECT_FALSE(Allows(*entry, "/private"));
  }
  EXPECT_EQ(FindIn(kDay + std::chrono::minutes(1)), nullptr);
  EXPECT_EQ(site_.request_count("/robots.txt"), 1u);
}

TEST_F(RobotsCacheTest, AnOriginsRulesAreItsOwn) {
  TestSite other;
  other.Set("/robots.txt", Text("User-agent: *\nDisallow: /\n"));
  AskFor(Text("User-agent: *\nAllow: /\n"));
  EXPECT_EQ(cache_.Find(Parse(other.Url("/")), std::chrono::steady_clock::now()), nullptr)
      << "another port is another origin";
  EXPECT_FALSE(Ask(other.Url("/")).Allows(Parse(other.Url("/page"))));
  EXPECT_TRUE(Allows(*FindIn(milliseconds(0)), "/page"));
}

TEST_F(RobotsCacheTest, ALaterAnswerReplacesAnEarlierOne) {
  EXPECT_FALSE(Allows(AskFor({.status = 500}), "/page"));
  EXPECT_TRUE(Allows(AskFor(Text("")), "/page"));
  EXPECT_TRUE(Allows(*FindIn(milliseconds(0)), "/page"));
}

TEST_F(RobotsCacheTest, S2313AnUnavailableFileAllowsAll) {
  for (const int status : {400, 401, 403, 404, 410, 451}) {
    SCOPED_TRACE(status);
    const RobotsCache::Entry entry =
        AskFor({.status = status, .body = "User-agent: *\nDisallow: /\n"});
    EXPECT_TRUE(Allows(entry, "/page"));
    EXPECT_NE(FindIn(kDay - std::chrono::minutes(1)), nullptr);
  }
}

TEST_F(RobotsCacheTest, S2314AServerErrorDisallowsAllForNow) {
  for (const int status : {429, 500, 503, 599}) {
    SCOPED_TRACE(status);
    const RobotsCache::Entry entry =
        AskFor({.status = status, .body = "User-agent: *\nAllow: /\n"});
    EXPECT_FALSE(Allows(entry, "/page"));
    EXPECT_EQ(entry.reason, Error::kRobots);
    EXPECT_EQ(entry.detail, "robots.txt answered with HTTP status " + std::to_string(status));
    EXPECT_NE(FindIn(std::chrono::seconds(30)), nullptr) << "it is not asked again at once";
    EXPECT_EQ(FindIn(std::chrono::minutes(2)), nullptr);
  }
}

TEST_F(RobotsCacheTest, S2314WhatCannotBeReachedIsNotCrawledAndTheReasonIsTheNetworks) {
  const std::string half = "User-agent: *\nAllow: /\n";
  const struct {
    const char* name;
    TestPage robots;
    Error reason;
  } kCases[] = {
      {"closed before head", {.fault = Fault::kCloseBeforeHead}, Error::kReset},
      {"reset before head", {.fault = Fault::kResetBeforeHead}, Error::kReset},
      {"closed in body", {.body = half, .fault = Fault::kCloseInBody}, Error::kReset},
      {"not HTTP", {.raw = "SSH-2.0-OpenSSH_9.2\r\n\r\n"}, Error::kMalformed},
      {"broken coding",
       {.headers = {{"Content-Encoding", "gzip"}}, .body = half},
       Error::kMalformed},
      {"silent", {.fault = Fault::kSilent}, Error::kTimeout},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    const bool silent = c.reason == Error::kTimeout;
    context_.settings.fetch_timeout = milliseconds(silent ? 100 : 10'000);
    const RobotsCache::Entry entry = AskFor(c.robots);
    EXPECT_FALSE(Allows(entry, "/page"));
    EXPECT_EQ(entry.reason, c.reason);
    EXPECT_THAT(entry.detail, HasSubstr("robots.txt: "));
    EXPECT_GT(entry.detail.size(), std::string("robots.txt: ").size());
    EXPECT_EQ(FindIn(std::chrono::minutes(2)), nullptr);
  }
}

TEST_F(RobotsCacheTest, S2314AnAddressWhereNobodyListensIsNotCrawled) {
  auto gone = std::make_unique<TestSite>();
  const std::string url = gone->Url("/page");
  gone.reset();
  const RobotsCache::Entry entry = Ask(url);
  EXPECT_FALSE(entry.Allows(Parse(url)));
  EXPECT_EQ(entry.reason, Error::kConnect);
}

TEST_F(RobotsCacheTest, AnAddressThatTheJobMustNotReachIsNotAsked) {
  context_.settings.allow_private = false;
  EXPECT_EQ(AskFor(Text("")).reason, Error::kAddress);
  EXPECT_EQ(site_.request_count(), 0u);
}

TEST_F(RobotsCacheTest, S2312FiveRedirectsAreFollowedAlsoToAnotherHost) {
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
    const RobotsCache::Entry entry = Ask(site_.Url("/"));
    EXPECT_FALSE(Allows(entry, "/private")) << "the rules count for the origin that was asked for";
    EXPECT_TRUE(Allows(entry, "/page"));
    EXPECT_NE(FindIn(milliseconds(0)), nullptr);
    EXPECT_EQ(cache_.Find(Parse(other.Url("/")), std::chrono::steady_clock::now()), nullptr);
  }
}

TEST_F(RobotsCacheTest, S2312AfterFiveRedirectsTheFileCountsAsUnavailable) {
  site_.SetRedirect("/robots.txt", "/1");
  for (int hop = 1; hop <= 5; ++hop) {
    site_.SetRedirect("/" + std::to_string(hop), "/" + std::to_string(hop + 1));
  }
  site_.Set("/6", Text("User-agent: *\nDisallow: /\n"));
  EXPECT_TRUE(Allows(Ask(site_.Url("/")), "/page"));
  EXPECT_EQ(site_.request_count("/5"), 1u);
  EXPECT_EQ(site_.request_count("/6"), 0u);
}

TEST_F(RobotsCacheTest, ALoopOfRedirectsEnds) {
  site_.SetRedirect("/robots.txt", "/robots.txt");
  EXPECT_TRUE(Allows(Ask(site_.Url("/")), "/page"));
  EXPECT_EQ(site_.request_count("/robots.txt"), 6u);
}

TEST_F(RobotsCacheTest, ARedirectThatLeadsNowhereCountsAsUnavailable) {
  for (const char* location : {"", "mailto:a@a.test", "http://", "http://[::1"}) {
    SCOPED_TRACE(location);
    site_.SetRedirect("/robots.txt", location);
    EXPECT_TRUE(Allows(Ask(site_.Url("/")), "/page"));
  }
}

TEST_F(RobotsCacheTest, S2314ARedirectToWhatCannotBeHadDisallowsAll) {
  site_.SetRedirect("/robots.txt", "/rules");
  site_.Set("/rules", {.status = 503});
  EXPECT_FALSE(Allows(Ask(site_.Url("/")), "/page"));
  site_.Set("/rules", {.fault = Fault::kResetBeforeHead});
  const RobotsCache::Entry entry = Ask(site_.Url("/"));
  EXPECT_FALSE(Allows(entry, "/page"));
  EXPECT_EQ(entry.reason, Error::kReset);
}

TEST_F(RobotsCacheTest, S25TheFirst512KiBCount) {
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

// Disabled until RobotsCache::Fetch() gives robots.txt a limit of its own.
TEST_F(RobotsCacheTest, S25ALimitOfPagesDoesNotLimitRobotsTxt) {
  context_.settings.max_body_bytes = 100 * 1024;
  for (const Framing framing : {Framing::kLength, Framing::kChunked}) {
    SCOPED_TRACE(static_cast<int>(framing));
    ExpectTheFirst512KiB(AskFor({.body = LongRules(), .framing = framing}));
  }
}

TEST_F(RobotsCacheTest, BytesThatAreNoTextDoNoHarm) {
  const std::string rubbish = "\xFF\xC3(\xE2\x82\xED\xA0\x80";
  const RobotsCache::Entry entry =
      AskFor(Text("User-agent: *\n" + rubbish + ": /x\nDisallow: /" + rubbish + "\n"));
  EXPECT_TRUE(Allows(entry, "/page"));

  const RobotsCache::Entry failed =
      AskFor({.headers = {{"Content-Encoding", rubbish}}, .body = "x"});
  EXPECT_FALSE(Allows(failed, "/page"));
  EXPECT_EQ(failed.reason, Error::kMalformed);
  // Whoever sends the detail on makes text of it.
  EXPECT_THAT(ValidUtf8(failed.detail), HasSubstr("robots.txt: "));
}

}  // namespace
}  // namespace trawl

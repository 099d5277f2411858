#include "worker/probe/fetch_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "tests/support/test_site.h"

namespace trawl {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

class FetchProbeTest : public ::testing::Test {
 protected:
  FetchProbeTest() { crawl_.user_agent = "trawl/1 (+http://b.test/)"; }

  FetchProbe::Report Fetch(const std::string& url) {
    crawl_.seeds = {url};
    return FetchProbe(options_).Fetch(trawl::Url::Parse(url).value());
  }
  std::string Url(const std::string& path) const { return site_.Url(path); }

  static std::string Text(const json::object& object, const char* key) {
    const json::value* const value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  }
  static const json::object& Hop(const json::object& report, std::size_t at) {
    return report.at("hops").as_array().at(at).as_object();
  }

  ProbeOptions options_;
  CrawlOptions& crawl_ = options_.crawl;
  TestSite site_;
};

TEST_F(FetchProbeTest, TellsWhatARowOfTheCrawlWouldTell) {
  site_.SetHtml("/", "<title>A &amp; B</title><a href=x><a href=y>");
  const FetchProbe::Report report = Fetch(Url("/"));
  EXPECT_TRUE(report.answered);
  EXPECT_EQ(report.json.at("url"), json::value(Url("/")));
  EXPECT_EQ(report.json.at("outcome"), "fetched");
  EXPECT_EQ(report.json.at("status"), 200);
  EXPECT_EQ(report.json.at("content_type"), "text/html");
  EXPECT_EQ(report.json.at("charset"), "utf-8");
  EXPECT_EQ(report.json.at("bytes"), 44);
  EXPECT_THAT(Text(report.json, "digest"), HasSubstr("xxh128:"));
  EXPECT_EQ(report.json.at("title"), "A & B");
  EXPECT_EQ(report.json.at("links"), 2);
  EXPECT_FALSE(report.json.contains("depth"));
}

TEST_F(FetchProbeTest, AHopTellsAddressTimeAndTheRuleThatAllowsIt) {
  TestPage robots;
  robots.content_type = "text/plain";
  robots.body = "User-agent: trawl\nDisallow: /\nAllow: /a\nCrawl-delay: 3\n";
  site_.Set("/robots.txt", robots);
  site_.SetHtml("/a", "x");
  const json::object report = Fetch(Url("/a")).json;
  const json::object& hop = Hop(report, 0);
  const std::string address = "127.0.0.1:" + std::to_string(site_.port());
  EXPECT_EQ(hop.at("url"), json::value(Url("/a")));
  EXPECT_EQ(hop.at("status"), 200);
  EXPECT_EQ(hop.at("address"), json::value(address));
  EXPECT_TRUE(hop.at("elapsed_ms").is_int64());
  const json::object& verdict = hop.at("robots").as_object();
  EXPECT_EQ(verdict.at("allowed"), true);
  EXPECT_EQ(verdict.at("rule"), "Allow: /a");
  EXPECT_EQ(verdict.at("crawl_delay"), 3);
  const json::array& requests = verdict.at("requests").as_array();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].at("url"), json::value(Url("/robots.txt")));
  EXPECT_EQ(requests[0].at("status"), 200);
  EXPECT_EQ(requests[0].at("address"), json::value(address));
  EXPECT_EQ(site_.requests().at(0).user_agent, crawl_.user_agent);
}

TEST_F(FetchProbeTest, SendsWhatTheCrawlWouldSend) {
  site_.Set("/", {.status = 302, .headers = {{"Location", "/a"}, {"Set-Cookie", "c=d"}}});
  site_.SetHtml("/a", "x");
  crawl_.headers = {"X-Key: 1"};
  crawl_.auth = "u:p";
  crawl_.cookies = true;
  EXPECT_EQ(Fetch(Url("/")).json.at("outcome"), "fetched");
  const TestRequest last = site_.requests().back();
  EXPECT_EQ(last.path, "/a");
  EXPECT_THAT(last.head,
              HasSubstr("\r\nX-Key: 1\r\nAuthorization: Basic dTpw\r\nCookie: c=d\r\n\r\n"));
}

TEST_F(FetchProbeTest, WhatRobotsTxtForbidsIsNotFetched) {
  TestPage robots;
  robots.body = "User-agent: *\nDisallow: /a\n";
  site_.Set("/robots.txt", robots);
  site_.SetHtml("/a", "x");
  const FetchProbe::Report forbidden = Fetch(Url("/a"));
  EXPECT_FALSE(forbidden.answered);
  EXPECT_EQ(forbidden.json.at("outcome"), "failed");
  EXPECT_EQ(forbidden.json.at("reason"), "robots");
  EXPECT_EQ(Hop(forbidden.json, 0).at("robots").at("rule"), "Disallow: /a");
  EXPECT_EQ(site_.request_count("/a"), 0u);

  robots.status = 503;
  site_.Set("/robots.txt", robots);
  const FetchProbe::Report unavailable = Fetch(Url("/b"));
  EXPECT_FALSE(unavailable.answered);
  EXPECT_THAT(Text(unavailable.json, "detail"), HasSubstr("503"));
  EXPECT_EQ(Hop(unavailable.json, 0).at("robots").at("rule"), nullptr);

  crawl_.ignore_robots = true;
  const FetchProbe::Report ignored = Fetch(Url("/a"));
  EXPECT_TRUE(ignored.answered);
  EXPECT_EQ(Hop(ignored.json, 0).at("robots"), nullptr);
}

TEST_F(FetchProbeTest, RedirectsAreFollowedAndEachIsAHop) {
  site_.SetRedirect("/1", "/2", 301);
  site_.SetRedirect("/2", "/3#part", 302);
  site_.SetHtml("/3", "<title>T</title>");
  const FetchProbe::Report report = Fetch(Url("/1"));
  EXPECT_TRUE(report.answered);
  EXPECT_EQ(report.json.at("outcome"), "fetched");
  EXPECT_EQ(report.json.at("title"), "T");
  ASSERT_EQ(report.json.at("hops").as_array().size(), 3u);
  EXPECT_EQ(Hop(report.json, 0).at("status"), 301);
  EXPECT_EQ(Hop(report.json, 0).at("outcome"), "redirected");
  EXPECT_EQ(Hop(report.json, 0).at("to"), json::value(Url("/2")));
  EXPECT_EQ(Hop(report.json, 1).at("to"), json::value(Url("/3")));
  EXPECT_EQ(Hop(report.json, 2).at("outcome"), "fetched");
  EXPECT_EQ(site_.request_count("/robots.txt"), 1u) << "asked once an origin";
}

TEST_F(FetchProbeTest, RedirectsEndAsInACrawl) {
  crawl_.max_hops = 2;
  for (int i = 0; i < 5; ++i) {
    site_.SetRedirect("/" + std::to_string(i), "/" + std::to_string(i + 1));
  }
  site_.SetRedirect("/loop", "/loop");
  site_.SetRedirect("/mail", "mailto:x@a.test");
  const struct {
    const char* path;
    const char* target;
    std::size_t hops;
  } kCases[] = {{"/0", "too_many", 3}, {"/loop", "seen", 1}, {"/mail", "malformed", 1}};
  for (const auto& c : kCases) {
    const FetchProbe::Report report = Fetch(Url(c.path));
    EXPECT_TRUE(report.answered);
    EXPECT_EQ(report.json.at("outcome"), "redirected");
    EXPECT_EQ(report.json.at("target"), c.target);
    EXPECT_EQ(report.json.at("hops").as_array().size(), c.hops) << c.path;
  }
}

TEST_F(FetchProbeTest, AnAnswerIsAnAnswerWhateverItSays) {
  TestPage picture;
  picture.content_type = "image/png";
  site_.Set("/picture", picture);
  const struct {
    const char* path;
    const char* reason;
    int status;
  } kCases[] = {{"/missing", "http_status", 404}, {"/picture", "content_type", 200}};
  for (const auto& c : kCases) {
    const FetchProbe::Report report = Fetch(Url(c.path));
    EXPECT_TRUE(report.answered);
    EXPECT_EQ(report.json.at("outcome"), "failed");
    EXPECT_EQ(report.json.at("reason"), c.reason);
    EXPECT_EQ(report.json.at("status"), c.status);
  }
  TestPage cut;
  cut.fault = TestPage::Fault::kResetBeforeHead;
  site_.Set("/cut", cut);
  const FetchProbe::Report report = Fetch(Url("/cut"));
  EXPECT_FALSE(report.answered);
  EXPECT_EQ(report.json.at("reason"), "reset");
  EXPECT_EQ(Hop(report.json, 0).at("status"), nullptr);
}

TEST_F(FetchProbeTest, OnlyGivenUrlsMayBePrivate) {
  TestSite::Options options;
  options.address = "127.0.0.2";
  TestSite other(options);
  other.SetHtml("/", "x");
  site_.SetRedirect("/", other.Url("/"));
  const FetchProbe::Report refused = Fetch(Url("/"));
  EXPECT_EQ(refused.json.at("outcome"), "redirected");
  EXPECT_EQ(refused.json.at("target"), "address");
  EXPECT_EQ(refused.json.at("hops").as_array().size(), 1u);
  EXPECT_EQ(other.request_count(), 0u);
  crawl_.allow_private = true;
  EXPECT_EQ(Fetch(Url("/")).json.at("outcome"), "fetched");
}

TEST_F(FetchProbeTest, UrlsAreRewrittenAsTheCrawlDoes) {
  crawl_.sort_query = true;
  site_.SetRedirect("/?a=1&b=2", "/x?d=1&c=2");
  site_.SetHtml("/x?c=2&d=1", "x");
  const FetchProbe::Report report = Fetch(Url("/?b=2&a=1"));
  EXPECT_EQ(report.json.at("outcome"), "fetched");
  EXPECT_EQ(report.json.at("url"), json::value(Url("/?a=1&b=2")));
  EXPECT_EQ(Hop(report.json, 1).at("url"), json::value(Url("/x?c=2&d=1")));
}

}  // namespace
}  // namespace trawl

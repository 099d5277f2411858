// A round does not wait for the slowest URL of the one before, and depths stay exact all the same.

#include <algorithm>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

using std::chrono::seconds;

class Overlap : public CrawlFixture {
 protected:
  static std::string Links(const std::vector<std::string>& paths) {
    std::string html = "<!doctype html><title>t</title>";
    for (const std::string& path : paths) html += "<a href='" + path + "'>x</a>";
    return html;
  }
  static TestPage After(seconds latency, TestPage page) {
    page.latency = latency;
    return page;
  }
  static std::chrono::steady_clock::time_point TimeOf(const TestSite& site,
                                                      const std::string& path) {
    for (const TestRequest& request : site.requests()) {
      if (request.path == path) return request.time;
    }
    ADD_FAILURE() << path << " was not asked for";
    return {};
  }
};

TEST_F(Overlap, TheNextRoundBeginsWhileASlowPageIsAwaitedAndNoOther) {
  constexpr seconds kSlow{5};
  TestSite site;
  site.SetHtml("/", Links({"/1"}));
  site.Set("/slow", After(kSlow, {.body = Links({})}));
  site.SetHtml("/1", Links({"/2"}));
  site.SetHtml("/2", Links({}));
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/"), site.Url("/slow")}, Fast()));
  const auto answered = TimeOf(site, "/slow") + kSlow;
  EXPECT_LT(TimeOf(site, "/1"), answered);
  EXPECT_GE(TimeOf(site, "/2"), answered);
  Export();
  const std::map<std::string, int> wanted = {
      {site.Url("/"), 0}, {site.Url("/slow"), 0}, {site.Url("/1"), 1}, {site.Url("/2"), 2}};
  EXPECT_EQ(Pages(), wanted);
}

TEST_F(Overlap, WhatALateRedirectBringsNearerHasItsRightDepthAndCountsOnce) {
  TestSite site;
  site.SetHtml("/", Links({"/page", "/error", "/redirect"}));
  site.SetHtml("/page", Links({"/page/deep"}));
  site.SetHtml("/page/deep", Links({}));
  site.SetRedirect("/redirect", "/redirect/target");
  site.SetHtml("/redirect/target", Links({}));
  const std::vector<std::string> moving = {"/page", "/error", "/redirect"};
  std::vector<std::string> seeds = {site.Url("/")};
  for (const std::string& path : moving) {
    TestPage late;
    late.status = 301;
    late.headers = {{"Location", path}};
    site.Set("/late" + path, After(seconds(3), late));
    seeds.push_back(site.Url("/late" + path));
  }
  ASSERT_NO_FATAL_FAILURE(Crawl(seeds, Fast()));
  Export();
  const std::map<std::string, int> wanted = {{site.Url("/"), 0},
                                             {site.Url("/page"), 0},
                                             {site.Url("/redirect/target"), 0},
                                             {site.Url("/page/deep"), 1}};
  EXPECT_EQ(Pages(), wanted);
  const Rows errors = Read("errors.jsonl");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].at("depth"), 0);
  EXPECT_EQ(Read("redirects.jsonl").size(), 4u);
  ExpectConsistentCounters();
}

}  // namespace
}  // namespace trawl

// Whole crawls by real processes, compared with an independent breadth-first crawler.

#include <algorithm>
#include <csignal>

#include "tests/e2e/crawl_fixture.h"
#include "tests/e2e/generated_site.h"

namespace trawl {
namespace {

using WholeCrawl = CrawlFixture;

class CrawlWithWorkers : public WholeCrawl, public ::testing::WithParamInterface<int> {};

TEST_P(CrawlWithWorkers, FetchesEachPageOnceAtItsDepth) {
  TestSite site;
  FillSite(site, 400, 1);
  const std::string seed = site.Url("/index.html");
  ASSERT_NO_FATAL_FAILURE(Crawl({seed}, With(Fast(), {"--depth", "50"}), GetParam()));
  ExpectWhatTheOracleFinds({seed}, 50);
  ExpectConsistentCounters();
  EXPECT_GT(Pages().size(), 350u);
}

INSTANTIATE_TEST_SUITE_P(, CrawlWithWorkers, ::testing::Values(1, 2, 4));

TEST_F(WholeCrawl, StopsAtTheGreatestDepth) {
  TestSite site;
  FillSite(site, 200, 2);
  const std::string seed = site.Url("/index.html");
  ASSERT_NO_FATAL_FAILURE(Crawl({seed}, With(Fast(), {"--depth", "2"})));
  ExpectWhatTheOracleFinds({seed}, 2);
  ExpectConsistentCounters();
}

TEST_F(WholeCrawl, TakesAWorkerThatJoinsOnTheWay) {
  TestSite site;
  FillSlowSite(site, 1'000);
  const std::string seed = site.Url("/s/0");
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({seed}, With(Fast(), {"--depth", "100"})));
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(200));
  StartWorker({"--name", "late"});
  ASSERT_EQ(Finish(), 0);
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
  const Rows rows = Read("pages.jsonl");
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [](const auto& row) { return Text(row, "worker") == "late"; }));
}

TEST_F(WholeCrawl, FetchesNoMoreThanMaxPages) {
  TestSite site;
  FillSlowSite(site, 300);
  ASSERT_NO_FATAL_FAILURE(
      Crawl({site.Url("/s/0")}, With(Fast(), {"--depth", "100", "--max-pages", "40"}), 2));
  EXPECT_EQ(Pages().size(), 40u);
  EXPECT_EQ(JobField("state"), "stopped");
}

TEST_F(WholeCrawl, TakesAPageOnceWhateverItsUrlsCarry) {
  TestSite site;
  site.SetHtml("/",
               "<a href='/list?b=2&amp;a=1'></a><a href='/list?a=1&amp;b=2&amp;utm_source=x'></a>"
               "<a href='/cart;jsessionid=1'></a><a href='/cart;jsessionid=2?fbclid=3'></a>"
               "<a href='/tag?from=home'></a><a href='/again'></a>");
  site.SetHtml("/list?a=1&b=2", "");
  site.SetHtml("/cart", "");
  site.SetHtml("/tag", "");
  site.Set("/again", {.status = 302, .headers = {{"Location", "/again?PHPSESSID=1"}}});
  ASSERT_NO_FATAL_FAILURE(
      Crawl({site.Url("/?utm_source=mail")},
            With(Fast(), {"--sort-query", "--strip-params", "--strip-param", "from"})));
  EXPECT_EQ(Pages(), (std::map<std::string, int>{{site.Url("/"), 0},
                                                 {site.Url("/list?a=1&b=2"), 1},
                                                 {site.Url("/cart"), 1},
                                                 {site.Url("/tag"), 1}}));
  EXPECT_EQ(Redirects(), (std::map<std::string, std::string>{{site.Url("/again"), "seen"}}));
  ExpectConsistentCounters();
}

TEST_F(WholeCrawl, SaysItsSummary) {
  TestSite site;
  site.SetHtml("/", "<title>Home</title><a href='/gone'>gone</a>");
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, Fast()));
  StartWorker();
  ASSERT_EQ(Finish(), 0);
  const std::string summary = coordinator().out();
  EXPECT_NE(summary.find("job e2e finished"), std::string::npos) << summary;
  EXPECT_NE(summary.find("pages      1"), std::string::npos) << summary;
  EXPECT_NE(summary.find("failed     1  (http_status 1)"), std::string::npos) << summary;
}

TEST_F(WholeCrawl, WritesRowsWithEveryField) {
  TestSite site;
  site.SetHtml("/", "<title> Home \n page </title><a href='/second'>second</a>");
  site.SetHtml("/second", "");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast()));
  const Rows rows = Read("pages.jsonl");
  ASSERT_EQ(rows.size(), 2u);
  const boost::json::object& home = rows[0].at("depth") == 0 ? rows[0] : rows[1];
  const boost::json::object& second = rows[0].at("depth") == 0 ? rows[1] : rows[0];
  EXPECT_EQ(Text(home, "url"), site.Url("/"));
  EXPECT_EQ(home.at("status"), 200);
  EXPECT_EQ(Text(home, "content_type"), "text/html");
  EXPECT_EQ(Text(home, "charset"), "utf-8");
  EXPECT_EQ(home.at("bytes"), 56);
  EXPECT_EQ(home.at("digest").as_string().size(), std::string("xxh128:").size() + 32);
  EXPECT_EQ(Text(home, "title"), "Home page");
  EXPECT_EQ(home.at("links"), 1);
  EXPECT_TRUE(home.at("referrer").is_null());
  EXPECT_EQ(home.at("fetched_at").as_string().back(), 'Z');
  EXPECT_TRUE(home.contains("elapsed_ms"));
  EXPECT_TRUE(home.contains("worker"));
  EXPECT_EQ(home.at("fields"), (boost::json::object{{"title", "Home page"}}));
  EXPECT_EQ(Text(second, "referrer"), site.Url("/"));
  EXPECT_EQ(second.at("bytes"), 0);
}

TEST_F(WholeCrawl, RunsAUsersPageParser) {
  TestSite site;
  site.SetHtml("/", "<h1>One</h1><p>Text</p><h1>Two</h1>");
  site.SetHtml("/throws", "no heading");
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/"), site.Url("/throws")}, Fast()));
  StartWorker({}, "heading-worker");
  ASSERT_EQ(Finish(), 0);
  Export();
  for (const boost::json::object& row : Read("pages.jsonl")) {
    if (Text(row, "url") == site.Url("/")) {
      EXPECT_EQ(row.at("fields"), (boost::json::object{{"headings", 2}}));
    } else {
      EXPECT_EQ(row.at("fields"),
                (boost::json::object{{"parser_error", "no heading in this page"}}));
    }
  }
  EXPECT_EQ(Pages().size(), 2u);
}

}  // namespace
}  // namespace trawl

// Crawls of sites whose pages are found by their sitemaps.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TestPage Plain(std::string body, std::string content_type) {
  TestPage page;
  page.content_type = std::move(content_type);
  page.body = std::move(body);
  return page;
}

std::string Element(const std::string& name, const std::string& url) {
  return "<" + name + "><loc>" + url + "</loc></" + name + ">";
}

std::string UrlSet(const std::vector<std::string>& urls) {
  std::string xml = "<?xml version='1.0'?><urlset>";
  for (const std::string& url : urls) xml += Element("url", url);
  return xml + "</urlset>";
}

std::string Index(const std::vector<std::string>& sitemaps) {
  std::string xml = "<?xml version='1.0'?><sitemapindex>";
  for (const std::string& sitemap : sitemaps) xml += Element("sitemap", sitemap);
  return xml + "</sitemapindex>";
}

class Sitemaps : public CrawlFixture {
 protected:
  static Flags With(Flags more) {
    Flags flags = Fast();
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
  static void SetXml(TestSite& site, const std::string& path, std::string xml) {
    site.Set(path, Plain(std::move(xml), "application/xml"));
  }
  static void SetRobots(TestSite& site, const std::string& sitemap) {
    site.Set("/robots.txt",
             Plain("User-agent: *\nDisallow:\nSitemap: " + sitemap + "\n", "text/plain"));
  }

  /// Every admitted URL has ended, in one row.
  void ExpectAllEnded() {
    const std::size_t rows =
        Read("pages.jsonl").size() + Read("redirects.jsonl").size() + Read("errors.jsonl").size();
    EXPECT_EQ(Stat("admitted"), Stat("fetched") + Stat("redirected") + Stat("failed"));
    EXPECT_EQ(Stat("admitted"), rows);
  }
  /// URLs of the rows of pages.jsonl that are marked as sitemaps.
  std::vector<std::string> MarkedPages() const {
    std::vector<std::string> urls;
    for (const auto& row : Read("pages.jsonl")) {
      if (row.contains("sitemap")) urls.push_back(Text(row, "url"));
    }
    return urls;
  }
};

TEST_F(Sitemaps, PagesThatNothingLinksToAreFoundByRobotsTxt) {
  TestSite site, foreign;
  SetRobots(site, "/index.xml");
  site.SetHtml("/", "no links");
  SetXml(site, "/index.xml", Index({site.Url("/maps/a.xml.gz"), site.Url("/maps/b.txt")}));
  std::vector<std::string> listed = {foreign.Url("/x"), site.Url("/")};
  std::map<std::string, int> pages = {{site.Url("/"), 0},
                                      {site.Url("/index.xml"), 0},
                                      {site.Url("/maps/a.xml.gz"), 0},
                                      {site.Url("/maps/b.txt"), 0}};
  for (int i = 0; i < 2'500; ++i) {  // more than a report takes
    const std::string path = "/page/" + std::to_string(i);
    site.SetHtml(path, "<a href='/deeper'>deeper</a>");
    listed.push_back(site.Url(path));
    pages[site.Url(path)] = 0;
  }
  site.Set("/maps/a.xml.gz", Plain(Encode(Coding::kGzip, UrlSet(listed)), "application/gzip"));
  site.SetHtml("/text", "");
  pages[site.Url("/text")] = 0;
  site.Set("/maps/b.txt", Plain(site.Url("/text") + "\n" + foreign.Url("/y"), "text/plain"));

  ASSERT_NO_FATAL_FAILURE(
      Crawl({site.Url("/")}, With({"--sitemaps", "--depth", "0", "--scope", "any"}), 3));
  EXPECT_EQ(Pages(), pages);
  EXPECT_THAT(Errors(), IsEmpty());
  EXPECT_EQ(foreign.request_count(), 0u) << "a robots.txt does not speak for other hosts";
  for (const auto& [url, depth] : pages) {
    EXPECT_EQ(site.request_count(url.substr(site.origin().size())), 1u) << url;
  }
  EXPECT_THAT(MarkedPages(), UnorderedElementsAre(site.Url("/index.xml"), site.Url("/maps/b.txt"),
                                                  site.Url("/maps/a.xml.gz")));
  for (const auto& row : Read("pages.jsonl")) {
    if (Text(row, "url") == site.Url("/text")) {
      EXPECT_EQ(Text(row, "referrer"), site.Url("/maps/b.txt"));
    }
  }
  ExpectAllEnded();
}

TEST_F(Sitemaps, RobotsTxtIsNotAskedForSitemapsUnlessTheyAreWanted) {
  TestSite site;
  SetRobots(site, "/map.xml");
  site.SetHtml("/", "");
  SetXml(site, "/map.xml", UrlSet({site.Url("/listed")}));
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast()));
  EXPECT_THAT(Pages(), ElementsAre(Pair(site.Url("/"), 0)));
}

TEST_F(Sitemaps, AGivenSitemapIsTakenAtItsWordWithinTheScope) {
  TestSite site, second, third;
  for (TestSite* each : {&site, &second, &third}) each->SetHtml("/a", "");
  SetXml(third, "/map.xml", UrlSet({site.Url("/a"), second.Url("/a"), third.Url("/a")}));
  site.SetHtml("/", "");
  second.SetHtml("/", "");
  ASSERT_NO_FATAL_FAILURE(
      Crawl({site.Url("/"), second.Url("/")},
            With({"--sitemap", third.Url("/map.xml"), "--depth", "0", "--include", "/a$"})));
  EXPECT_THAT(Pages(), UnorderedElementsAre(Pair(site.Url("/"), 0), Pair(second.Url("/"), 0),
                                            Pair(third.Url("/map.xml"), 0), Pair(site.Url("/a"), 0),
                                            Pair(second.Url("/a"), 0)));
  ExpectAllEnded();
}

TEST_F(Sitemaps, AWorkerFetchesAtMostFourAtATime) {
  constexpr std::size_t kSites = 10, kLimit = 4;
  constexpr auto kLatency = std::chrono::milliseconds(200);
  std::vector<std::unique_ptr<TestSite>> sites;
  Flags flags = With({"--ignore-robots"});
  for (std::size_t i = 0; i < kSites; ++i) {
    sites.push_back(std::make_unique<TestSite>());
    TestPage map = Plain(UrlSet({}), "application/xml");
    map.latency = kLatency;
    sites.back()->Set("/map.xml", map);
    flags.insert(flags.end(), {"--sitemap", sites.back()->Url("/map.xml")});
  }
  ASSERT_NO_FATAL_FAILURE(Crawl({}, flags));
  std::vector<std::chrono::steady_clock::time_point> times;
  for (const auto& site : sites) {
    ASSERT_EQ(site->request_count(), 1u);
    times.push_back(site->requests()[0].time);
  }
  std::sort(times.begin(), times.end());
  for (std::size_t i = kLimit; i < kSites; ++i) EXPECT_GE(times[i] - times[i - kLimit], kLatency);
}

TEST_F(Sitemaps, AGivenSitemapIsEnoughToBeginWith) {
  TestSite site;
  SetXml(site, "/map.xml", UrlSet({site.Url("/a")}));
  site.SetHtml("/a", "<a href='/b'>b</a>");
  site.SetHtml("/b", "");
  ASSERT_NO_FATAL_FAILURE(Crawl({}, With({"--sitemap", site.Url("/map.xml")})));
  EXPECT_EQ(JobField("seeds"), "");
  EXPECT_EQ(JobField("sitemaps"), site.Url("/map.xml"));
  EXPECT_THAT(Pages(), UnorderedElementsAre(Pair(site.Url("/map.xml"), 0), Pair(site.Url("/a"), 0),
                                            Pair(site.Url("/b"), 1)));
}

TEST_F(Sitemaps, IndexesThatNestWithoutEndDoEnd) {
  TestSite site;
  for (int level = 1; level <= 5; ++level) {
    const std::string next = site.Url("/index" + std::to_string(level + 1));
    const std::string page = site.Url("/page" + std::to_string(level));
    SetXml(site, "/index" + std::to_string(level),
           "<urlset>" + Element("sitemap", next) + Element("sitemap", site.Url("/index1")) +
               Element("url", page) + "</urlset>");
    site.SetHtml("/page" + std::to_string(level), "");
  }
  ASSERT_NO_FATAL_FAILURE(Crawl({}, With({"--sitemap", site.Url("/index1")})));
  EXPECT_THAT(Pages(),
              UnorderedElementsAre(Pair(site.Url("/index1"), 0), Pair(site.Url("/index2"), 0),
                                   Pair(site.Url("/index3"), 0), Pair(site.Url("/page1"), 0),
                                   Pair(site.Url("/page2"), 0), Pair(site.Url("/page3"), 0)));
  ExpectAllEnded();
}

TEST_F(Sitemaps, ASitemapStaysOneThroughRedirectsAndFailures) {
  TestSite site;
  site.SetHtml("/", "");
  site.Set("/robots.txt", Plain("Sitemap: /moved\nSitemap: /gone\n", "text/plain"));
  site.SetRedirect("/moved", "/map.xml");
  SetXml(site, "/map.xml", UrlSet({site.Url("/listed")}));
  site.SetHtml("/listed", "");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, With({"--sitemaps"})));
  EXPECT_THAT(Pages(), UnorderedElementsAre(Pair(site.Url("/"), 0), Pair(site.Url("/map.xml"), 0),
                                            Pair(site.Url("/listed"), 0)));
  EXPECT_THAT(MarkedPages(), ElementsAre(site.Url("/map.xml")));
  for (const char* file : {"redirects.jsonl", "errors.jsonl"}) {
    const Rows rows = Read(file);
    ASSERT_EQ(rows.size(), 1u) << file;
    EXPECT_TRUE(rows[0].contains("sitemap")) << file;
  }
  ExpectAllEnded();
}

TEST_F(Sitemaps, AHostReachedLaterHasItsSitemapsAtItsDepth) {
  TestSite site, other;
  site.SetHtml("/", "<a href='" + other.Url("/") + "'>other</a>");
  other.SetHtml("/", "<a href='/listed'>listed</a>");
  other.SetHtml("/listed", "<a href='/deeper'>deeper</a>");
  other.SetHtml("/deeper", "");
  SetRobots(other, other.Url("/map.xml"));
  SetXml(other, "/map.xml", UrlSet({other.Url("/listed")}));
  ASSERT_NO_FATAL_FAILURE(
      Crawl({site.Url("/")}, With({"--sitemaps", "--scope", "any", "--depth", "2"})));
  EXPECT_THAT(Pages(),
              UnorderedElementsAre(Pair(site.Url("/"), 0), Pair(other.Url("/"), 1),
                                   Pair(other.Url("/map.xml"), 1), Pair(other.Url("/listed"), 1),
                                   Pair(other.Url("/deeper"), 2)));
}

}  // namespace
}  // namespace trawl

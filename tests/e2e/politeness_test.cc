// What the site itself sees of a polite crawl.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <vector>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

using std::chrono::milliseconds;

class Politeness : public CrawlFixture {
 protected:
  static void FillWithLeaves(TestSite& site, int leaves) {
    std::string links;
    for (int i = 0; i < leaves; ++i) {
      const std::string path = "/leaf/" + std::to_string(i);
      links += "<a href='" + path + "'>x</a>";
      site.SetHtml(path, "leaf");
    }
    site.SetHtml("/", links);
  }

  /// The least time between two requests.
  static milliseconds LeastGap(const TestSite& site) {
    std::vector<std::chrono::steady_clock::time_point> times;
    for (const TestRequest& request : site.requests()) times.push_back(request.time);
    std::sort(times.begin(), times.end());
    milliseconds least = std::chrono::hours(1);
    for (std::size_t i = 1; i < times.size(); ++i) {
      least = std::min(least, std::chrono::duration_cast<milliseconds>(times[i] - times[i - 1]));
    }
    return least;
  }

  // The site tells when the kernel had a request, however busy the machine is.
  static constexpr milliseconds kDelay{500};
  static constexpr milliseconds kJitter{5};
};

TEST_F(Politeness, KeepsTheDelayBetweenRequestsOverAllWorkers) {
  TestSite site;
  FillWithLeaves(site, 8);
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, {"--host-delay", "500"}, 3));
  EXPECT_EQ(Pages().size(), 9u);
  EXPECT_GE(LeastGap(site), kDelay - kJitter);
  EXPECT_LE(site.peak_requests(), 2u);
}

TEST_F(Politeness, KeepsTheDelayWhenAWorkerIsKilled) {
  TestSite site;
  FillWithLeaves(site, 9);
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({site.Url("/")}, {"--host-delay", "500", "--lease-timeout", "1000"}));
  Process& victim = StartWorker();
  ASSERT_TRUE(site.WaitForRequests(4));
  StartWorker();
  victim.Signal(SIGKILL);
  ASSERT_EQ(Finish(), 0);
  Export();
  EXPECT_EQ(Pages().size(), 10u);
  EXPECT_GE(LeastGap(site), kDelay - kJitter);
}

TEST_F(Politeness, HasNoMoreConnectionsThanAllowed) {
  TestSite site;
  std::string links;
  for (int i = 0; i < 100; ++i) links += "<a href='/slow/" + std::to_string(i) + "'>x</a>";
  site.SetHtml("/", links);
  site.SetFallback([](std::string_view path) {
    if (path == "/robots.txt") return TestPage{.status = 404};
    return TestPage{.body = "slow", .latency = milliseconds(20)};
  });
  ASSERT_NO_FATAL_FAILURE(
      Crawl({site.Url("/")}, {"--host-delay", "0", "--host-connections", "5"}, 3));
  EXPECT_EQ(Pages().size(), 101u);
  EXPECT_LE(site.peak_requests(), 5u);
}

TEST_F(Politeness, ObeysRobotsTxt) {
  TestSite site;
  site.Set("/robots.txt", {.content_type = "text/plain",
                           .body = "User-agent: trawl\nDisallow: /private/\nAllow: /private/ok\n"});
  site.SetHtml("/", "<a href=/private/a>a</a><a href=/private/ok>b</a><a href=/open>c</a>");
  site.SetHtml("/private/a", "a");
  site.SetHtml("/private/ok", "b");
  site.SetHtml("/open", "c");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast()));
  EXPECT_EQ(Errors(), (std::map<std::string, std::string>{{site.Url("/private/a"), "robots"}}));
  EXPECT_EQ(Pages().size(), 3u);
  EXPECT_EQ(site.request_count("/private/a"), 0u);
  EXPECT_EQ(site.request_count("/robots.txt"), 1u);
}

TEST_F(Politeness, ALongerCrawlDelayWins) {
  TestSite site;
  FillWithLeaves(site, 5);
  site.Set("/robots.txt",
           {.content_type = "text/plain", .body = "User-agent: *\nCrawl-delay: 0.5\n"});
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast(), 2));
  EXPECT_EQ(Pages().size(), 6u);
  // Both workers may ask for robots.txt; pages are what it is about.
  EXPECT_GE(LeastGap(site), kDelay - kJitter);
}

TEST_F(Politeness, TheDelayFollowsTheLatencyWhenTold) {
  constexpr milliseconds kLatency{300};
  TestSite site;
  FillWithLeaves(site, 5);
  std::string links;
  for (int i = 0; i < 5; ++i) links += "<a href='/leaf/" + std::to_string(i) + "'>x</a>";
  site.Set("/", {.body = links, .latency = kLatency});
  Flags flags = Fast();
  flags.insert(flags.end(), {"--auto-throttle", "--ignore-robots"});
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags));
  EXPECT_EQ(Pages().size(), 6u);
  EXPECT_GE(LeastGap(site), kLatency - kJitter);
}

TEST_F(Politeness, IgnoresRobotsTxtWhenTold) {
  TestSite site;
  site.Set("/robots.txt", {.content_type = "text/plain", .body = "User-agent: *\nDisallow: /\n"});
  site.SetHtml("/", "mine");
  Flags flags = Fast();
  flags.push_back("--ignore-robots");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags));
  EXPECT_EQ(Pages().size(), 1u);
  EXPECT_EQ(site.request_count("/robots.txt"), 0u);
}

TEST_F(Politeness, ReachesNoPrivateAddressThatIsNotASeeds) {
  TestSite other({.address = "127.0.0.2"});
  other.SetHtml("/", "other");
  TestSite site;
  site.SetHtml("/", "<a href='" + other.Url("/") + "'>other</a>");
  Flags flags = Fast();
  flags.insert(flags.end(), {"--scope", "any"});
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags));
  EXPECT_EQ(Errors(), (std::map<std::string, std::string>{{other.Url("/"), "address"}}));
  EXPECT_EQ(other.request_count(), 0u);
}

}  // namespace
}  // namespace trawl

// Sites with links without end: crawls of them end by themselves, and the counters say why.

#include <boost/asio/io_context.hpp>
#include <memory>
#include <stop_token>
#include <thread>

#include "tests/e2e/crawl_fixture.h"
#include "tests/support/test_dns.h"

namespace trawl {
namespace {

std::string Link(const std::string& href) { return "<a href='" + href + "'>x</a>"; }

class Traps : public CrawlFixture {
 protected:
  /// To a depth that no test reaches.
  static Flags Deep(Flags more = {}) {
    Flags flags = Fast();
    flags.insert(flags.end(), {"--depth", "100000", "--ignore-robots"});
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
};

TEST_F(Traps, ACalendarWithoutEndEndsByThePagesOfAHost) {
  TestSite site;
  site.SetFallback([](std::string_view path) -> TestPage {
    const int month = std::stoi(std::string(path.substr(path.rfind('/') + 1)));
    return {.body = Link("/calendar/" + std::to_string(month + 1)) +
                    Link("/calendar/" + std::to_string(month + 12))};
  });
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/calendar/1")}, Deep({"--max-pages-per-host", "50"})));
  EXPECT_EQ(Pages().size(), 50u);
  EXPECT_GT(Stat("dropped:pages_per_host"), 0u);
  EXPECT_EQ(JobField("state"), "finished");
}

/// Every page gives its visitor a new session, in the path.
class SessionSite : public TestSite {
 public:
  SessionSite() {
    SetFallback([visitor = std::make_shared<int>(0)](std::string_view path) -> TestPage {
      std::string body(path.substr(0, path.find(';')));
      for (const char* page : {"/a", "/b", "/c"}) {
        body += Link(std::string(page) + ";jsessionid=" + std::to_string(++*visitor));
      }
      return {.body = body};
    });
  }
};

TEST_F(Traps, SessionIdsInPathsAreStripped) {
  SessionSite site;
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Deep({"--strip-params"})));
  EXPECT_EQ(
      Pages(),
      (std::map<std::string, int>{
          {site.Url("/"), 0}, {site.Url("/a"), 1}, {site.Url("/b"), 1}, {site.Url("/c"), 1}}));
}

TEST_F(Traps, SessionIdsInPathsEndByThePagesOfAHost) {
  SessionSite site;
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Deep({"--max-pages-per-host", "40"})));
  EXPECT_EQ(Pages().size(), 40u);
  EXPECT_GT(Stat("dropped:pages_per_host"), 0u);
}

/// A page for every set of parameters, whatever their order, with links that add one.
class WikiSite : public TestSite {
 public:
  WikiSite() {
    SetFallback([](std::string_view target) -> TestPage {
      const std::string given(
          target.find('?') == target.npos ? "" : target.substr(target.find('?') + 1));
      std::string body = given;
      for (const char* name : {"action", "title", "old"}) {
        if (given.find(name) == given.npos) {
          body += Link("/?" + given + (given.empty() ? "" : "&") + name + "=1");
        }
      }
      // And one that goes on for ever.
      body += Link("/?" + given + (given.empty() ? "" : "&") + "from=1");
      return {.body = body};
    });
  }
};

TEST_F(Traps, AWikiWithEveryOrderOfParametersHasFewPagesWhenTheyAreSorted) {
  WikiSite site;
  ASSERT_NO_FATAL_FAILURE(
      Crawl({site.Url("/")}, Deep({"--sort-query", "--max-query-params", "4"})));
  // Of three parameters each is there or not, and up to four in all, the rest of them `from`.
  EXPECT_EQ(Pages().size(), 5u + 3u * 4u + 3u * 3u + 1u * 2u);
  EXPECT_GT(Stat("dropped:query_params"), 0u);
}

TEST_F(Traps, AWikiWithEveryOrderOfParametersEndsByTheirNumber) {
  WikiSite site;
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Deep({"--max-query-params", "4"})));
  // Every order of every set of three that differ, with `from` in between.
  EXPECT_GT(Pages().size(), 28u);
  EXPECT_GT(Stat("dropped:query_params"), 0u);
  EXPECT_EQ(JobField("state"), "finished");
}

TEST_F(Traps, APathThatRepeatsItselfIsNotFollowed) {
  TestSite site;
  site.SetFallback(
      [](std::string_view path) -> TestPage { return {.body = std::string(path) + Link("a/b/")}; });
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Deep()));
  EXPECT_EQ(Pages(), (std::map<std::string, int>{
                         {site.Url("/"), 0}, {site.Url("/a/b/"), 1}, {site.Url("/a/b/a/b/"), 2}}));
  EXPECT_EQ(Stat("dropped:repeated_segments"), 1u);
}

TEST_F(Traps, TheSameBodyUnderEverNewUrlsLeadsNoFurther) {
  TestSite site;
  site.SetFallback([](std::string_view) -> TestPage { return {.body = Link("a/b/")}; });
  ASSERT_NO_FATAL_FAILURE(Crawl(
      {site.Url("/")},
      Deep({"--max-repeated-segments", "0", "--max-path-segments", "0", "--max-same-body", "10"})));
  EXPECT_EQ(Pages().size(), 11u);
  EXPECT_EQ(Stat("dropped:same_body"), 1u);
}

TEST_F(Traps, AUrlThatGrowsWithoutEndEndsByItsLength) {
  TestSite site;
  site.SetFallback([](std::string_view path) -> TestPage {
    return {.body = std::string(path) + Link(std::string(path) + std::string(200, 'x'))};
  });
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Deep()));
  EXPECT_EQ(Pages().size(), (2083 - site.Url("/").size()) / 200 + 1);
  EXPECT_EQ(Stat("dropped:url_length"), 1u);
}

/// All names under wild.test lead to one site, each of whose hosts links to two new ones.
TEST_F(Traps, AHostWithWildcardNamesEndsByTheHostsOfItsDomain) {
  boost::asio::io_context io{1};
  TestDns dns(io);
  for (int i = 0; i < 500; ++i) {
    dns.names["h" + std::to_string(i) + ".wild.test"].addresses = {"127.0.0.1"};
  }
  std::jthread serving([&io](const std::stop_token& stop) {
    const std::stop_callback end(stop, [&io] { io.stop(); });
    io.run();
  });
  TestSite site;
  const std::string port = ":" + std::to_string(site.port());
  const auto url_of = [&](int host) {
    return "http://h" + std::to_string(host) + ".wild.test" + port + "/";
  };
  site.SetFallback([&, last = std::make_shared<int>(0)](std::string_view) -> TestPage {
    const int first = *last + 1;
    *last += 2;
    return {.body = Link(url_of(first)) + Link(url_of(*last))};
  });
  const Flags flags =
      Deep({"--scope", "domain", "--allow-private", "--max-hosts-per-domain", "20"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({url_of(0)}, flags));
  StartWorker({"--dns", dns.address()});
  EXPECT_EQ(Finish(), 0);
  Export();
  EXPECT_LE(Pages().size(), 21u);
  EXPECT_GE(Pages().size(), 20u);
  EXPECT_GT(Stat("dropped:hosts_per_domain"), 0u);
  EXPECT_TRUE(Errors().empty());
}

}  // namespace
}  // namespace trawl

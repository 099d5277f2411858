// Whatever a site does, the crawl ends, with a clear row for each URL.

#include <boost/asio.hpp>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

class Faults : public CrawlFixture {
 protected:
  using Reasons = std::map<std::string, std::string>;  // path -> reason; "": a page

  /// Crawls a page that links to all these, and expects a row each as told.
  void ExpectRows(TestSite& site, const Reasons& reasons, const Flags& more) {
    std::string links;
    for (const auto& [path, reason] : reasons) links += "<a href='" + path + "'>x</a>";
    site.SetHtml("/", links);
    Flags flags = Fast();
    flags.insert(flags.end(), {"--depth", "1"});
    flags.insert(flags.end(), more.begin(), more.end());
    ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags, 2));
    const auto pages = Pages();
    const auto errors = Errors();
    for (const auto& [path, reason] : reasons) {
      const std::string url = site.Url(path);
      if (reason.empty()) {
        EXPECT_TRUE(pages.contains(url)) << path;
      } else {
        EXPECT_EQ(errors.contains(url) ? errors.at(url) : "no row", reason) << path;
      }
    }
    EXPECT_EQ(pages.size() + errors.size(), reasons.size() + 1);
  }

  static TestPage LargePage(std::uint64_t megabytes) {
    return {.generator = [megabytes](std::uint64_t piece) {
      return piece < megabytes ? std::string(1'000'000, ' ') : std::string();
    }};
  }
};

/// A port on which nobody listens.
std::uint16_t FreePort() {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::make_address_v4("127.0.0.1"), 0});
  return acceptor.local_endpoint().port();
}

TEST_F(Faults, EndInARowEach) {
  using Fault = TestPage::Fault;
  TestSite site;
  site.Set("/empty", {});
  site.Set("/error", {.status = 500, .body = "oops"});
  site.Set("/reset", {.fault = Fault::kResetBeforeHead});
  site.Set("/cut", {.body = std::string(1'000, 'x'), .fault = Fault::kCloseInBody});
  site.Set("/picture", {.content_type = "image/png", .body = "png"});
  site.Set("/rubbish", {.raw = "this is not HTTP\r\n\r\n"});
  site.Set("/itself", {.body = "<a href='/itself'>me</a>"});
  ExpectRows(site,
             {{"/empty", ""},
              {"/error", "http_status"},
              {"/reset", "reset"},
              {"/cut", "truncated"},
              {"/picture", "content_type"},
              {"/rubbish", "malformed"},
              {"/itself", ""}},
             {});
}

TEST_F(Faults, ASlowAnswerEndsAtItsDeadline) {
  using Fault = TestPage::Fault;
  TestSite site;
  site.Set("/no-answer", {.fault = Fault::kSilent});
  site.Set("/drip", {.body = std::string(10'000, 'x'), .fault = Fault::kSlowDrip});
  site.Set("/late", {.latency = std::chrono::hours(1)});
  ExpectRows(site, {{"/no-answer", "timeout"}, {"/drip", "timeout"}, {"/late", "timeout"}},
             {"--fetch-timeout", "2000"});
}

TEST_F(Faults, ALargeBodyIsReadAndALongerOneGivenUp) {
  TestSite site;
  site.Set("/large", LargePage(50));
  site.Set("/larger", LargePage(61));
  site.Set("/endless", {.body = std::string(100'000, 'x'), .fault = TestPage::Fault::kEndlessBody});
  ExpectRows(site, {{"/large", ""}, {"/larger", "too_large"}, {"/endless", "too_large"}},
             {"--max-body-bytes", "60000000"});
  for (const boost::json::object& row : Read("pages.jsonl")) {
    if (Text(row, "url") == site.Url("/large")) {
      EXPECT_EQ(row.at("bytes"), 50'000'000);
    }
  }
}

std::string ManyLinks(int links) {
  std::string many;
  for (int i = 0; i < links; ++i) many += "<a href='/many/" + std::to_string(i) + "'>x</a>\n";
  return many;
}

TEST_F(Faults, AHundredThousandLinksAreCounted) {
  TestSite site;
  site.SetHtml("/", ManyLinks(100'000));
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, {"--depth", "0"}));
  EXPECT_EQ(Read("pages.jsonl").at(0).at("links"), 100'000);
  EXPECT_EQ(Stat("links"), 100'000u);
}

TEST_F(Faults, LinksThatNeedSeveralReportsAreAllFollowed) {
  TestSite site;
  constexpr int kLinks = 10'000;
  site.SetHtml("/", ManyLinks(kLinks));
  site.SetFallback([](std::string_view) { return TestPage{.status = 404}; });
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast(), 2));
  EXPECT_EQ(Errors().size(), static_cast<std::size_t>(kLinks));
}

TEST_F(Faults, AnUnreachableSeedFinishesTheCrawl) {
  const std::string seed = "http://127.0.0.1:" + std::to_string(FreePort()) + "/";
  ASSERT_NO_FATAL_FAILURE(Crawl({seed}, Fast()));
  EXPECT_EQ(Errors(), (std::map<std::string, std::string>{{seed, "connect"}}));
  EXPECT_TRUE(Pages().empty());
}

TEST_F(Faults, AnUnknownHostFinishesTheCrawl) {
  ASSERT_NO_FATAL_FAILURE(Crawl({"http://no-such-host.invalid/"}, Fast()));
  const auto errors = Errors();
  ASSERT_EQ(errors.size(), 1u);
  // Without any name server the lookup may time out instead.
  EXPECT_TRUE(errors.begin()->second == "dns" || errors.begin()->second == "timeout");
}

TEST_F(Faults, ASiteThatAnswers500ToEverythingIsNotCrawled) {
  TestSite site;
  site.SetFallback([](std::string_view) { return TestPage{.status = 500}; });
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast()));
  EXPECT_EQ(Errors(), (std::map<std::string, std::string>{{site.Url("/"), "robots"}}));
}

TEST_F(Faults, RedirectsInACircleEnd) {
  TestSite site;
  site.SetRedirect("/a", "/b");
  site.SetRedirect("/b", "/c");
  site.SetRedirect("/c", "/a");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/a")}, Fast()));
  EXPECT_EQ(Redirects(), (std::map<std::string, std::string>{{site.Url("/a"), "admitted"},
                                                             {site.Url("/b"), "admitted"},
                                                             {site.Url("/c"), "seen"}}));
}

TEST_F(Faults, RedirectsWithoutEndAreGivenUpAfterTen) {
  TestSite site;
  site.SetFallback([](std::string_view path) {
    if (path == "/robots.txt") return TestPage{.status = 404};
    return TestPage{.status = 302, .headers = {{"Location", std::string(path) + "x"}}};
  });
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/r")}, Fast()));
  const auto redirects = Redirects();
  ASSERT_EQ(redirects.size(), 11u);
  EXPECT_EQ(redirects.rbegin()->second, "too_many");
}

TEST_F(Faults, RedirectTargetsAreJudged) {
  TestSite site;
  site.SetHtml("/", "<a href=/out>x</a><a href=/file>x</a><a href=/bad>x</a>");
  site.SetRedirect("/out", "http://other.invalid/");
  site.SetRedirect("/file", "file:///etc/passwd");
  site.SetRedirect("/bad", "http://[::1/");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast()));
  EXPECT_EQ(Redirects(), (std::map<std::string, std::string>{{site.Url("/out"), "scope"},
                                                             {site.Url("/file"), "malformed"},
                                                             {site.Url("/bad"), "malformed"}}));
}

TEST_F(Faults, RubbishAtTheCoordinatorsPortHarmsNobody) {
  TestSite site;
  std::string links;
  for (int i = 0; i < 50; ++i) links += "<a href='/p" + std::to_string(i) + "'>x</a>";
  site.SetHtml("/", links);
  site.SetFallback([](std::string_view path) {
    return TestPage{.status = path == "/robots.txt" ? 404 : 200,
                    .latency = std::chrono::milliseconds(10)};
  });
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, Fast()));
  const std::string port = endpoint().substr(endpoint().rfind(':') + 1);
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect(
      {boost::asio::ip::make_address_v4("127.0.0.1"), static_cast<std::uint16_t>(std::stoi(port))});
  boost::system::error_code refused;  // when it happens before all is written
  boost::asio::write(
      socket,
      boost::asio::buffer("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(100'000, '\xff')),
      refused);
  StartWorker();
  ASSERT_EQ(Finish(), 0);
  Export();
  EXPECT_EQ(Pages().size(), 51u);
}

TEST_F(Faults, AWorkerDoesNotGrowWithTheBodies) {
  TestSite site;
  std::string links;
  for (int i = 0; i < 8; ++i) {
    const std::string path = "/large/" + std::to_string(i);
    links += "<a href='" + path + "'>x</a>";
    site.Set(path, LargePage(50));
  }
  site.SetHtml("/", links);
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, Fast()));
  Process& worker = StartWorker();
  ASSERT_EQ(coordinator().Wait(), 0);
  ASSERT_EQ(worker.Wait(), 0);
  Export();
  EXPECT_EQ(Pages().size(), 9u);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Eight bodies of 50 MB at once; none is kept.
  EXPECT_LT(worker.peak_bytes(), 200'000'000u);
#endif
}

}  // namespace
}  // namespace trawl

// robots.txt over several workers, restarts and failures, as the sites see it.

#include <atomic>
#include <csignal>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

class RobotsTxt : public CrawlFixture {
 protected:
  static constexpr int kLeaves = 40;

  /// A page with links to many others, of which those under /private/ are forbidden; a little slow,
  /// so that there is something to do for every worker.
  static void Fill(TestSite& site) {
    std::string links = "<a href=/private/x>x</a>";
    for (int i = 0; i < kLeaves; ++i) links += "<a href=/leaf/" + std::to_string(i) + ">x</a>";
    site.SetHtml("/", links);
    site.SetFallback([](std::string_view) {
      return TestPage{.body = "leaf", .latency = std::chrono::milliseconds(50)};
    });
    site.Set("/robots.txt", Rules());
  }
  static TestPage Rules() {
    return {.content_type = "text/plain", .body = "User-agent: *\nDisallow: /private/\n"};
  }
  /// `failures` times 503 for its robots.txt, then the rules.
  static void FailAtFirst(TestSite& site, int failures) {
    Fill(site);
    site.Remove("/robots.txt");
    site.SetFallback([failures, tries = std::make_shared<std::atomic<int>>(0)](
                         std::string_view path) -> TestPage {
      if (path != "/robots.txt") return {.body = "leaf"};
      if (++*tries > failures) return Rules();
      return {.status = 503};
    });
  }
  void ExpectAllPages(const std::vector<TestSite*>& sites) const {
    EXPECT_EQ(Pages().size(), sites.size() * (kLeaves + 1));
    const auto errors = Errors();
    EXPECT_EQ(errors.size(), sites.size());
    for (const TestSite* site : sites) {
      EXPECT_EQ(errors.at(site->Url("/private/x")), "robots");
      EXPECT_EQ(site->request_count("/private/x"), 0u);
    }
  }
};

TEST_F(RobotsTxt, IsFetchedOnceForEachOriginByManyWorkersAndAfterARestart) {
  TestSite one, two({.address = "127.0.0.2"}), three({.address = "127.0.0.3"});
  const std::vector<TestSite*> sites = {&one, &two, &three};
  std::vector<std::string> seeds;
  for (TestSite* site : sites) {
    Fill(*site);
    seeds.push_back(site->Url("/"));
  }
  const Flags slow = {"--host-delay", "0", "--host-connections", "2"};  // it takes a second
  Flags flags = slow;
  ASSERT_NO_FATAL_FAILURE(StartCoordinator(seeds, flags));
  for (int worker = 0; worker < 4; ++worker) StartWorker();
  ASSERT_TRUE(one.WaitForRequests(5) && two.WaitForRequests(5) && three.WaitForRequests(5));
  SetControl("stop");
  ASSERT_EQ(Finish(), 0);
  EXPECT_EQ(JobField("state"), "stopped");

  flags.push_back("--resume");
  ASSERT_NO_FATAL_FAILURE(Crawl(seeds, flags, 4));
  ExpectAllPages(sites);
  for (const TestSite* site : sites) EXPECT_EQ(site->request_count("/robots.txt"), 1u);
}

TEST_F(RobotsTxt, ThatFailsAtFirstIsAskedForAgainAndTheSiteCrawledWhole) {
  TestSite site;
  FailAtFirst(site, 3);
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast(), 4));
  ExpectAllPages({&site});
  EXPECT_EQ(site.request_count("/robots.txt"), 4u);
  EXPECT_EQ(site.requests()[3].path, "/robots.txt") << "nothing else is asked for before";
}

TEST_F(RobotsTxt, ThatNeverComesGivesItsHostUpAndNoOther) {
  TestSite bad, good({.address = "127.0.0.2"});
  FailAtFirst(bad, 1'000);
  Fill(good);
  const std::vector<std::string> seeds = {bad.Url("/"), bad.Url("/other"), good.Url("/")};
  ASSERT_NO_FATAL_FAILURE(Crawl(seeds, Fast(), 2));
  EXPECT_EQ(Pages().size(), std::size_t{kLeaves + 1});
  EXPECT_EQ(Errors(), (std::map<std::string, std::string>{{bad.Url("/"), "robots"},
                                                          {bad.Url("/other"), "robots"},
                                                          {good.Url("/private/x"), "robots"}}));
  EXPECT_EQ(bad.request_count(), 4u);
  for (const boost::json::object& row : Read("errors.jsonl")) {
    if (Text(row, "url") != bad.Url("/")) continue;
    EXPECT_EQ(Text(row, "detail"), "robots.txt answered with HTTP status 503 (4 tries)");
  }
}

TEST_F(RobotsTxt, IsNotAskedForAgainBeforeItsTimeAfterARestart) {
  TestSite site;
  FailAtFirst(site, 1);
  Flags flags = Fast();
  flags.insert(flags.end(), {"--robots-retry-delay", "5000"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, flags));
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(1));
  ASSERT_TRUE(WaitUntil([&] {
    return redis().Run({"EXISTS", "trawl:{e2e}:robots:" + site.origin()}).at(0) == "1";
  }));
  SetControl("stop");
  ASSERT_EQ(Finish(), 0);
  ASSERT_EQ(site.request_count(), 1u) << "its time had not come before the restart";
  flags.push_back("--resume");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags, 2));
  ExpectAllPages({&site});
  ASSERT_EQ(site.request_count("/robots.txt"), 2u);
  EXPECT_GE(site.requests()[1].time - site.requests()[0].time, std::chrono::milliseconds(4'900));
}

TEST_F(RobotsTxt, IsReportedToTheNextCoordinatorWhenTheFirstWasKilledMeanwhile) {
  TestSite site;
  Fill(site);
  TestPage slow = Rules();
  slow.latency = std::chrono::milliseconds(1'500);
  site.Set("/robots.txt", slow);
  Flags flags = Fast();
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, flags));
  const std::string first_endpoint = endpoint();
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(1));
  coordinator().Signal(SIGKILL);
  ASSERT_TRUE(coordinator().Wait());
  flags.insert(flags.end(), {"--resume", "--listen", first_endpoint});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, flags));
  ASSERT_EQ(Finish(), 0);
  Export();
  ExpectAllPages({&site});
  EXPECT_EQ(site.request_count("/robots.txt"), 1u);
}

TEST_F(RobotsTxt, IsFetchedByAnotherWorkerWhenTheFirstIsKilledMeanwhile) {
  TestSite site;
  Fill(site);
  TestPage silent;
  silent.fault = TestPage::Fault::kSilent;
  site.Set("/robots.txt", silent);
  Flags flags = Fast();
  flags.insert(flags.end(), {"--lease-timeout", "4000"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, flags));
  Process& victim = StartWorker();
  ASSERT_TRUE(site.WaitForRequests(1));
  site.Set("/robots.txt", Rules());
  StartWorker();
  victim.Signal(SIGKILL);
  ASSERT_EQ(Finish(), 0);
  Export();
  ExpectAllPages({&site});
  EXPECT_EQ(site.request_count("/robots.txt"), 2u);
}

TEST_F(RobotsTxt, MayBeFoundOnAnotherHost) {
  TestSite other({.address = "127.0.0.2"});
  other.Set("/rules", Rules());
  TestSite site;
  Fill(site);
  site.SetRedirect("/robots.txt", other.Url("/rules"));
  Flags flags = Fast();
  flags.push_back("--allow-private");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags, 2));
  ExpectAllPages({&site});
  EXPECT_EQ(other.request_count(), 1u);
}

}  // namespace
}  // namespace trawl

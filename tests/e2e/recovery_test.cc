// Crawls whose processes are killed, stalled or stopped end as those that are left alone.

#include <algorithm>
#include <csignal>
#include <optional>
#include <thread>

#include "tests/e2e/crawl_fixture.h"
#include "tests/e2e/generated_site.h"

namespace trawl {
namespace {

class Recovery : public CrawlFixture {
 protected:
  Recovery() : CrawlFixture(RedisServer::Log::kAppendOnlyFile) {}

  void Control(const std::string& word) {
    Process script({TRAWL_DEPLOY_DIR "/control.sh", word, "--redis", redis().url()},
                   LogPath("control"));
    EXPECT_EQ(script.Wait(), 0) << script.err();
  }
};

TEST_F(Recovery, LosesNothingWhenAWorkerIsKilled) {
  TestSite site;
  FillSlowSite(site, 1'000);
  const std::string seed = site.Url("/s/0");
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({seed}, With(Fast(), {"--depth", "100", "--lease-timeout", "1000"})));
  Process& victim = StartWorker();
  for (int others = 0; others < 3; ++others) StartWorker();
  ASSERT_TRUE(site.WaitForRequests(300));
  victim.Signal(SIGKILL);
  ASSERT_EQ(Finish(), 0);
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
}

TEST_F(Recovery, GoesOnAfterTheCoordinatorWasKilled) {
  TestSite site;
  FillSlowSite(site, 600);
  const std::string seed = site.Url("/s/0");
  const Flags flags = With(Fast(), {"--depth", "100", "--lease-timeout", "1000"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({seed}, flags));
  const std::string first_endpoint = endpoint();
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(200));
  coordinator().Signal(SIGKILL);
  ASSERT_TRUE(coordinator().Wait());
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({seed}, With(flags, {"--resume", "--listen", first_endpoint})));
  ASSERT_EQ(Finish(), 0);
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
}

TEST_F(Recovery, IsStoppedByASignalAndResumed) {
  TestSite site;
  FillSlowSite(site, 600);
  const std::string seed = site.Url("/s/0");
  const Flags flags = With(Fast(), {"--depth", "100"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({seed}, flags));
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(200));
  coordinator().Signal(SIGTERM);
  ASSERT_EQ(Finish(), 0);
  EXPECT_EQ(JobField("state"), "stopped");
  EXPECT_GT(Stat("admitted"), Stat("fetched") + Stat("redirected") + Stat("failed"));

  ASSERT_NO_FATAL_FAILURE(StartCoordinator({seed}, With(flags, {"--resume"})));
  StartWorker();
  ASSERT_EQ(Finish(), 0);
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
}

TEST_F(Recovery, IsPausedResumedAndStoppedByAScript) {
  TestSite site;
  FillSlowSite(site, 2'000);
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/s/0")}, With(Fast(), {"--depth", "100"})));
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(50));
  Control("pause");
  EXPECT_EQ(JobField("state"), "paused");
  ASSERT_TRUE(WaitUntil([&] { return Stat("leased") == 0; }));
  const std::size_t before = site.request_count();
  EXPECT_GT(Stat("admitted"), Stat("fetched"));
  Control("resume");
  EXPECT_EQ(JobField("state"), "running");
  ASSERT_TRUE(site.WaitForRequests(before + 20));
  Control("stop");
  ASSERT_EQ(Finish(), 0);
  EXPECT_EQ(JobField("state"), "stopped");

  // The word has had its effect: the job can be gone on with.
  const std::size_t requests = site.request_count();
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({site.Url("/s/0")}, With(Fast(), {"--depth", "100", "--resume"})));
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(requests + 20));
  coordinator().Signal(SIGTERM);
  ASSERT_EQ(Finish(), 0);
}

TEST_F(Recovery, RefusesWhatAWorkerReportsThatWasAwayForTooLong) {
  TestSite site;
  FillSlowSite(site, 600);
  const std::string seed = site.Url("/s/0");
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({seed}, With(Fast(), {"--depth", "100", "--lease-timeout", "1000"})));
  Process& away = StartWorker();
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(200));
  away.Signal(SIGSTOP);
  ASSERT_TRUE(WaitUntil([&] { return Stat("leases_expired") > 0; }));
  away.Signal(SIGCONT);
  ASSERT_EQ(Finish(), 0) << coordinator().err();
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
}

TEST_F(Recovery, AWorkerWaitsForASlowCoordinator) {
  TestSite site;
  FillSlowSite(site, 600);
  const std::string seed = site.Url("/s/0");
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({seed}, With(Fast(), {"--depth", "100", "--lease-timeout", "2000"})));
  for (int workers = 0; workers < 2; ++workers) StartWorker();
  // It gets a tenth of the time.
  while (coordinator().running()) {
    coordinator().Signal(SIGSTOP);
    std::this_thread::sleep_for(std::chrono::milliseconds(90));
    coordinator().Signal(SIGCONT);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_EQ(Finish(), 0) << coordinator().err();
  EXPECT_EQ(Stat("leases_expired"), 0u) << "nobody was lost";
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
}

TEST_F(Recovery, GivesUpThePageThatTakesWorkersDownAndNoOther) {
  TestSite site;
  FillSlowSite(site, 300);
  site.SetHtml("/s/77", "take this worker down");
  ASSERT_NO_FATAL_FAILURE(StartCoordinator(
      {site.Url("/s/0")}, With(Fast(), {"--depth", "100", "--lease-timeout", "1000"})));
  int workers = 0;
  for (std::optional<int> code; code != 0; ++workers) {
    ASSERT_LT(workers, 10);
    code = StartWorker({}, "heading-worker").Wait();
  }
  EXPECT_EQ(coordinator().Wait(), 0) << coordinator().err();
  EXPECT_EQ(workers, 4);
  Export();
  EXPECT_EQ(Errors(), (std::map<std::string, std::string>{{site.Url("/s/77"), "worker_lost"},
                                                          {site.Url("/s/300"), "http_status"}}));
  EXPECT_EQ(Pages().size(), 299u);
  ExpectConsistentCounters();
}

TEST_F(Recovery, GoesOnWhenRedisIsKilledAndStartedAgain) {
  TestSite site;
  FillSlowSite(site, 1'000);
  const std::string seed = site.Url("/s/0");
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({seed}, With(Fast(), {"--depth", "100", "--lease-timeout", "1000"})));
  for (int workers = 0; workers < 2; ++workers) StartWorker();
  for (std::size_t kills = 1; kills <= 3; ++kills) {
    ASSERT_TRUE(site.WaitForRequests(200 * kills));
    redis().Kill();
    ASSERT_TRUE(WaitUntil([&] { return TimesTold("lost Redis") == kills; }));
    redis().Start();
    ASSERT_TRUE(WaitUntil([&] { return TimesTold("Redis is back") == kills; }));
  }
  ASSERT_EQ(Finish(), 0) << coordinator().err();
  EXPECT_EQ(TimesTold("Redis is back"), 3u);
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
}

TEST_F(Recovery, WaitsForARedisThatDoesNotAnswer) {
  TestSite site;
  FillSlowSite(site, 500);
  const std::string seed = site.Url("/s/0");
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({seed}, With(Fast(), {"--depth", "100", "--lease-timeout", "1000"})));
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(100));
  redis().Signal(SIGSTOP);
  ASSERT_TRUE(WaitUntil([&] { return TimesTold("Redis does not answer") == 1; }));
  redis().Signal(SIGCONT);
  ASSERT_EQ(Finish(), 0) << coordinator().err();
  EXPECT_EQ(TimesTold("Redis answers again"), 1u);
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
  EXPECT_EQ(Stat("leases_expired"), 0u) << "the worker was there all the time";
}

TEST_F(Recovery, WaitsForARedisThatHasNoMemoryLeft) {
  TestSite site;
  FillSlowSite(site, 500);
  const std::string seed = site.Url("/s/0");
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({seed}, With(Fast(), {"--depth", "100"})));
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(100));
  redis().Run({"CONFIG", "SET", "maxmemory", "1"});
  ASSERT_TRUE(WaitUntil([&] { return TimesTold("lost Redis") == 1; }));
  EXPECT_EQ(TimesTold("OOM"), 1u);
  redis().Run({"CONFIG", "SET", "maxmemory", "0"});
  ASSERT_EQ(Finish(), 0) << coordinator().err();
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
}

TEST_F(Recovery, IsStoppedWhileRedisIsAwayAndResumed) {
  TestSite site;
  FillSlowSite(site, 500);
  const std::string seed = site.Url("/s/0");
  const Flags flags = With(Fast(), {"--depth", "100", "--lease-timeout", "1000"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({seed}, flags));
  const std::string first_endpoint = endpoint();
  StartWorker();
  ASSERT_TRUE(site.WaitForRequests(100));
  redis().Kill();
  ASSERT_TRUE(WaitUntil([&] { return TimesTold("lost Redis") == 1; }));
  coordinator().Signal(SIGTERM);
  ASSERT_EQ(coordinator().Wait(), 1);
  EXPECT_EQ(TimesTold("--resume goes on"), 1u) << coordinator().err();

  // Started again, it may be there sooner than Redis.
  Process::Command command = {Program("trawl-coordinator"),
                              "--quiet",
                              "--resume",
                              "--job",
                              "e2e",
                              "--redis",
                              redis().url(),
                              "--out",
                              folder().string(),
                              "--listen",
                              first_endpoint,
                              seed};
  command.insert(command.end(), flags.begin(), flags.end());
  Process next(std::move(command), LogPath("coordinator"));
  ASSERT_TRUE(WaitUntil([&] { return next.err().find("no Redis yet") != std::string::npos; }));
  redis().Start();
  ASSERT_EQ(next.Wait(), 0) << next.err();
  ASSERT_EQ(Finish(), 1) << "of the first one";
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  ExpectConsistentCounters();
}

TEST_F(Recovery, GoesOnWithOtherLimits) {
  TestSite site;
  FillSite(site, 300, 3);
  const std::string seed = site.Url("/index.html");
  ASSERT_NO_FATAL_FAILURE(Crawl({seed}, With(Fast(), {"--depth", "1"})));
  ExpectWhatTheOracleFinds({seed}, 1);
  ExpectConsistentCounters();
  const std::size_t few = Pages().size();
  const std::string pages = std::to_string(few + 20);
  ASSERT_NO_FATAL_FAILURE(
      Crawl({seed}, With(Fast(), {"--resume", "--depth", "50", "--max-pages", pages}), 2));
  EXPECT_EQ(Pages().size(), few + 20);
  EXPECT_EQ(JobField("state"), "stopped");
  ASSERT_NO_FATAL_FAILURE(Crawl({seed}, With(Fast(), {"--resume", "--depth", "50"}), 2));
  ExpectWhatTheOracleFinds({seed}, 50);
  ExpectConsistentCounters();
  EXPECT_NE(JobField("options").find("\"depth\":50"), std::string::npos);
}

TEST_F(Recovery, RefusesToGoOnUnderOtherRules) {
  TestSite site;
  FillSite(site, 50, 3);
  const std::string seed = site.Url("/index.html");
  ASSERT_NO_FATAL_FAILURE(Crawl({seed}, With(Fast(), {"--depth", "1"})));
  for (const auto& [flags, words] : std::vector<std::pair<Flags, std::string>>{
           {{"--scope", "any"}, "--scope was \"host\", now \"any\""},
           {{"--exclude", "zzz", "--sort-query"}, "--exclude was [], now [\"zzz\"]; --sort-query"},
           {{"http://other.invalid/"}, "the places of the URLs given was"}}) {
    Process::Command command = {Program("trawl-coordinator"),
                                "--job",
                                "e2e",
                                "--resume",
                                "--redis",
                                redis().url(),
                                "--out",
                                folder().string(),
                                seed};
    command.insert(command.end(), flags.begin(), flags.end());
    Process refused(std::move(command), LogPath("refused"));
    EXPECT_EQ(refused.Wait(), 2);
    const std::string told = refused.err();
    EXPECT_NE(told.find(words), std::string::npos) << told;
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1);
  }
}

TEST_F(Recovery, EndsWhenRedisComesBackWithoutTheJob) {
  TestSite site;
  FillSlowSite(site, 500);
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/s/0")}, With(Fast(), {"--depth", "100"})));
  redis().Kill();
  redis().Forget();
  redis().Start();
  EXPECT_EQ(coordinator().Wait(), 1);
  EXPECT_EQ(TimesTold("Redis is back, but without the job"), 1u) << coordinator().err();
}

}  // namespace
}  // namespace trawl

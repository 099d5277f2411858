// Crawls whose results have no room wait for it, and end as those that always had some.

#include <optional>

#include "tests/e2e/crawl_fixture.h"
#include "tests/e2e/generated_site.h"

namespace trawl {
namespace {

class FullDisk : public CrawlFixture {
 protected:
  FullDisk() : CrawlFixture(RedisServer::Log::kAppendOnlyFile) {}

  void SetUp() override {
    std::filesystem::create_directory(disk_);
    Process trial(Unshared(mount_), LogPath("trial"));
    if (trial.Wait() != 0) GTEST_SKIP() << "no disk can be mounted here: " << trial.err();
  }

  /// Crawls in a mount namespace of its own, with a small disk that is almost full, and copies the
  /// results to folder() in the end.
  void StartCrawl(const std::string& seed, const std::string& flags) {
    const std::string disk = disk_.string();
    const std::string script = mount_ + " && head -c 3960k /dev/zero >'" + disk +
                               "/ballast'; " TRAWL_DEPLOY_DIR "/crawl.sh " + seed + " " + flags +
                               " --out '" + disk + "/out' --redis " + redis().url() +
                               " --job e2e --workers 1 --lease-timeout 1000 --host-delay 0 "
                               "--host-connections 64 --quiet && cp '" +
                               disk + "'/out/*.jsonl '" + folder().string() + "'";
    crawl_.emplace(Unshared(script), LogPath("crawl"));
  }

  Process& crawl() { return *crawl_; }

  bool MakeRoom() {
    return std::filesystem::remove("/proc/" + std::to_string(crawl_->pid()) + "/root" +
                                   (disk_ / "ballast").string());
  }

  /// Waits until the crawl has said this so often.
  bool WaitUntilTold(const std::string& words, std::size_t times) {
    return WaitUntil([&] { return !crawl_->running() || Told(words) >= times; }) &&
           Told(words) == times;
  }

  std::size_t Told(const std::string& words) const {
    const std::string text = crawl_->err();
    std::size_t times = 0;
    for (std::size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++times;
    return times;
  }

 private:
  static Process::Command Unshared(const std::string& script) {
    return {"/usr/bin/env", "TRAWL_BIN=" TRAWL_BIN_DIR, "/usr/bin/unshare", "-rm", "/bin/sh", "-c",
            script};
  }

  const std::filesystem::path disk_ = folder() / "disk";
  const std::string mount_ = "mount -t tmpfs -o size=4m tmpfs '" + disk_.string() + "'";
  std::optional<Process> crawl_;
};

TEST_F(FullDisk, KeepsThePagesWaiting) {
  TestSite site;
  FillSlowSite(site, 600);
  StartCrawl(site.Url("/s/0"), "--depth 100");
  ASSERT_TRUE(WaitUntilTold("waiting for room", 1)) << crawl().err();
  EXPECT_LT(Stat("fetched"), 600u);
  EXPECT_EQ(JobField("state"), "running");
  ASSERT_TRUE(MakeRoom());
  ASSERT_EQ(crawl().Wait(), 0) << crawl().err();
  EXPECT_EQ(Told("are written to"), 1u) << crawl().err();
  EXPECT_EQ(Told("started again"), 0u) << crawl().err();
  ExpectWhatTheOracleFinds({site.Url("/s/0")}, 100);
  ExpectConsistentCounters();
}

TEST_F(FullDisk, KeepsTheOutboxWaitingWhileRedisComesAndGoes) {
  // Failures are the outbox's rows: the worker writes the seed's row alone.
  TestSite site;
  std::string links;
  for (int i = 0; i < 2'000; ++i) links += "<a href='/missing/" + std::to_string(i) + "'>x</a>";
  site.SetHtml("/", links);
  StartCrawl(site.Url("/"), "--depth 1");
  ASSERT_TRUE(WaitUntilTold("waiting for room", 1)) << crawl().err();
  redis().Kill();
  ASSERT_TRUE(WaitUntilTold("lost Redis", 1)) << crawl().err();
  redis().Start();
  ASSERT_TRUE(WaitUntilTold("waiting for room", 2)) << crawl().err();
  ASSERT_TRUE(MakeRoom());
  ASSERT_EQ(crawl().Wait(), 0) << crawl().err();
  EXPECT_EQ(Told("started again"), 0u) << crawl().err();
  EXPECT_EQ(Errors().size(), 2'000u);
  ExpectConsistentCounters();
}

}  // namespace
}  // namespace trawl

// A crawl of which any process may be killed at any time ends as one that was left alone.
//
// The environment says how hard it is: TRAWL_CHAOS_PAGES, TRAWL_CHAOS_KILLS, TRAWL_CHAOS_SEED.
// tests/e2e/chaos.sh runs it at its hardest.

#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "tests/support/process.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text ? std::stoull(text) : otherwise;
}

/// Pages 0, 1, ... in a tree of ten children each, so that all are reached, with links across it;
/// some redirect, some are missing.
class Site {
 public:
  explicit Site(int pages) : pages_(pages) {
    site_.SetFallback([this](std::string_view path) { return Answer(path); });
  }

  std::string Url(int page) const { return site_.Url("/p/" + std::to_string(page)); }
  const TestSite& site() const { return site_; }

  /// What a crawl from page 0 finds: url -> depth; of the pages alone.
  std::map<std::string, int> Depths() const {
    std::vector<int> depths(pages_, -1);
    std::map<std::string, int> found;
    std::deque<int> queue = {0};
    depths[0] = 0;
    while (!queue.empty()) {
      const int page = queue.front();
      queue.pop_front();
      if (IsMissing(page)) continue;
      const bool redirects = Redirects(page);
      if (!redirects) found[Url(page)] = depths[page];
      const int step = redirects ? 0 : 1;
      for (const int target : redirects ? std::vector<int>{Target(page)} : Links(page)) {
        const int depth = depths[page] + step;
        if (depths[target] >= 0 && depths[target] <= depth) continue;
        depths[target] = depth;
        redirects ? queue.push_front(target) : queue.push_back(target);
      }
    }
    return found;
  }

  int redirects() const { return Count(&Site::Redirects); }
  int missing() const { return Count(&Site::IsMissing); }

 private:
  bool Redirects(int page) const { return page % 50 == 49 && page + 1 < pages_; }
  bool IsMissing(int page) const {
    return page % 97 == 96 && !Redirects(page) && 10 * page > pages_;
  }
  int Target(int page) const { return page + 1; }

  int Count(bool (Site::*is)(int) const) const {
    int count = 0;
    for (int page = 0; page < pages_; ++page) count += (this->*is)(page) ? 1 : 0;
    return count;
  }

  std::vector<int> Links(int page) const {
    std::vector<int> links;
    for (int child = 10 * page + 1; child <= 10 * page + 10; ++child) {
      if (child < pages_) links.push_back(child);
    }
    std::minstd_rand random(page + 1);
    for (int more = 0; more < 10; ++more) links.push_back(static_cast<int>(random() % pages_));
    return links;
  }

  TestPage Answer(std::string_view path) const {
    TestPage page;
    const int number = path.starts_with("/p/") ? std::stoi(std::string(path.substr(3))) : -1;
    if (number < 0 || IsMissing(number)) {
      page.status = 404;
      return page;
    }
    page.latency = std::chrono::milliseconds(20);
    if (Redirects(number)) {
      page.status = 302;
      page.headers = {{"Location", Url(Target(number))}};
      return page;
    }
    for (const int link : Links(number)) page.body += "<a href='" + Url(link) + "'>x</a>";
    return page;
  }

  const int pages_;
  TestSite site_;
};

class Chaos : public ::testing::Test {
 protected:
  /// The processes of a kind ("worker", "coordinator", "redis") that run.
  std::vector<pid_t> Running(const std::string& kind) const {
    std::map<std::string, pid_t> parts;  // of two with one name the later counts
    std::istringstream lines(ReadFile(out() / "run/pids"));
    std::string name;
    pid_t pid = 0;
    while (lines >> name >> pid) {
      if (name.starts_with(kind)) parts[name] = pid;
    }
    std::vector<pid_t> running;
    for (const auto& [part, process] : parts) {
      if (IsAlive(process, kind)) running.push_back(process);
    }
    return running;
  }

  /// Not a zombie, nor another program that has got its number.
  static bool IsAlive(pid_t pid, const std::string& kind) {
    const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
    const bool is_ours =
        stat.find((kind == "redis" ? "(" : "(trawl-") + kind.substr(0, 5)) != stat.npos;
    return is_ours && stat.find(") Z ") == stat.npos;
  }

  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path out() const { return folder() / "out"; }

  Process::Command Command(const Site& site) const {
    return {"/usr/bin/env",
            "TRAWL_BIN=" TRAWL_BIN_DIR,
            "TRAWL_RESTARTS=1000",
            TRAWL_DEPLOY_DIR "/crawl.sh",
            site.Url(0),
            "--depth",
            "100",
            "--job",
            "chaos",
            "--out",
            out().string(),
            "--workers",
            "3",
            "--host-delay",
            "0",
            "--host-connections",
            "16",
            "--lease-timeout",
            "2000",
            "--ignore-robots",
            "--quiet"};
  }

  /// Expects what one that was left alone would have, in the results and in Redis.
  void ExpectTheWholeSite(const Site& site) const {
    std::map<std::string, int> found;
    for (const boost::json::object& row : Read("pages.jsonl")) {
      const int depth = static_cast<int>(row.at("depth").as_int64());
      EXPECT_TRUE(found.emplace(row.at("url").as_string(), depth).second)
          << row.at("url") << " came twice";
    }
    EXPECT_EQ(found, site.Depths());
    const auto redirects = static_cast<std::size_t>(site.redirects());
    const auto missing = static_cast<std::size_t>(site.missing());
    EXPECT_EQ(Read("redirects.jsonl").size(), redirects);
    EXPECT_EQ(Read("errors.jsonl").size(), missing);

    RedisServer redis(RedisServer::Log::kAppendOnlyFile);
    redis.Restore(out() / "redis");
    const auto stat = [&](const char* name) {
      return std::stoull(redis.Run({"HGET", "trawl:{chaos}:stats", name}).at(0));
    };
    EXPECT_EQ(stat("admitted"), found.size() + redirects + missing);
    EXPECT_EQ(stat("fetched"), found.size());
    EXPECT_EQ(stat("redirected"), redirects);
    EXPECT_EQ(stat("failed"), missing);
  }

  std::vector<boost::json::object> Read(const std::string& file) const {
    std::vector<boost::json::object> rows;
    std::istringstream lines(ReadFile(out() / file));
    for (std::string line; std::getline(lines, line);) {
      rows.push_back(boost::json::parse(line).as_object());
    }
    return rows;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Chaos, EndsAsACrawlThatWasLeftAlone) {
  const auto pages = static_cast<int>(FromEnvironment("TRAWL_CHAOS_PAGES", 3'000));
  const auto kills = static_cast<int>(FromEnvironment("TRAWL_CHAOS_KILLS", 20));
  const std::uint64_t seed = FromEnvironment("TRAWL_CHAOS_SEED", std::random_device()());
  std::cout << "TRAWL_CHAOS_SEED=" << seed << std::endl;
  SCOPED_TRACE("TRAWL_CHAOS_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);

  Site site(pages);
  Process crawl(Command(site), folder() / "log");
  std::multiset<std::size_t> instants;  // in requests
  std::uniform_int_distribution<std::size_t> instant(10, pages * 95 / 100);
  while (instants.size() < static_cast<std::size_t>(kills)) instants.insert(instant(random));
  std::map<std::string, int> killed;
  for (const std::size_t requests : instants) {
    ASSERT_TRUE(
        WaitUntil([&] { return site.site().request_count() >= requests || !crawl.running(); }));
    // Each kind is as likely as the others.
    const std::string kind = std::array{"worker", "coordinator", "redis"}[random() % 3];
    std::vector<pid_t> running;
    ASSERT_TRUE(WaitUntil([&] {
      running = Running(kind);
      return !running.empty() || !crawl.running();
    }));
    ASSERT_TRUE(crawl.running()) << crawl.err();
    ::kill(running[random() % running.size()], SIGKILL);
    ++killed[kind];
  }
  const std::optional<int> code = crawl.Wait(std::chrono::minutes(10));
  ASSERT_EQ(code, 0) << crawl.err();
  for (const auto& [kind, times] : killed) std::cout << kind << " killed " << times << " times\n";

  ExpectTheWholeSite(site);
}

TEST_F(Chaos, NothingStaysBehindAScriptThatWasKilledAndTheCrawlGoesOn) {
  Site site(1'000);
  {
    Process crawl(Command(site), folder() / "log");
    ASSERT_TRUE(site.site().WaitForRequests(300));
    crawl.Signal(SIGKILL);
    ASSERT_TRUE(crawl.Wait());
  }
  ASSERT_TRUE(WaitUntil([&] {
    return Running("worker").empty() && Running("coordinator").empty() && Running("redis").empty();
  }));
  Process::Command again = Command(site);
  again.push_back("--resume");
  Process crawl(again, folder() / "log-again");
  ASSERT_EQ(crawl.Wait(std::chrono::minutes(2)), 0) << crawl.err();
  ExpectTheWholeSite(site);
}

}  // namespace
}  // namespace trawl

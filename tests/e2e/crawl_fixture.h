// A crawl by real processes: a redis-server, a coordinator and workers of this build, in a folder
// of its own.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_site.h"

namespace trawl {

class CrawlFixture : public ::testing::Test {
 protected:
  using Flags = std::vector<std::string>;
  using Rows = std::vector<boost::json::object>;

  explicit CrawlFixture(RedisServer::Log log = RedisServer::Log::kNone) : redis_(log) {}

  /// Flags of a crawl without politeness, as of one's own site.
  static Flags Fast() { return {"--host-delay", "0", "--host-connections", "64"}; }
  static Flags With(Flags flags, const Flags& more);

  /// Starts the coordinator and waits until workers can join. `urls` are the seeds. A robots.txt
  /// that cannot be had is asked for again soon, unless the flags say otherwise.
  void StartCoordinator(const std::vector<std::string>& urls, Flags flags);
  /// `program`: another one than trawl-worker.
  Process& StartWorker(Flags flags = {}, const std::string& program = "trawl-worker");

  /// Waits for the coordinator and then the workers to end by themselves; the coordinator's code.
  int Finish(std::chrono::milliseconds patience = std::chrono::seconds(120));
  /// Start, workers, finish; expects exit code 0.
  void Crawl(const std::vector<std::string>& urls, Flags flags, int workers = 1);

  /// Runs trawl-export and reads a result file.
  void Export();
  Rows Read(const std::string& file) const;
  static std::string Text(const boost::json::object& row, const char* key) {
    return std::string(row.at(key).as_string());
  }
  /// url -> depth of pages.jsonl; expects each URL once.
  std::map<std::string, int> Pages() const;
  /// url -> reason of errors.jsonl.
  std::map<std::string, std::string> Errors() const;
  /// url -> outcome of redirects.jsonl.
  std::map<std::string, std::string> Redirects() const;

  /// Crawls the seeds once more with tests/e2e/oracle.py and expects what pages.jsonl has.
  void ExpectWhatTheOracleFinds(const std::vector<std::string>& urls, int depth);

  /// Expects of a finished job that each URL has ended, in Redis and in the results.
  void ExpectConsistentCounters();

  /// How often the coordinator has said this on its standard error.
  std::size_t TimesTold(const std::string& words) const;

  /// A counter of `trawl:{JOB}:stats`.
  std::uint64_t Stat(const std::string& name) const;
  std::string JobField(const std::string& name) const;
  void SetControl(const std::string& word);

  Process& coordinator() { return *coordinator_; }
  std::string endpoint() const { return endpoint_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  RedisServer& redis() { return redis_; }

  static std::string Program(const std::string& name);
  /// In folder(); distinct for each call.
  std::filesystem::path LogPath(const std::string& name);

 private:
  TemporaryFolder folder_;
  RedisServer redis_;
  std::unique_ptr<Process> coordinator_;
  std::list<Process> workers_;
  std::string endpoint_;
  int logs_ = 0;
};

}  // namespace trawl

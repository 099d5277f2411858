// How much memory a crawl takes as it grows: coordinator, worker and Redis over a synthetic site,
// by real processes of this build. Prints a line for each tenth of the pages.
//
//     memory_bench [PAGES [WORKERS]]
#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

constexpr char kJob[] = "trawl:{memory}:";

/// A tree of ten children a page, with forty links across it.
class SyntheticSite {
 public:
  explicit SyntheticSite(std::uint64_t pages) : pages_(pages) {
    site_.SetFallback([this](std::string_view path) { return Answer(path); });
  }

  static std::string PathOf(std::uint64_t page) {
    return "/section-" + std::to_string(page % 1'000) + "/an-article-with-a-name/page-" +
           std::to_string(page) + ".html";
  }
  TestSite& site() { return site_; }

 private:
  TestPage Answer(std::string_view path) const {
    const std::size_t number = path.rfind("page-");
    if (number == path.npos) return TestPage{.status = 404};
    const std::uint64_t page = std::stoull(std::string(path.substr(number + 5)));
    std::string body = "<title>Page " + std::to_string(page) + "</title>";
    const auto link = [&body](std::uint64_t to) { body += "<a href='" + PathOf(to) + "'>x</a>\n"; };
    for (std::uint64_t child = 10 * page + 1; child <= 10 * page + 10; ++child) {
      if (child < pages_) link(child);
    }
    std::minstd_rand random(static_cast<unsigned>(page + 1));
    for (int more = 0; more < 40; ++more) link(random() % pages_);
    return TestPage{.body = std::move(body)};
  }

  const std::uint64_t pages_;
  TestSite site_;
};

std::uint64_t ResidentBytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

std::uint64_t Number(const std::vector<std::string>& reply) {
  return reply.empty() || reply[0].empty() ? 0 : std::stoull(reply[0]);
}

class Bench {
 public:
  Bench(std::uint64_t pages, int workers)
      : pages_(pages), redis_(RedisServer::Log::kAppendOnlyFile), site_(pages) {
    const std::string endpoint = (folder_.path() / "endpoint").string();
    coordinator_ = Start({"trawl-coordinator", "--job", "memory", "--redis", redis_.url(), "--out",
                          folder_.path().string(), "--endpoint-file", endpoint, "--quiet",
                          "--depth", "1000", "--host-delay", "0", "--host-connections", "64",
                          "--ignore-robots", site_.site().Url(SyntheticSite::PathOf(0))});
    WaitUntil([&] { return std::filesystem::exists(endpoint) || !coordinator_->running(); });
    std::string address = ReadFile(endpoint);
    address.resize(address.find('\n'));
    for (; workers > 0; --workers) {
      workers_.push_back(
          Start({"trawl-worker", "--coordinator", address, "--out", folder_.path().string()}));
    }
  }

  int Run() {
    std::printf("%9s %9s %12s %10s %10s %10s %12s\n", "pages", "frontier", "coordinator", "worker",
                "Redis", "seen", "frontier");
    std::printf("%9s %9s %12s %10s %10s %10s %12s\n", "", "", "MB", "MB", "MB", "bytes/URL",
                "bytes/URL");
    for (std::uint64_t next = pages_ / 10; coordinator_->running(); next += pages_ / 10) {
      WaitUntil([&] { return Stat("fetched") >= next || !coordinator_->running(); },
                std::chrono::hours(4));
      if (coordinator_->running()) Print();
    }
    Print();
    std::cout << "admitted " << Stat("admitted") << ", fetched " << Stat("fetched") << "\n";
    return coordinator_->Wait().value_or(1);
  }

 private:
  std::unique_ptr<Process> Start(Process::Command command) {
    command[0] = TRAWL_BIN_DIR "/" + command[0];
    return std::make_unique<Process>(std::move(command),
                                     folder_.path() / ("log-" + std::to_string(++logs_)));
  }

  std::uint64_t Stat(const std::string& name) const {
    return Number(redis_.Run({"HGET", std::string(kJob) + "stats", name}));
  }

  std::uint64_t MemoryOf(const std::string& pattern) const {
    std::uint64_t bytes = 0;
    for (const std::string& key : redis_.Run({"KEYS", kJob + pattern})) {
      bytes += Number(redis_.Run({"MEMORY", "USAGE", key, "SAMPLES", "0"}));
    }
    return bytes;
  }

  std::uint64_t UsedMemory() const {
    std::istringstream info(redis_.Run({"INFO", "memory"}).at(0));
    for (std::string line; std::getline(info, line);) {
      if (line.starts_with("used_memory:")) return std::stoull(line.substr(12));
    }
    return 0;
  }

  void Print() {
    std::uint64_t worker = 0;
    for (const auto& process : workers_) worker = std::max(worker, ResidentBytes(process->pid()));
    std::uint64_t waiting = 0;
    for (const std::string& key : redis_.Run({"KEYS", std::string(kJob) + "frontier:*"})) {
      waiting += Number(redis_.Run({"LLEN", key}));
    }
    const auto per = [](std::uint64_t bytes, std::uint64_t urls) {
      return urls == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(urls);
    };
    std::printf("%9llu %9llu %12.1f %10.1f %10.1f %10.1f %12.1f\n",
                static_cast<unsigned long long>(Stat("fetched")),
                static_cast<unsigned long long>(waiting),
                static_cast<double>(ResidentBytes(coordinator_->pid())) / 1e6,
                static_cast<double>(worker) / 1e6, static_cast<double>(UsedMemory()) / 1e6,
                per(MemoryOf("seen*"), Stat("admitted")),
                per(MemoryOf("frontier:*") + MemoryOf("waiting:*"), waiting));
    std::fflush(stdout);
  }

  const std::uint64_t pages_;
  TemporaryFolder folder_;
  RedisServer redis_;
  SyntheticSite site_;
  std::unique_ptr<Process> coordinator_;
  std::vector<std::unique_ptr<Process>> workers_;
  int logs_ = 0;
};

}  // namespace
}  // namespace trawl

int main(int argc, char** argv) {
  const std::uint64_t pages = argc > 1 ? std::stoull(argv[1]) : 1'000'000;
  const int workers = argc > 2 ? std::stoi(argv[2]) : 1;
  return trawl::Bench(pages, workers).Run();
}

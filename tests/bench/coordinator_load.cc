// What the coordinator and its Redis can take: real processes, and simulated workers that speak the
// protocol over ZeroMQ and answer each lease at once. Every page has as many links as are asked
// for, one in ten of them new. Prints rates by the wall's clock and by each process's CPU time.
//
//     coordinator_load [PAGES [WORKERS [LINKS]]]
//
// The coordinator runs on the first core, its Redis and the simulated workers on the others.
#include <sched.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "proto/message_socket.h"
#include "proto/messages.h"
#include "tests/support/process.h"
#include "tests/support/redis_server.h"

namespace trawl {
namespace {

constexpr int kNewLinksPerTen = 1;
constexpr std::uint32_t kCapacity = 3'200;   // as a worker's, of 200 requests at a time
constexpr char kHostConnections[] = "2000";  // over all workers, however many there are
constexpr milliseconds kHello{100};          // until it is welcome
constexpr milliseconds kBeat{1'000};
constexpr std::size_t kReportsPerMessage = 30;

/// Pages are the nodes of a tree, numbered breadth first.
class Web {
 public:
  Web(std::uint64_t pages, std::uint64_t links)
      : pages_(pages), links_(links), children_(links * kNewLinksPerTen / 10) {}

  static std::string UrlOf(std::uint64_t page) {
    return "http://www.example.org/section-" + std::to_string(page % 1'000) + "/page-" +
           std::to_string(page) + ".html";
  }

  std::vector<std::string> LinksOf(const std::string& url) const {
    const std::uint64_t page = std::stoull(url.substr(url.rfind('-') + 1));
    std::vector<std::string> links;
    links.reserve(links_);
    const std::uint64_t child = page * children_ + 1;
    for (std::uint64_t to = child; to < child + children_ && to < pages_; ++to) {
      links.push_back(UrlOf(to));
    }
    std::minstd_rand random(static_cast<unsigned>(page + 1));
    while (links.size() < links_) links.push_back(UrlOf(random() % (page + 1)));
    return links;
  }

 private:
  const std::uint64_t pages_;
  const std::uint64_t links_;
  const std::uint64_t children_;
};

class LoadWorker {
 public:
  LoadWorker(boost::asio::io_context& io, const std::string& endpoint, int number, const Web& web)
      : web_(web),
        name_("load-" + std::to_string(number)),
        socket_(MessageSocket::Dealer(
            io, endpoint, name_,
            [this](const std::string&, std::string_view bytes) { OnBytes(bytes); })),
        timer_(io) {
    Beat();
  }

 private:
  void Send(const ToCoordinator& message) { socket_.Send({}, Encode(message)); }

  void Beat() {
    if (welcome_) {
      WorkerHeartbeat heartbeat;  // names no lease: each is answered as it comes
      heartbeat.capacity = kCapacity;
      Send(heartbeat);
    } else {
      Hello hello;
      hello.name = name_;
      hello.capacity = kCapacity;
      Send(hello);
    }
    timer_.expires_after(welcome_ ? kBeat : kHello);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) Beat();
    });
  }

  void OnBytes(std::string_view bytes) {
    const ToWorker message = DecodeToWorker(bytes).value();
    if (std::holds_alternative<Welcome>(message)) welcome_ = true;
    if (const auto* lease = std::get_if<Lease>(&message)) Answer(*lease);
    if (std::holds_alternative<CoordinatorGoodbye>(message)) Send(WorkerGoodbye{});
  }

  void Answer(const Lease& lease) {
    Reports reports;
    for (std::size_t i = 0; i < lease.entries.size(); ++i) {
      Report report;
      report.sequence = ++sequence_;
      report.lease_id = lease.lease_id;
      report.index = static_cast<int>(i);
      report.entry = lease.entries[i];
      report.links = web_.LinksOf(report.entry.url);
      report.outcome = Fetched{14'000, report.links.size(), 0};
      reports.reports.push_back(std::move(report));
      if (reports.reports.size() == kReportsPerMessage || i + 1 == lease.entries.size()) {
        Send(std::exchange(reports, {}));
      }
    }
  }

  const Web& web_;
  const std::string name_;
  MessageSocket socket_;
  boost::asio::steady_timer timer_;
  bool welcome_ = false;
  std::uint64_t sequence_ = 0;
};

void PinTo(pid_t pid, int first_cpu, int last_cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (int cpu = first_cpu; cpu <= last_cpu; ++cpu) CPU_SET(cpu, &cpus);
  ::sched_setaffinity(pid, sizeof cpus, &cpus);
}

/// User and system time so far of all threads of a process.
double CpuSeconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  const std::vector<std::string> values{std::istream_iterator<std::string>(fields), {}};
  return (std::stod(values.at(11)) + std::stod(values.at(12))) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t Stat(const RedisServer& redis, const std::string& name) {
  const auto reply = redis.Run({"HGET", "trawl:{load}:stats", name});
  return reply.empty() || reply[0].empty() ? 0 : std::stoull(reply[0]);
}

int Run(std::uint64_t pages, int workers, std::uint64_t links) {
  TemporaryFolder folder;
  RedisServer redis(RedisServer::Log::kAppendOnlyFile);
  const auto redis_pid = static_cast<pid_t>(std::stoi([&] {
    const std::string info = redis.Run({"INFO", "server"}).at(0);
    return info.substr(info.find("process_id:") + 11);
  }()));
  const std::string endpoint_file = (folder.path() / "endpoint").string();
  Process coordinator({TRAWL_BIN_DIR "/trawl-coordinator", "--job", "load", "--redis", redis.url(),
                       "--out", folder.path().string(), "--endpoint-file", endpoint_file, "--quiet",
                       "--depth", "1000", "--host-delay", "0", "--host-connections",
                       kHostConnections, "--ignore-robots", Web::UrlOf(0)},
                      folder.path() / "log");
  const int cpus = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  PinTo(coordinator.pid(), 0, 0);
  PinTo(redis_pid, std::min(1, cpus - 1), std::min(1, cpus - 1));
  if (cpus > 1) PinTo(0, std::min(2, cpus - 1), cpus - 1);
  WaitUntil([&] { return std::filesystem::exists(endpoint_file) || !coordinator.running(); });
  if (!coordinator.running()) throw std::runtime_error(coordinator.err());
  std::string endpoint = ReadFile(endpoint_file);
  endpoint.resize(endpoint.find('\n'));

  boost::asio::io_context io;
  const Web web(pages, links);
  std::vector<std::unique_ptr<LoadWorker>> all;
  for (int i = 0; i < workers; ++i) {
    all.push_back(std::make_unique<LoadWorker>(io, endpoint, i, web));
  }
  const double cpu_before = CpuSeconds(coordinator.pid());
  const double redis_before = CpuSeconds(redis_pid);
  const auto started = std::chrono::steady_clock::now();
  double cpu = 0;
  while (coordinator.running()) {
    io.run_for(milliseconds(50));
    if (coordinator.running()) cpu = CpuSeconds(coordinator.pid()) - cpu_before;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  const double redis_cpu = CpuSeconds(redis_pid) - redis_before;
  const double fetched = static_cast<double>(Stat(redis, "fetched"));
  const double offered = static_cast<double>(Stat(redis, "links"));
  std::printf("%12s %10s %12s %12s\n", "", "seconds", "pages/s", "links/s");
  const auto print = [&](const char* what, double seconds) {
    std::printf("%12s %10.2f %12.0f %12.0f\n", what, seconds, fetched / seconds, offered / seconds);
  };
  print("wall", wall.count());
  print("coordinator", cpu);
  print("Redis", redis_cpu);
  std::printf("%.0f pages, %.0f links, %d workers\n", fetched, offered, workers);
  return coordinator.Wait().value_or(1);
}

}  // namespace
}  // namespace trawl

int main(int argc, char** argv) {
  const std::uint64_t pages = argc > 1 ? std::stoull(argv[1]) : 200'000;
  const int workers = argc > 2 ? std::stoi(argv[2]) : 10;
  const std::uint64_t links = argc > 3 ? std::stoull(argv[3]) : 20;
  return trawl::Run(pages, workers, links);
}

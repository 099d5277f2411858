#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "common/command_line.h"
#include "common/log.h"
#include "worker/worker.h"

namespace trawl {
namespace {

/// The first signal drains, the second ends at once.
void StopOnSignal(boost::asio::signal_set& signals, Worker& worker) {
  signals.async_wait([&signals, &worker](const boost::system::error_code& error, int) {
    if (error) return;
    worker.Stop();
    StopOnSignal(signals, worker);
  });
}

/// Each request in flight is a connection, and more are kept for further requests.
void AllowManyConnections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int Run(const WorkerOptions& options, PageParser& parser) {
  AllowManyConnections();
  boost::asio::io_context io(1);
  Worker worker(io, options, parser);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  StopOnSignal(signals, worker);
  io.run();
  if (worker.failure().empty()) return 0;
  std::cerr << "trawl-worker: " << worker.failure() << "\n";
  return 1;
}

}  // namespace

int WorkerMain(int argc, char** argv, PageParser& parser) {
  const auto parsed = ParseWorkerOptions(argc, argv);
  if (const auto* exit = std::get_if<ExitNow>(&parsed)) return exit->code;
  const auto& options = std::get<WorkerOptions>(parsed);
  SetUpLog("trawl-worker", options.log_level);
  try {
    return Run(options, parser);
  } catch (const std::exception& error) {
    std::cerr << "trawl-worker: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace trawl

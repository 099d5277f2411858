#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "common/command_line.h"
#include "common/log.h"
#include "coordinator/crawl_server.h"

namespace {

/// The first signal drains, the second ends at once.
void StopOnSignal(boost::asio::signal_set& signals, trawl::CrawlServer& server) {
  signals.async_wait([&signals, &server](const boost::system::error_code& error, int) {
    if (error) return;
    server.Stop();
    StopOnSignal(signals, server);
  });
}

/// Each worker is a connection.
void AllowManyConnections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int Run(const trawl::CoordinatorOptions& options) {
  AllowManyConnections();
  boost::asio::io_context io(1);
  trawl::CrawlServer server(io, options);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  StopOnSignal(signals, server);
  io.run();
  if (!server.failure().empty()) std::cerr << "trawl-coordinator: " << server.failure() << "\n";
  return server.exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = trawl::ParseCoordinatorOptions(argc, argv);
  if (const auto* exit = std::get_if<trawl::ExitNow>(&parsed)) return exit->code;
  const auto& options = std::get<trawl::CoordinatorOptions>(parsed);
  if (options.print_job) {
    std::cout << options.job << "\n";
    return 0;
  }
  trawl::SetUpLog("trawl-coordinator", options.log_level);
  try {
    return Run(options);
  } catch (const std::exception& error) {
    std::cerr << "trawl-coordinator: " << error.what() << "\n";
    return 1;
  }
}

// A web of many sites on loopback addresses, with its DNS, for tests/bench/broad_crawl.sh. Needs a
// network namespace of its own, as it takes ports 53, and 80 or 443. Ends by SIGTERM, and leaves
// what it has seen in a file.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/bench/synthetic_web/counts.h"
#include "tests/bench/synthetic_web/dns_server.h"
#include "tests/bench/synthetic_web/page_server.h"
#include "tests/bench/synthetic_web/web.h"

namespace trawl {
namespace {

void WriteCounts(const std::string& path, const SyntheticWeb& web, const Counts& counts) {
  std::ofstream(path) << boost::json::object{{"expected_pages", web.page_count()},
                                             {"hosts", web.hosts()},
                                             {"dns_queries", counts.dns_queries},
                                             {"connections", counts.connections},
                                             {"peak_connections", counts.peak_connections},
                                             {"full_handshakes", counts.full_handshakes},
                                             {"resumed_handshakes", counts.resumed_handshakes},
                                             {"failed_handshakes", counts.failed_handshakes},
                                             {"requests", counts.requests},
                                             {"pages", counts.pages},
                                             {"robots", counts.robots},
                                             {"missing", counts.missing},
                                             {"bytes", counts.bytes},
                                             {"peak_requests", counts.peak_requests},
                                             {"early_requests", counts.early_requests},
                                             {"concurrent_requests", counts.concurrent_requests},
                                             {"least_gap_ms", counts.least_gap_ms}}
                      << "\n";
}

int Main(int argc, char** argv) {
  SyntheticWeb::Options options;
  bool tls = false;
  std::uint32_t delay_ms = 1'000;
  std::string counts_file;
  std::string authority_file;
  CLI::App app("A synthetic web on loopback addresses");
  app.add_option("--hosts", options.hosts, "Hosts, the hub aside")->check(CLI::Range(1, 999'999));
  app.add_option("--pages", options.mean_pages, "Mean pages of a host")
      ->check(CLI::Range(1, 1'000));
  app.add_option("--host-delay", delay_ms, "Milliseconds between requests that are no violation");
  app.add_flag("--tls", tls, "https in place of http");
  app.add_option("--counts", counts_file, "File for what was seen, at the end")->required();
  app.add_option("--authority", authority_file, "File for the CA, written when it listens")
      ->required();
  CLI11_PARSE(app, argc, argv);
  if (tls) options.scheme = "https";

  const SyntheticWeb web(options);
  Counts counts;
  boost::asio::io_context io(1);
  const SyntheticDns dns(io, web, counts);
  const SyntheticPages pages(io, web, counts, {tls, std::chrono::milliseconds(delay_ms)});
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
  std::ofstream(authority_file) << pages.authority();
  io.run();
  WriteCounts(counts_file, web, counts);
  return 0;
}

}  // namespace
}  // namespace trawl

int main(int argc, char** argv) {
  try {
    return trawl::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "synthetic_web: " << error.what() << "\n";
    return 1;
  }
}

// Serves the pages of a synthetic web over HTTP/1.1, with TLS or without, on port 80 or 443 of
// every local address. Each handshake and each answer takes the host's latency. It holds the
// clients against the politeness that they promise: one request at a time to each host, and a delay
// between two.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "tests/bench/synthetic_web/counts.h"
#include "tests/bench/synthetic_web/web.h"

namespace trawl {

class SyntheticPages {
 public:
  struct Options {
    bool tls = false;
    std::chrono::milliseconds host_delay{1'000};
  };

  /// All outlive the server. Throws when it cannot listen.
  SyntheticPages(boost::asio::io_context& io, const SyntheticWeb& web, Counts& counts,
                 Options options);
  ~SyntheticPages();

  /// PEM; of the authority that has signed the certificate of every host.
  const std::string& authority() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

// Answers questions for the addresses of a synthetic web over UDP (RFC 1035, section 4), after a
// latency of its own for each name. There are no IPv6 addresses.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "tests/bench/synthetic_web/counts.h"
#include "tests/bench/synthetic_web/web.h"

namespace trawl {

class SyntheticDns {
 public:
  /// Port 53 of 127.0.0.1. All outlive the server. Throws when it cannot listen.
  SyntheticDns(boost::asio::io_context& io, const SyntheticWeb& web, Counts& counts);
  ~SyntheticDns();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

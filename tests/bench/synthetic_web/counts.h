// What the servers of the synthetic web have seen.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace trawl {

struct Counts {
  std::uint64_t dns_queries = 0;
  std::uint64_t connections = 0;
  std::uint64_t full_handshakes = 0;
  std::uint64_t resumed_handshakes = 0;
  std::uint64_t failed_handshakes = 0;
  std::uint64_t requests = 0;
  std::uint64_t pages = 0;    // of them
  std::uint64_t robots = 0;   // likewise
  std::uint64_t missing = 0;  // likewise: for what is not there, robots.txt aside
  std::uint64_t bytes = 0;    // of bodies

  std::uint64_t open_connections = 0;
  std::uint64_t peak_connections = 0;
  std::uint64_t peak_requests = 0;  // most that waited for their answer at one time

  std::uint64_t early_requests = 0;       // sooner after the host's last one than they may
  std::uint64_t concurrent_requests = 0;  // while another of the host waited for its answer
  std::int64_t least_gap_ms = std::numeric_limits<std::int64_t>::max();
};

}  // namespace trawl

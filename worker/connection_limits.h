// How many connections a worker keeps open for further requests.
#pragma once

#include <algorithm>
#include <cstddef>

namespace trawl {

/// Between the requests to a host its delay passes, so that many more connections wait than are at
/// work: as many as the worker may hold hosts, if the system allows so many open files.
constexpr std::size_t IdleConnections(std::size_t concurrency, std::size_t max_files) {
  constexpr std::size_t kHostsPerRequest = 16;
  constexpr std::size_t kOtherFiles = 256;
  // A request may have two attempts to connect under way.
  const std::size_t others = 2 * concurrency + kOtherFiles;
  return std::min(kHostsPerRequest * concurrency, std::max(max_files, others) - others);
}

}  // namespace trawl

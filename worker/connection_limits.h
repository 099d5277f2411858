// How many connections a worker keeps open for further requests.
#pragma once

#include <algorithm>
#include <cstddef>

namespace trawl {

/// Between the requests to a host its delay passes, so that many more connections wait than are at
/// work: as many as the worker may hold hosts, if the system allows so many open files. Some are
/// kept where it allows few: that all requests have two attempts to connect under way is rare.
constexpr std::size_t IdleConnections(std::size_t concurrency, std::size_t max_files) {
  constexpr std::size_t kHostsPerRequest = 16;
  constexpr std::size_t kOtherFiles = 256;
  const std::size_t others = 2 * concurrency + kOtherFiles;
  const std::size_t left = std::max(max_files, others) - others;
  return std::min(kHostsPerRequest * concurrency, std::max(left, max_files / 8));
}

}  // namespace trawl

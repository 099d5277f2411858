#include "common/process_name.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace trawl {

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

std::string NewProcessName() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  char stamp[32];
  std::snprintf(stamp, sizeof stamp, "%llx",
                static_cast<unsigned long long>(
                    std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()));
  return HostName() + "-" + std::to_string(::getpid()) + "-" + stamp;
}

}  // namespace trawl

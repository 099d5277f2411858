// What tells a process from others, on this machine and on others.
#pragma once

#include <string>

namespace trawl {

/// The machine's name; "unknown" where it has none.
std::string HostName();

/// Unique in practice: host, process and the time of the call.
std::string NewProcessName();

}  // namespace trawl

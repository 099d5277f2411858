// Flags and configuration files. A flag beats the file, the file beats the default.
#pragma once

#include <string>
#include <variant>

#include "common/options.h"

namespace trawl {

/// The program has said all it had to say (--help, --version, or one line about bad usage on
/// standard error) and ends with this code: 0, or 2 for bad usage.
struct ExitNow {
  int code = 0;
};

std::variant<CoordinatorOptions, ExitNow> ParseCoordinatorOptions(int argc,
                                                                  const char* const* argv);
std::variant<WorkerOptions, ExitNow> ParseWorkerOptions(int argc, const char* const* argv);
std::variant<ProbeOptions, ExitNow> ParseProbeOptions(int argc, const char* const* argv);

}  // namespace trawl

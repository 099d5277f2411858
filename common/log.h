// Logs go to standard error, a line each.
#pragma once

#include <string>

namespace trawl {

/// `level` is one of debug, info, warn, error.
void SetUpLog(const std::string& program, const std::string& level);

}  // namespace trawl

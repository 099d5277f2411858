// Whether the options of what is sent, and through what, go together.
#pragma once

#include <string>

#include "common/options.h"

namespace trawl {

/// What is wrong with the headers, the password, the cookies or the proxy, in one line that names
/// the flag; empty when nothing is. Never repeats what may be a secret.
std::string RequestComplaint(const CrawlOptions& crawl);

}  // namespace trawl

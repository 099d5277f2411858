// What may not change when a job is resumed: what it may crawl, and what it takes for one URL. Else
// its seen set and results would be those of two different crawls. Limits may change, and seeds as
// long as they are of the same places.
#pragma once

#include <string>
#include <string_view>

#include "common/options.h"
#include "common/scope.h"

namespace trawl {

/// The rules as one text, which is the same for the same rules; kept with the job.
std::string FixedRules(const CrawlOptions& crawl, const Scope& scope);

/// What differs, for people: "--scope was host, now any; --sort-query was false, now true".
std::string RulesChanged(std::string_view before, std::string_view now);

}  // namespace trawl

#include "coordinator/resume_rules.h"

#include <boost/json.hpp>

namespace trawl {
namespace {

namespace json = boost::json;

json::object Parse(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return !error && value.is_object() ? std::move(value.get_object()) : json::object();
}

}  // namespace

std::string FixedRules(const CrawlOptions& crawl, const Scope& scope) {
  return json::serialize(
      json::object{{"--scope", ScopeKindName(crawl.scope)},
                   {"the places of the URLs given", json::value_from(scope.Places())},
                   {"--include", json::value_from(crawl.include)},
                   {"--exclude", json::value_from(crawl.exclude)},
                   {"--sort-query", crawl.sort_query},
                   {"--strip-params", crawl.strip_params},
                   {"--strip-param", json::value_from(crawl.strip_names)}});
}

std::string RulesChanged(std::string_view before, std::string_view now) {
  const json::object old = Parse(before);
  std::string text;
  for (const auto& [name, value] : Parse(now)) {
    const json::value* const was = old.if_contains(name);
    if (was != nullptr && *was == value) continue;
    text += (text.empty() ? "" : "; ") + std::string(name) + " was " +
            (was != nullptr ? json::serialize(*was) : "not known") + ", now " +
            json::serialize(value);
  }
  return text;
}

}  // namespace trawl

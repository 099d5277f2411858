#include "common/options.h"

#include <array>
#include <boost/json.hpp>
#include <utility>

namespace trawl {
namespace {

using namespace std::string_view_literals;

constexpr std::array kScopes = {
    std::pair{ScopeKind::kHost, "host"sv}, std::pair{ScopeKind::kDomain, "domain"sv},
    std::pair{ScopeKind::kPrefix, "prefix"sv}, std::pair{ScopeKind::kAny, "any"sv}};
constexpr std::array kRounds = {std::pair{RoundMode::kExact, "exact"sv},
                                std::pair{RoundMode::kFree, "free"sv}};

template <class Table, class Value>
std::string_view NameIn(const Table& table, Value value) {
  for (const auto& [candidate, name] : table) {
    if (candidate == value) return name;
  }
  return {};
}

template <class Value, class Table>
Result<Value> ValueIn(const Table& table, std::string_view wanted) {
  for (const auto& [value, name] : table) {
    if (name == wanted) return value;
  }
  return Error::kUsage;
}

}  // namespace

std::string_view ScopeKindName(ScopeKind kind) { return NameIn(kScopes, kind); }
Result<ScopeKind> ParseScopeKind(std::string_view name) {
  return ValueIn<ScopeKind>(kScopes, name);
}
std::string_view RoundModeName(RoundMode mode) { return NameIn(kRounds, mode); }
Result<RoundMode> ParseRoundMode(std::string_view name) {
  return ValueIn<RoundMode>(kRounds, name);
}

std::string DefaultUserAgent() {
  return "trawl/" TRAWL_VERSION " (+https://github.com/trawl-crawler/trawl)";
}

std::string CrawlOptions::Json() const {
  return boost::json::serialize(boost::json::object{
      {"seeds", boost::json::value_from(seeds)},
      {"depth", depth},
      {"max_pages", max_pages},
      {"host_connections", host_connections},
      {"host_delay_ms", host_delay.count()},
      {"scope", ScopeKindName(scope)},
      {"include", boost::json::value_from(include)},
      {"exclude", boost::json::value_from(exclude)},
      {"rounds", RoundModeName(rounds)},
      {"ignore_robots", ignore_robots},
      {"allow_private", allow_private},
      {"user_agent", user_agent},
      {"content_types", boost::json::value_from(content_types)},
      {"max_body_bytes", max_body_bytes},
      {"fetch_timeout_ms", fetch_timeout.count()},
      {"max_hops", max_hops},
  });
}

}  // namespace trawl

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

namespace json = boost::json;

/// Calls take(key, option) for each option that a job keeps.
template <class Options, class Take>
void ForEachOption(Options& options, Take take) {
  take("seeds", options.seeds);
  take("depth", options.depth);
  take("max_pages", options.max_pages);
  take("host_connections", options.host_connections);
  take("host_delay_ms", options.host_delay);
  take("scope", options.scope);
  take("include", options.include);
  take("exclude", options.exclude);
  take("sitemaps", options.sitemaps);
  take("sitemap_urls", options.sitemap_urls);
  take("rounds", options.rounds);
  take("round_deadline_ms", options.round_deadline);
  take("sort_query", options.sort_query);
  take("strip_params", options.strip_params);
  take("strip_names", options.strip_names);
  take("max_url_bytes", options.url_limits.bytes);
  take("max_path_segments", options.url_limits.path_segments);
  take("max_repeated_segments", options.url_limits.repeated_segments);
  take("max_query_params", options.url_limits.query_params);
  take("max_links_per_page", options.max_links_per_page);
  take("max_pages_per_host", options.max_pages_per_host);
  take("max_hosts_per_domain", options.max_hosts_per_domain);
  take("max_same_body", options.max_same_body);
  take("auto_throttle", options.auto_throttle);
  take("retries", options.retries);
  take("retry_delay_ms", options.retry_delay);
  take("ignore_robots", options.ignore_robots);
  take("robots_retries", options.robots_retries);
  take("robots_retry_delay_ms", options.robots_retry_delay);
  take("ignore_robots_tag", options.ignore_robots_tag);
  take("ignore_meta_robots", options.ignore_meta_robots);
  take("ignore_rel_nofollow", options.ignore_rel_nofollow);
  take("allow_private", options.allow_private);
  take("user_agent", options.user_agent);
  take("headers", options.headers);
  take("auth", options.auth);
  take("cookies", options.cookies);
  take("proxy", options.proxy);
  take("insecure", options.insecure);
  take("content_types", options.content_types);
  take("max_body_bytes", options.max_body_bytes);
  take("fetch_timeout_ms", options.fetch_timeout);
  take("max_hops", options.max_hops);
}

template <class Value>
json::value ToJson(const Value& value) {
  return json::value_from(value);
}
json::value ToJson(const milliseconds& time) { return time.count(); }
json::value ToJson(const ScopeKind& kind) { return json::value_from(ScopeKindName(kind)); }
json::value ToJson(const RoundMode& mode) { return json::value_from(RoundModeName(mode)); }

// False when the value is none for the option.

template <class Value>
bool FromJson(const json::value& value, Value& option) {
  const auto read = json::try_value_to<Value>(value);
  if (read) option = *read;
  return read.has_value();
}
bool FromJson(const json::value& value, milliseconds& time) {
  std::int64_t count = 0;
  if (!FromJson(value, count)) return false;
  time = milliseconds(count);
  return true;
}
template <class Value>
bool FromJson(const json::value& value, Value& option,
              Result<Value> (*parse)(std::string_view name)) {
  const Result<Value> parsed =
      value.is_string() ? parse(value.get_string()) : Result<Value>(Error::kUsage);
  if (parsed) option = *parsed;
  return parsed.has_value();
}
bool FromJson(const json::value& value, ScopeKind& kind) {
  return FromJson(value, kind, &ParseScopeKind);
}
bool FromJson(const json::value& value, RoundMode& mode) {
  return FromJson(value, mode, &ParseRoundMode);
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
  json::object object;
  ForEachOption(*this,
                [&](std::string_view key, const auto& option) { object[key] = ToJson(option); });
  return json::serialize(object);
}

Result<CrawlOptions> CrawlOptions::FromJson(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return Error::kUsage;
  CrawlOptions options;
  bool sound = true;
  ForEachOption(options, [&](std::string_view key, auto& option) {
    const json::value* const found = value.get_object().if_contains(key);
    if (found != nullptr) sound &= trawl::FromJson(*found, option);
  });
  if (!sound) return Error::kUsage;
  return options;
}

}  // namespace trawl

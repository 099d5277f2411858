#include "worker/probe/why.h"

#include <boost/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/registrable_domain.h"
#include "common/robots.h"
#include "common/scope.h"
#include "common/url_rewrite.h"
#include "common/url_traps.h"
#include "common/utf8.h"
#include "coordinator/report_rules.h"
#include "coordinator/results/result_search.h"
#include "coordinator/store/robots_record.h"
#include "worker/probe/decisions.h"

namespace trawl {
namespace {

namespace json = boost::json;

json::value TextOrNull(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

void DescribeEntry(const FrontierEntry& entry, int depth, json::object& answer) {
  answer["depth"] = depth;
  answer["referrer"] = TextOrNull(entry.referrer);
  answer["attempts"] = entry.attempt + entry.losses;
}

Scope ScopeOf(const CrawlOptions& options) {
  std::string complaint;
  std::optional<Scope> scope = Scope::Make(options, complaint);
  if (!scope) throw std::runtime_error("the job's options are not valid: " + complaint);
  return std::move(*scope);
}

/// The first of the patterns that alone keeps the URL out.
std::string ExcludedBy(CrawlOptions options, const Url& url) {
  options.include.clear();
  for (const std::string& pattern : std::exchange(options.exclude, {})) {
    options.exclude = {pattern};
    if (ScopeOf(options).Judge(url) == Scope::Verdict::kExcluded) return "--exclude " + pattern;
  }
  return "--exclude";
}

using Hindrance = WhyProbe::Hindrance;

/// What the job's scope has against a URL.
std::optional<Hindrance> OutOfScope(const CrawlOptions& options, const Url& url) {
  switch (ScopeOf(options).Judge(url)) {
    case Scope::Verdict::kInside:
      break;
    case Scope::Verdict::kOutside:
      return Hindrance{"scope", "--scope " + std::string(ScopeKindName(options.scope)),
                       "outside of what the seeds' scope takes in"};
    case Scope::Verdict::kExcluded:
      return Hindrance{"scope", ExcludedBy(options, url), "an excluded pattern is found in it"};
    case Scope::Verdict::kNotIncluded:
      return Hindrance{"scope", "--include", "none of the included patterns is found in it"};
  }
  return std::nullopt;
}

/// What the job's limits on URLs have against one.
std::optional<Hindrance> BeyondLimits(const UrlLimits& limits, const Url& url) {
  const std::string_view broken = LimitBrokenBy(url, limits);
  const struct {
    std::string_view word;
    const char* flag;
    int limit;
  } kLimits[] = {{"url_length", "--max-url-bytes", limits.bytes},
                 {"path_segments", "--max-path-segments", limits.path_segments},
                 {"repeated_segments", "--max-repeated-segments", limits.repeated_segments},
                 {"query_params", "--max-query-params", limits.query_params}};
  for (const auto& limit : kLimits) {
    if (limit.word != broken) continue;
    return Hindrance{std::string(broken),
                     std::string(limit.flag) + ' ' + std::to_string(limit.limit),
                     "it looks like the URL of a crawler trap, and was not given"};
  }
  return std::nullopt;
}

bool MayReach(const CrawlOptions& options, const Url& url) {
  return ReportRules(options, ScopeOf(options)).MayReach(url);
}

std::string_view StateOf(UrlEnding::Kind kind) {
  switch (kind) {
    case UrlEnding::Kind::kFetched:
      return "fetched";
    case UrlEnding::Kind::kRedirected:
      return "redirected";
    case UrlEnding::Kind::kFailed:
      break;
  }
  return "failed";
}

}  // namespace

WhyProbe::WhyProbe(const RedisAddress& address, const std::string& job, std::filesystem::path out)
    : reader_(address, job), job_(reader_.Hash("job")), out_(std::move(out)) {
  if (job_.empty()) throw std::runtime_error("--job: there is no job '" + job + "' in this Redis");
  const Result<CrawlOptions> options = CrawlOptions::FromJson(job_["options"]);
  if (!options) throw std::runtime_error("the options of job '" + job + "' cannot be read");
  options_ = *options;
  if (out_.empty()) {
    out_ = job_["out"];
  } else if (!std::filesystem::is_directory(out_)) {
    throw std::runtime_error("--out: there is no folder " + out_.string());
  }
}

json::object WhyProbe::Explain(const Url& given) {
  const Url url = UrlRewrite(options_).Apply(given);
  json::object answer{{"url", url.text()}, {"state", nullptr}, {"depth", nullptr}};
  const UrlPlace place = reader_.Find(url.text());
  if (place.waiting || place.leased || place.delayed) {
    ExplainPlace(url, place, answer);
  } else if (place.seen) {
    ExplainEnding(url, answer);
  } else {
    ExplainAbsence(url, answer);
  }
  answer["robots"] = Robots(url);
  const json::value* const reason = answer.if_contains("reason");
  if (reason != nullptr && *reason == json::value(ReasonWord(Error::kRobots)) &&
      answer["robots"].is_object()) {
    answer["rule"] = answer["robots"].at("rule");
  }
  answer["job"] = json::object{{"state", TextOrNull(job_["state"])},
                               {"round", TextOrNull(job_["round"])},
                               {"depth", options_.depth}};
  return answer;
}

void WhyProbe::ExplainPlace(const Url& url, const UrlPlace& place, json::object& answer) const {
  if (place.leased) {
    answer["state"] = "leased";
    DescribeEntry(place.leased->entry, place.leased->depth, answer);
    answer["worker"] = place.leased->worker;
    answer["lease"] = place.leased->lease;
    answer["detail"] = "a worker has it and has not reported it yet";
    return;
  }
  answer["state"] = "waiting";
  if (place.delayed) {
    DescribeEntry(place.delayed->entry, place.delayed->depth, answer);
    answer["until"] = Rfc3339(place.delayed->until);
    answer["detail"] = "its fetch has failed, and it waits to be tried again";
    return;
  }
  DescribeEntry(place.waiting->entry, place.waiting->depth, answer);
  answer["ahead"] = place.waiting->ahead;
  answer["detail"] = "waits in the queue of " + std::string(url.authority());
}

void WhyProbe::ExplainEnding(const Url& url, json::object& answer) const {
  std::optional<UrlEnding> ending;
  if (!out_.empty()) ending = FindEnding(out_, url.text());
  if (!ending) {
    answer["state"] = "seen";
    answer["detail"] = "it has ended, but its row is not in the results in '" + out_.string() + "'";
    return;
  }
  boost::system::error_code error;
  const json::value row = json::parse(ending->row, error);
  if (error || !row.is_object()) throw std::runtime_error("not a row: " + ending->row);
  answer["state"] = StateOf(ending->kind);
  for (const char* key : {"depth", "reason", "detail"}) {
    if (const json::value* value = row.get_object().if_contains(key)) answer[key] = *value;
  }
  answer["row"] = row;
}

/// What the job's limits have against one URL more of its host, as things stand now.
std::optional<WhyProbe::Hindrance> WhyProbe::BeyondCounts(const Url& url) {
  const auto reaches = [](const std::optional<std::string>& count, std::uint64_t limit) {
    return limit > 0 && count && std::stoll(*count) >= static_cast<std::int64_t>(limit);
  };
  const auto pages = reader_.Field("pages_of_host", url.authority());
  if (reaches(pages, options_.max_pages_per_host)) {
    return Hindrance{std::string(DropWord(Admission::Kind::kHostFull)),
                     "--max-pages-per-host " + std::to_string(options_.max_pages_per_host),
                     "its host has all the pages that it may have"};
  }
  const auto hosts = reader_.Field("hosts_of_domain", RegistrableDomain(url.host()));
  if (!pages && reaches(hosts, options_.max_hosts_per_domain)) {
    return Hindrance{std::string(DropWord(Admission::Kind::kDomainFull)),
                     "--max-hosts-per-domain " + std::to_string(options_.max_hosts_per_domain),
                     "its host is not among those that its domain may have"};
  }
  return std::nullopt;
}

void WhyProbe::ExplainAbsence(const Url& url, json::object& answer) {
  answer["state"] = "not_seen";
  std::optional<Hindrance> hindrance = OutOfScope(options_, url);
  if (!hindrance) hindrance = BeyondLimits(options_.url_limits, url);
  if (!hindrance) hindrance = BeyondCounts(url);
  if (hindrance) {
    answer["reason"] = hindrance->reason;
    answer["rule"] = hindrance->rule;
    answer["detail"] = hindrance->detail;
  } else if (!MayReach(options_, url)) {
    answer["reason"] = "address";
    answer["rule"] = "--allow-private";
    answer["detail"] = "no link leads to it, and no redirect may: its host is not public";
  } else {
    answer["reason"] = "not_found";
    answer["rule"] = "--depth " + std::to_string(options_.depth);
    answer["detail"] =
        "in scope, but nothing that was fetched so far leads to it at a depth up to " +
        std::to_string(options_.depth);
  }
}

/// What the job knows of the origin's robots.txt and what that says of the URL; null when it knows
/// nothing (any more) or does not ask.
json::value WhyProbe::Robots(const Url& url) {
  const JobReader::Fields fields = reader_.Hash("robots:" + std::string(url.origin()));
  const Result<RobotsRecord> record = RobotsRecord::FromFields(fields);
  if (options_.ignore_robots || !record) return nullptr;
  json::object robots;
  for (const auto& [name, value] : fields) {
    if (name != "body" && !name.ends_with("_ms")) robots[name] = ValidUtf8(value);
  }
  robots["allowed"] = record->state == RobotsRecord::State::kAllowAll;
  robots["rule"] = nullptr;
  if (record->state == RobotsRecord::State::kRules) {
    const json::object verdict =
        ExplainRobots(trawl::Robots::Parse(record->body, options_.user_agent), url.target());
    for (const char* key : {"allowed", "rule", "crawl_delay"}) robots[key] = verdict.at(key);
  }
  return robots;
}

}  // namespace trawl

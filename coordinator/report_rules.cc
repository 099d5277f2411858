#include "coordinator/report_rules.h"

#include <algorithm>

#include "common/address.h"
#include "coordinator/result_rows.h"

namespace trawl {
namespace {

CrawlSettings SettingsOf(const CrawlOptions& crawl) {
  CrawlSettings settings;
  settings.user_agent = crawl.user_agent;
  settings.ignore_robots = crawl.ignore_robots;
  settings.ignore_robots_tag = crawl.ignore_robots_tag;
  settings.ignore_meta_robots = crawl.ignore_meta_robots;
  settings.ignore_rel_nofollow = crawl.ignore_rel_nofollow;
  settings.allow_private = crawl.allow_private;
  settings.content_types = crawl.content_types;
  settings.max_body_bytes = crawl.max_body_bytes;
  settings.fetch_timeout = crawl.fetch_timeout;
  for (const std::string& seed : crawl.seeds) {
    const Result<Url> url = Url::Parse(seed);
    if (url && IsPrivateHost(url->host())) settings.private_hosts.emplace_back(url->host());
  }
  return settings;
}

Candidate CandidateOf(const Url& url) { return {FingerprintOf(url.text()), url.text()}; }

}  // namespace

ReportRules::ReportRules(CrawlOptions crawl, Scope scope)
    : crawl_(std::move(crawl)),
      rewrite_(crawl_),
      scope_(std::move(scope)),
      settings_(SettingsOf(crawl_)) {}

std::vector<Candidate> ReportRules::Seeds() const {
  std::vector<Candidate> seeds;
  for (const std::string& seed : crawl_.seeds) {
    if (const Result<Url> url = Take(seed)) seeds.push_back(CandidateOf(*url));
  }
  return seeds;
}

AcceptStep ReportRules::StepFor(const Report& report, int depth) const {
  AcceptStep step;
  step.lease = report.lease_id;
  step.index = report.index;
  step.links = LinksOf(report, depth + 1);
  if (report.outcome) step.ending = EndingOf(report, depth);
  return step;
}

std::vector<Candidate> ReportRules::LinksOf(const Report& report, int depth) const {
  std::vector<Candidate> candidates;
  if (depth > crawl_.depth) return candidates;
  candidates.reserve(report.links.size());
  for (const std::string& link : report.links) {
    const Result<Url> url = Take(link);
    if (url && scope_.Admits(*url)) candidates.push_back(CandidateOf(*url));
  }
  return candidates;
}

Ending ReportRules::EndingOf(const Report& report, int depth) const {
  Ending ending;
  if (const auto* fetched = std::get_if<Fetched>(&*report.outcome)) {
    ending.kind = Ending::Kind::kFetched;
    ending.body_bytes = fetched->body_bytes;
    ending.links = fetched->links;
  } else if (const auto* redirected = std::get_if<Redirected>(&*report.outcome)) {
    return EndingOfRedirect(report, *redirected, depth);
  } else if (const auto* failed = std::get_if<Failed>(&*report.outcome)) {
    ending.kind = Ending::Kind::kFailed;
    ending.reason = failed->reason;
    ending.row = FailedRow(report.entry, depth, *failed);
  } else {
    ending.kind = Ending::Kind::kReturned;
  }
  return ending;
}

Ending ReportRules::EndingOfRedirect(const Report& report, const Redirected& redirected,
                                     int depth) const {
  Ending ending;
  ending.kind = Ending::Kind::kRedirected;
  ending.target_hops = report.entry.hops + 1;
  const Result<Url> target =
      redirected.crawlable ? Take(redirected.to) : Result<Url>(Error::kNotCrawlable);
  Redirected shown = redirected;
  if (target) shown.to = target->text();
  ending.row = RedirectRow(report.entry, depth, shown);
  if (!target) {
    ending.refusal = "malformed";
  } else if (ending.target_hops > crawl_.max_hops) {
    ending.refusal = "too_many";
  } else if (!scope_.Admits(*target)) {
    ending.refusal = "scope";
  } else if (!MayReach(*target)) {
    ending.refusal = "address";
  } else {
    ending.target = CandidateOf(*target);
  }
  return ending;
}

Result<Url> ReportRules::Take(const std::string& text) const {
  const Result<Url> url = Url::Parse(text);
  return url ? rewrite_.Apply(*url) : url;
}

/// Decides on the name alone; the worker checks the address that it connects to.
bool ReportRules::MayReach(const Url& url) const {
  const auto& own = settings_.private_hosts;
  return crawl_.allow_private || !IsPrivateHost(url.host()) ||
         std::find(own.begin(), own.end(), url.host()) != own.end();
}

}  // namespace trawl

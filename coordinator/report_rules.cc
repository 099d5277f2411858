#include "coordinator/report_rules.h"

#include <algorithm>

#include "common/address.h"
#include "common/own_headers.h"
#include "common/registrable_domain.h"
#include "common/robots.h"
#include "common/url_traps.h"
#include "coordinator/results/result_rows.h"

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
  settings.own_headers = OwnHeaders(crawl);
  if (!settings.own_headers.empty()) settings.own_origins = OwnOrigins(crawl);
  settings.proxy = crawl.proxy;
  settings.insecure = crawl.insecure;
  settings.cookies = crawl.cookies;
  settings.content_types = crawl.content_types;
  settings.max_body_bytes = crawl.max_body_bytes;
  settings.max_links_per_page = crawl.max_links_per_page;
  settings.fetch_timeout = crawl.fetch_timeout;
  for (const auto* given : {&crawl.seeds, &crawl.sitemap_urls}) {
    for (const std::string& text : *given) {
      const Result<Url> url = Url::Parse(text);
      if (url && IsPrivateHost(url->host())) settings.private_hosts.emplace_back(url->host());
    }
  }
  return settings;
}

Candidate CandidateOf(const Url& url) { return {FingerprintOf(url.text()), url.text()}; }

/// Puts a URL among the candidates, or counts why not.
void Offer(const Url& url, std::string_view refusal, std::vector<Candidate>& candidates,
           Drops& drops) {
  if (refusal.empty()) {
    candidates.push_back(CandidateOf(url));
    return;
  }
  const auto drop = drops.find(refusal);
  ++(drop != drops.end() ? drop->second : drops[std::string(refusal)]);
}

/// Whether a sitemap may speak for the host of a URL (sitemaps.org, "Sitemaps & Cross Submits").
/// One that was given is taken at its word; one that robots.txt lists may speak for the host of
/// that file, which is its referrer, and for its own. That a sitemap may list only what is below
/// its own folder does not hold for these: robots.txt speaks for the whole host, and sites keep all
/// their sitemaps in one folder.
bool MaySpeakFor(const FrontierEntry& sitemap, const Url& url) {
  return sitemap.referrer.empty() || url.authority() == AuthorityOf(sitemap.referrer) ||
         url.authority() == AuthorityOf(sitemap.url);
}

}  // namespace

ReportRules::ReportRules(CrawlOptions crawl, Scope scope)
    : crawl_(std::move(crawl)),
      rewrite_(crawl_),
      scope_(std::move(scope)),
      retries_{crawl_.retries, crawl_.retry_delay},
      settings_(SettingsOf(crawl_)) {}

AdmitStep ReportRules::StepForSeeds() const {
  AdmitStep step;
  for (const std::string& seed : crawl_.seeds) {
    if (const Result<Url> url = Take(seed)) step.candidates.push_back(CandidateOf(*url));
  }
  for (const std::string& sitemap : crawl_.sitemap_urls) {
    if (const Result<Url> url = Take(sitemap)) step.sitemaps.push_back(CandidateOf(*url));
  }
  return step;
}

SetLimitsStep ReportRules::StepForLimits() const {
  return {crawl_.max_pages_per_host, crawl_.max_hosts_per_domain};
}

AdmitStep ReportRules::StepForBeyond(const FoundBeyond& found) const {
  AdmitStep step;
  step.depth = found.depth;
  step.referrer = found.referrer;
  for (const std::string& url : found.urls) step.candidates.push_back({FingerprintOf(url), url});
  NameDomains(AuthorityOf(found.referrer), step.candidates, step.domains);
  return step;
}

AdmitStep ReportRules::StepForRobots(const std::string& origin, std::string_view robots_body,
                                     int depth) const {
  AdmitStep step;
  const Result<Url> robots_url = Url::Parse(origin + "/robots.txt");
  // Hosts that only serve the sitemaps of others lead no further.
  if (!crawl_.sitemaps || !robots_url || !scope_.CoversHostOf(*robots_url)) return step;
  step.depth = depth;
  step.sitemap_referrer = robots_url->text();
  const Robots robots = Robots::Parse(robots_body, crawl_.user_agent);
  for (const std::string& line : robots.sitemaps()) {
    if (step.sitemaps.size() == kMaxListedSitemaps) break;
    const Result<Url> listed = robots_url->Resolve(line);
    const Result<Url> url = listed ? Take(listed->text()) : listed;
    if (url && RefusalOf(*url, true).empty()) step.sitemaps.push_back(CandidateOf(*url));
  }
  NameDomains(robots_url->authority(), step.sitemaps, step.domains);
  return step;
}

AcceptStep ReportRules::StepFor(const Report& report, int depth) const {
  AcceptStep step;
  step.lease = report.lease_id;
  step.index = report.index;
  step.is_sitemap = report.entry.sitemap > 0;
  OfferLinks(report, step.DepthOfLinks(depth), step);
  OfferSitemaps(report, step);
  if (report.outcome) step.ending = EndingOf(report, depth);
  if (step.ending && !step.ending->refusal.empty()) ++step.drops[step.ending->refusal];
  const Fetched* fetched = report.outcome ? std::get_if<Fetched>(&*report.outcome) : nullptr;
  if (fetched && fetched->links_left_out > 0 && step.DepthOfLinks(depth) <= crawl_.depth) {
    step.drops["links_per_page"] += fetched->links_left_out;
  }
  const std::string_view host = AuthorityOf(report.entry.url);
  NameDomains(host, step.links, step.domains);
  NameDomains(host, step.sitemaps, step.domains);
  if (step.ending && step.ending->target) NameDomains(host, {*step.ending->target}, step.domains);
  return step;
}

void ReportRules::OfferLinks(const Report& report, int depth, AcceptStep& step) const {
  // What leads too deep is kept for a crawl that goes deeper, but is no link that was dropped.
  const bool is_beyond = depth > crawl_.depth;
  Drops not_counted;
  std::vector<Candidate>& links = is_beyond ? step.beyond : step.links;
  Drops& drops = is_beyond ? not_counted : step.drops;
  links.reserve(report.links.size());
  for (const std::string& link : report.links) {
    const Result<Url> url = Take(link);
    if (!url) continue;
    std::string_view refusal = RefusalOf(*url);
    if (refusal.empty() && report.entry.sitemap > 0 && !MaySpeakFor(report.entry, *url)) {
      refusal = "sitemap_host";
    }
    Offer(*url, refusal, links, drops);
  }
}

void ReportRules::OfferSitemaps(const Report& report, AcceptStep& step) const {
  const int level = report.entry.sitemap;
  if (level == 0) return;
  for (const std::string& sitemap : report.sitemaps) {
    const Result<Url> url = Take(sitemap);
    if (!url) continue;
    std::string_view refusal = RefusalOf(*url, true);
    if (refusal.empty() && !MaySpeakFor(report.entry, *url)) refusal = "sitemap_host";
    if (refusal.empty() && level >= kMaxSitemapLevels) refusal = "sitemap_levels";
    Offer(*url, refusal, step.sitemaps, step.drops);
  }
}

/// A sitemap may lie anywhere, and its name says nothing of what it lists, so that neither the
/// scope nor --include keeps it out.
std::string_view ReportRules::RefusalOf(const Url& url, bool is_sitemap) const {
  switch (is_sitemap ? (scope_.Excludes(url) ? Scope::Verdict::kExcluded : Scope::Verdict::kInside)
                     : scope_.Judge(url)) {
    case Scope::Verdict::kOutside:
      return "scope";
    case Scope::Verdict::kNotIncluded:
    case Scope::Verdict::kExcluded:
      return "excluded";
    case Scope::Verdict::kInside:
      break;
  }
  return LimitBrokenBy(url, crawl_.url_limits);
}

/// Of the hosts other than the one that they were found at, which is no new one.
void ReportRules::NameDomains(std::string_view own_host, const std::vector<Candidate>& candidates,
                              Domains& domains) const {
  if (crawl_.max_hosts_per_domain == 0) return;
  std::string_view last_host = own_host;
  for (const Candidate& candidate : candidates) {
    const std::string_view host = AuthorityOf(candidate.url);
    if (host == own_host || host == last_host) continue;
    last_host = host;
    if (domains.contains(host)) continue;
    const Url url = Url::Parse(candidate.url).value();  // its text is that of a URL
    domains.emplace(host, RegistrableDomain(url.host()));
  }
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
    const auto delay =
        retries_.DelayAfter(*failed, report.entry.attempt, FingerprintOf(report.entry.url));
    ending.kind = delay ? Ending::Kind::kRetried : Ending::Kind::kFailed;
    ending.reason = failed->reason;
    if (delay) {
      ending.delay = *delay;
    } else {
      ending.row = FailedRow(report.entry, depth, *failed);
    }
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
  } else if (const auto refusal = RefusalOf(*target, report.entry.sitemap > 0); !refusal.empty()) {
    ending.refusal = refusal == "excluded" ? "scope" : refusal;
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

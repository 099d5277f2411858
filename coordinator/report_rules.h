// Turns what a worker reports into the step that the store takes: which of the links may be
// offered, and how the URL ends. Immutable after construction; no I/O.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/options.h"
#include "common/scope.h"
#include "common/url_rewrite.h"
#include "coordinator/results/part_files.h"
#include "coordinator/retry_policy.h"
#include "coordinator/store/store.h"
#include "proto/messages.h"

namespace trawl {

/// Sitemaps that one robots.txt may name; those behind are ignored.
inline constexpr std::size_t kMaxListedSitemaps = 1'000;

class ReportRules {
 public:
  ReportRules(CrawlOptions crawl, Scope scope);

  /// `depth` is that of the reported URL's lease.
  AcceptStep StepFor(const Report& report, int depth) const;
  /// Seeds and given sitemaps.
  AdmitStep StepForSeeds() const;
  SetLimitsStep StepForLimits() const;
  /// URLs that were found beyond the depth that the job had before.
  AdmitStep StepForBeyond(const FoundBeyond& found) const;
  /// The sitemaps that a robots.txt lists; empty unless the job wants them. `depth` is that of a
  /// lease of its host.
  AdmitStep StepForRobots(const std::string& origin, std::string_view robots_body, int depth) const;
  /// What workers have to know of the job.
  const CrawlSettings& settings() const { return settings_; }
  /// Why a URL that was found as a page may not be offered: "scope", "excluded", or a word of
  /// common/url_traps.h. Empty: it may.
  std::string_view RefusalOf(const Url& url) const { return RefusalOf(url, false); }
  /// Whether a redirect may lead to the URL, as far as its host's name tells.
  bool MayReach(const Url& url) const;

 private:
  void OfferLinks(const Report& report, int depth, AcceptStep& step) const;
  void OfferSitemaps(const Report& report, AcceptStep& step) const;
  std::string_view RefusalOf(const Url& url, bool is_sitemap) const;
  void NameDomains(std::string_view own_host, const std::vector<Candidate>& candidates,
                   Domains& domains) const;
  Ending EndingOf(const Report& report, int depth) const;
  Ending EndingOfRedirect(const Report& report, const Redirected& redirected, int depth) const;
  /// The URL that the crawl takes for `text`.
  Result<Url> Take(const std::string& text) const;

  CrawlOptions crawl_;
  UrlRewrite rewrite_;
  Scope scope_;
  RetryPolicy retries_;
  CrawlSettings settings_;
};

}  // namespace trawl

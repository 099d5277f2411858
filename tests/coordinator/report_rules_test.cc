#include "coordinator/report_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CrawlOptions Options() {
  CrawlOptions crawl;
  crawl.seeds = {"http://a.test/"};
  crawl.depth = 3;
  return crawl;
}

ReportRules Rules(const CrawlOptions& crawl) {
  std::string complaint;
  return ReportRules(crawl, Scope::Make(crawl, complaint).value());
}

Report ReportOf(std::optional<Outcome> outcome, std::vector<std::string> links = {}) {
  Report report;
  report.lease_id = 9;
  report.index = 4;
  report.entry = {"http://a.test/page", "http://a.test/", 0, 2, 0};
  report.links = std::move(links);
  report.outcome = std::move(outcome);
  return report;
}

std::vector<std::string> Urls(const std::vector<Candidate>& candidates) {
  std::vector<std::string> urls;
  for (const Candidate& candidate : candidates) {
    EXPECT_EQ(candidate.fingerprint, FingerprintOf(candidate.url));
    urls.push_back(candidate.url);
  }
  return urls;
}

TEST(ReportRules, AStepNamesWhatIsReported) {
  const AcceptStep step = Rules(Options()).StepFor(ReportOf(Fetched{}), 1);
  EXPECT_EQ(step.lease, 9u);
  EXPECT_EQ(step.index, 4);
}

TEST(ReportRules, OffersOnlyLinksInScope) {
  CrawlOptions crawl = Options();
  crawl.exclude = {"logout"};
  const AcceptStep step = Rules(crawl).StepFor(
      ReportOf(Fetched{}, {"http://a.test/1", "http://b.test/2", "http://a.test/logout",
                           "https://a.test/3", "http://a.test:81/4"}),
      0);
  EXPECT_THAT(Urls(step.links), ElementsAre("http://a.test/1", "https://a.test/3"));
}

std::string TextOf(const Drops& drops) {
  std::string text;
  for (const auto& [word, count] : drops) text += word + ' ' + std::to_string(count) + ' ';
  return text;
}

TEST(ReportRules, CountsWhatItDoesNotOfferByReason) {
  CrawlOptions crawl = Options();
  crawl.exclude = {"logout"};
  crawl.include = {"a"};
  crawl.url_limits = {40, 3, 1, 2};
  const ReportRules rules = Rules(crawl);
  const std::vector<std::string> links = {
      "http://a.test/1",       "http://b.test/2",    "http://c.test/logout",
      "http://a.test/logout",  "http://a.test/?a&b", "http://a.test/?a&b&c",
      "http://a.test/x/y/x/y", "http://a.test/x/x",  "http://a.test/a/b/c/d/e",
      "http://a.test/a/a/a",   "http://b.test/2",    "http://a.test/" + std::string(30, 'x')};
  const AcceptStep step = rules.StepFor(ReportOf(Fetched{}, links), 0);
  EXPECT_THAT(Urls(step.links),
              ElementsAre("http://a.test/1", "http://a.test/?a&b", "http://a.test/x/x"));
  EXPECT_EQ(TextOf(step.drops),
            "excluded 1 path_segments 2 query_params 1 repeated_segments 1 scope 3 url_length 1 ");
  EXPECT_EQ(TextOf(rules.StepFor(ReportOf(Fetched{}, links), crawl.depth).drops), "")
      << "what is too deep is not looked at";
}

TEST(ReportRules, CountsLinksThatTheWorkerLeftOut) {
  CrawlOptions crawl = Options();
  crawl.max_links_per_page = 7;
  EXPECT_EQ(Rules(crawl).settings().max_links_per_page, 7u);
  EXPECT_EQ(TextOf(Rules(crawl).StepFor(ReportOf(Fetched{1, 7, 5}), 0).drops), "links_per_page 5 ");
}

TEST(ReportRules, NamesTheDomainsOfOtherHosts) {
  CrawlOptions crawl = Options();
  crawl.scope = ScopeKind::kAny;
  crawl.sitemaps = true;
  Report report =
      ReportOf(Redirected{301, "http://r.d.test/", true},
               {"http://a.test/1", "http://x.b.co.uk/", "http://x.b.co.uk/2",
                "http://127.0.0.1:81/", "https://c.test/", "http://localhost/", "http://[::1]/"});
  const Domains wanted = {{"127.0.0.1:81", "127.0.0.1"}, {"[::1]", "[::1]"},
                          {"c.test", "c.test"},          {"localhost", "localhost"},
                          {"r.d.test", "d.test"},        {"x.b.co.uk", "b.co.uk"}};
  EXPECT_EQ(Rules(crawl).StepFor(report, 0).domains, wanted);
  const std::string robots = "Sitemap: http://x.b.test/s\nSitemap: /s\n";
  EXPECT_EQ(Rules(crawl).StepForRobots("http://a.test", robots, 0).domains,
            (Domains{{"x.b.test", "b.test"}}));
  EXPECT_EQ(Rules(crawl).StepForSeeds().domains, Domains{}) << "what is given does not count";
  crawl.max_hosts_per_domain = 0;
  EXPECT_EQ(Rules(crawl).StepFor(report, 0).domains, Domains{});
}

TEST(ReportRules, LimitsOfUrlsHoldForWhateverIsFoundButNotForWhatIsGiven) {
  const std::string trap = "http://a.test/a/b/a/b/a/b/";
  CrawlOptions crawl = Options();
  crawl.seeds.push_back(trap);
  crawl.sitemap_urls = {trap};
  crawl.sitemaps = true;
  const ReportRules rules = Rules(crawl);
  EXPECT_THAT(Urls(rules.StepForSeeds().candidates), ElementsAre("http://a.test/", trap));
  EXPECT_THAT(Urls(rules.StepForSeeds().sitemaps), ElementsAre(trap));
  EXPECT_THAT(rules.StepForRobots("http://a.test", "Sitemap: " + trap, 0).sitemaps, IsEmpty());

  const AcceptStep redirect = rules.StepFor(ReportOf(Redirected{301, trap, true}), 0);
  EXPECT_EQ(redirect.ending->refusal, "repeated_segments");
  EXPECT_EQ(TextOf(redirect.drops), "repeated_segments 1 ");

  Report sitemap = ReportOf(Fetched{}, {trap});
  sitemap.entry.sitemap = 1;
  sitemap.sitemaps = {trap};
  const AcceptStep listed = rules.StepFor(sitemap, 0);
  EXPECT_THAT(Urls(listed.links), IsEmpty());
  EXPECT_THAT(Urls(listed.sitemaps), IsEmpty());
  EXPECT_EQ(TextOf(listed.drops), "repeated_segments 2 ");
}

TEST(ReportRules, DoesNotTrustAWorkersLinksToBeCanonical) {
  const AcceptStep step = Rules(Options()).StepFor(
      ReportOf(Fetched{}, {"", "no URL", "ftp://a.test/", "HTTP://A.test/%7Ex#part"}), 0);
  EXPECT_THAT(Urls(step.links), ElementsAre("http://a.test/~x"));
}

// One place decides what URL the crawl takes: for scope and seen set, of seeds, links and targets.
TEST(ReportRules, OffersUrlsAsTheCrawlTakesThem) {
  CrawlOptions crawl = Options();
  crawl.seeds = {"http://a.test/?utm_source=x"};
  crawl.exclude = {"utm_", "b=1&a=2"};
  crawl.sort_query = true;
  crawl.strip_params = true;
  const ReportRules rules = Rules(crawl);
  EXPECT_THAT(Urls(rules.StepForSeeds().candidates), ElementsAre("http://a.test/"));
  const AcceptStep step =
      rules.StepFor(ReportOf(Fetched{}, {"http://a.test/x?b=1&a=2&utm_source=x"}), 0);
  EXPECT_THAT(Urls(step.links), ElementsAre("http://a.test/x?a=2&b=1"));
  const AcceptStep redirect =
      rules.StepFor(ReportOf(Redirected{302, "http://a.test/y;jsessionid=1", true}), 0);
  ASSERT_TRUE(redirect.ending->target);
  EXPECT_EQ(redirect.ending->target->url, "http://a.test/y");
  EXPECT_THAT(redirect.ending->row, HasSubstr("\"to\":\"http://a.test/y\""));
}

TEST(ReportRules, OffersNoLinksBeyondTheGreatestDepth) {
  const struct {
    int greatest, depth;
    bool offered;
  } kCases[] = {{3, 0, true}, {3, 2, true}, {3, 3, false}, {0, 0, false}, {1, 0, true}};
  for (const auto& c : kCases) {
    CrawlOptions crawl = Options();
    crawl.depth = c.greatest;
    const AcceptStep step = Rules(crawl).StepFor(ReportOf(Fetched{}, {"http://a.test/1"}), c.depth);
    EXPECT_EQ(!step.links.empty(), c.offered) << c.greatest << " " << c.depth;
    EXPECT_TRUE(step.ending);
  }
}

TEST(ReportRules, APartOfAReportEndsNothing) {
  const AcceptStep step = Rules(Options()).StepFor(ReportOf(std::nullopt, {"http://a.test/1"}), 0);
  EXPECT_FALSE(step.ending);
  EXPECT_EQ(step.links.size(), 1u);
}

TEST(ReportRules, AFetchedPageCountsItsBytesAndLinks) {
  const Ending ending = Rules(Options()).StepFor(ReportOf(Fetched{123, 45}), 0).ending.value();
  EXPECT_EQ(ending.kind, Ending::Kind::kFetched);
  EXPECT_EQ(ending.body_bytes, 123u);
  EXPECT_EQ(ending.links, 45u);
  EXPECT_EQ(ending.row, "");
}

TEST(ReportRules, AFailureHasItsReasonAndRow) {
  const Ending ending = Rules(Options())
                            .StepFor(ReportOf(Failed{Error::kDns, "no such\nname", 0, true}), 2)
                            .ending.value();
  EXPECT_EQ(ending.kind, Ending::Kind::kFailed);
  EXPECT_EQ(ending.reason, Error::kDns);
  EXPECT_THAT(ending.row, HasSubstr(R"("reason":"dns")"));
  EXPECT_EQ(ending.row.find('\n'), std::string::npos);
}

TEST(ReportRules, AFailureThatMayPassIsRetriedUntilItsLastTry) {
  CrawlOptions crawl = Options();
  crawl.retries = 1;
  crawl.retry_delay = milliseconds(1'000);
  Report report = ReportOf(Failed{Error::kReset, "connection reset", 0});
  const Ending first = Rules(crawl).StepFor(report, 0).ending.value();
  EXPECT_EQ(first.kind, Ending::Kind::kRetried);
  EXPECT_GE(first.delay, milliseconds(500));
  EXPECT_EQ(first.row, "");
  report.entry.attempt = 1;
  const Ending last = Rules(crawl).StepFor(report, 0).ending.value();
  EXPECT_EQ(last.kind, Ending::Kind::kFailed);
  EXPECT_THAT(last.row, HasSubstr(R"("attempts":2)"));
}

TEST(ReportRules, WhatWasNotTriedIsReturned) {
  const Ending ending = Rules(Options()).StepFor(ReportOf(Returned{}), 0).ending.value();
  EXPECT_EQ(ending.kind, Ending::Kind::kReturned);
  EXPECT_EQ(ending.row, "");
}

TEST(ReportRules, ARedirectTargetInScopeIsOfferedWithOneHopMore) {
  const Ending ending = Rules(Options())
                            .StepFor(ReportOf(Redirected{302, "http://a.test/to", true}), 3)
                            .ending.value();
  EXPECT_EQ(ending.kind, Ending::Kind::kRedirected);
  ASSERT_TRUE(ending.target) << "redirects cost no depth";
  EXPECT_THAT(Urls({*ending.target}), ElementsAre("http://a.test/to"));
  EXPECT_EQ(ending.target_hops, 3);
  EXPECT_EQ(ending.refusal, "");
  EXPECT_THAT(ending.row, HasSubstr(R"("status":302)"));
}

TEST(ReportRules, ARedirectTargetIsRefusedForAReason) {
  const struct {
    const char* refusal;
    const char* to;
    bool crawlable;
    ScopeKind scope;
    int max_hops;
    bool allow_private;
  } kCases[] = {
      {"malformed", "javascript:void(0)", false, ScopeKind::kAny, 9, true},
      {"malformed", "http://a.test/", false, ScopeKind::kAny, 9, true},
      {"malformed", "rubbish", true, ScopeKind::kAny, 9, true},
      {"malformed", "", true, ScopeKind::kAny, 9, true},
      {"too_many", "http://a.test/", true, ScopeKind::kAny, 2, true},
      {"", "http://a.test/", true, ScopeKind::kAny, 3, true},
      {"scope", "http://b.test/", true, ScopeKind::kHost, 9, true},
      {"scope", "http://10.0.0.1/", true, ScopeKind::kHost, 9, false},
      {"address", "http://10.0.0.1/", true, ScopeKind::kAny, 9, false},
      {"address", "http://localhost:8080/", true, ScopeKind::kAny, 9, false},
      {"address", "http://169.254.169.254/latest/", true, ScopeKind::kAny, 9, false},
      {"", "http://10.0.0.1/", true, ScopeKind::kAny, 9, true},
      {"", "http://93.184.216.34/", true, ScopeKind::kAny, 9, false},
  };
  for (const auto& c : kCases) {
    CrawlOptions crawl = Options();
    crawl.scope = c.scope;
    crawl.max_hops = c.max_hops;
    crawl.allow_private = c.allow_private;
    const Ending ending =
        Rules(crawl).StepFor(ReportOf(Redirected{301, c.to, c.crawlable}), 0).ending.value();
    EXPECT_EQ(ending.refusal, c.refusal) << c.to;
    EXPECT_EQ(ending.target.has_value(), ending.refusal.empty()) << c.to;
    EXPECT_NE(ending.row, "");
  }
}

TEST(ReportRules, ASeedThatIsNotPublicAllowsItsOwnHostOnly) {
  CrawlOptions crawl = Options();
  crawl.seeds = {"http://127.0.0.1:8080/", "http://a.test/", "http://[::1]/"};
  crawl.scope = ScopeKind::kAny;
  const ReportRules rules = Rules(crawl);
  EXPECT_THAT(rules.settings().private_hosts, ElementsAre("127.0.0.1", "[::1]"));
  const struct {
    const char* to;
    const char* refusal;
  } kCases[] = {{"http://127.0.0.1/", ""},
                {"http://127.0.0.1:99/", ""},
                {"http://127.0.0.2/", "address"},
                {"http://localhost/", "address"}};
  for (const auto& c : kCases) {
    const Report report = ReportOf(Redirected{301, c.to, true});
    EXPECT_EQ(rules.StepFor(report, 0).ending->refusal, c.refusal) << c.to;
  }
}

TEST(ReportRules, SeedsAreCanonical) {
  CrawlOptions crawl = Options();
  crawl.seeds = {"HTTP://A.test", "http://b.test/x#y"};
  EXPECT_THAT(Urls(Rules(crawl).StepForSeeds().candidates),
              ElementsAre("http://a.test/", "http://b.test/x"));
}

TEST(ReportRules, WorkersAreToldTheJobsSettings) {
  CrawlOptions crawl = Options();
  crawl.user_agent = "bot/1";
  crawl.ignore_robots = true;
  crawl.ignore_robots_tag = true;
  crawl.ignore_meta_robots = true;
  crawl.ignore_rel_nofollow = true;
  crawl.allow_private = true;
  crawl.seeds = {"http://a.test/x"};
  crawl.headers = {"X-Key: 1"};
  crawl.auth = "u:p";
  crawl.cookies = true;
  crawl.proxy = "http://p.test";
  crawl.insecure = true;
  crawl.content_types = {"*/*"};
  crawl.max_body_bytes = 77;
  crawl.fetch_timeout = milliseconds(88);
  const ReportRules rules = Rules(crawl);
  const CrawlSettings& settings = rules.settings();
  EXPECT_EQ(settings.user_agent, "bot/1");
  EXPECT_TRUE(settings.ignore_robots);
  EXPECT_TRUE(settings.ignore_robots_tag);
  EXPECT_TRUE(settings.ignore_meta_robots);
  EXPECT_TRUE(settings.ignore_rel_nofollow);
  EXPECT_TRUE(settings.allow_private);
  EXPECT_THAT(settings.own_headers, ElementsAre("X-Key: 1", "Authorization: Basic dTpw"));
  EXPECT_THAT(settings.own_origins, ElementsAre("http://a.test", "https://a.test"));
  EXPECT_EQ(settings.proxy, "http://p.test");
  EXPECT_TRUE(settings.cookies && settings.insecure);
  EXPECT_THAT(settings.content_types, ElementsAre("*/*"));
  EXPECT_EQ(settings.max_body_bytes, 77u);
  EXPECT_EQ(settings.fetch_timeout, milliseconds(88));
  EXPECT_THAT(settings.private_hosts, IsEmpty());
}

// ---- Sitemaps ----

Report SitemapReport(int level, const std::string& url, const std::string& referrer) {
  Report report = ReportOf(Fetched{});
  report.entry = {url, referrer, 0, 0, 0, level};
  return report;
}

TEST(ReportRules, WhatASitemapListsHasItsDepth) {
  Report report = SitemapReport(1, "http://a.test/s", "");
  report.links = {"http://a.test/1"};
  report.sitemaps = {"http://a.test/s2"};
  for (const int depth : {0, Options().depth}) {
    const AcceptStep step = Rules(Options()).StepFor(report, depth);
    EXPECT_TRUE(step.is_sitemap);
    EXPECT_EQ(step.DepthOfLinks(depth), depth);
    EXPECT_THAT(Urls(step.links), ElementsAre("http://a.test/1"));
    EXPECT_THAT(Urls(step.sitemaps), ElementsAre("http://a.test/s2"));
  }
}

TEST(ReportRules, APageListsNoSitemaps) {
  Report report = ReportOf(Fetched{});
  report.sitemaps = {"http://a.test/s"};
  const AcceptStep step = Rules(Options()).StepFor(report, 0);
  EXPECT_FALSE(step.is_sitemap);
  EXPECT_THAT(step.sitemaps, IsEmpty());
}

TEST(ReportRules, SitemapsNestSoDeepAndNoDeeper) {
  for (int level = 1; level <= kMaxSitemapLevels; ++level) {
    Report report = SitemapReport(level, "http://a.test/s", "");
    report.sitemaps = {"http://a.test/s2"};
    EXPECT_EQ(Rules(Options()).StepFor(report, 0).sitemaps.size(),
              level < kMaxSitemapLevels ? 1u : 0u);
  }
}

// sitemaps.org, "Sitemaps & Cross Submits".
TEST(ReportRules, ASitemapSpeaksForTheHostsThatTrustIt) {
  const std::string given;
  const std::string robots = "http://a.test/robots.txt";
  const struct {
    std::string sitemap;
    std::string referrer;
    std::string listed;
    bool offered;
  } kCases[] = {
      {"http://a.test/s", given, "http://a.test/x", true},
      {"http://a.test/s", given, "http://b.test/x", true},
      {"http://c.test/s", given, "http://b.test/x", true},
      {"http://a.test/s", robots, "http://a.test/x", true},
      {"http://a.test/s", robots, "https://a.test/x", true},
      {"http://a.test/dir/s", robots, "http://a.test/x", true},
      {"http://a.test/s", robots, "http://b.test/x", false},
      {"http://a.test/s", robots, "http://www.a.test/x", false},
      {"http://a.test/s", robots, "http://a.test:81/x", false},
      {"http://b.test/s", robots, "http://a.test/x", true},
      {"http://b.test/s", robots, "http://b.test/x", true},
      {"http://b.test/s", robots, "http://c.test/x", false},
      {"http://b.test/s", "http://a.test:81/robots.txt", "http://a.test/x", false},
  };
  CrawlOptions crawl = Options();
  crawl.scope = ScopeKind::kAny;
  for (const auto& c : kCases) {
    Report report = SitemapReport(1, c.sitemap, c.referrer);
    report.links = {c.listed};
    report.sitemaps = {c.listed};
    const AcceptStep step = Rules(crawl).StepFor(report, 0);
    EXPECT_EQ(!step.links.empty(), c.offered) << c.sitemap << ' ' << c.referrer << ' ' << c.listed;
    EXPECT_EQ(!step.sitemaps.empty(), c.offered) << c.sitemap << ' ' << c.listed;
  }
}

TEST(ReportRules, ScopeHoldsForListedPagesButNotForSitemaps) {
  CrawlOptions crawl = Options();
  crawl.include = {"/docs/"};
  crawl.exclude = {"old"};
  Report report = SitemapReport(1, "http://a.test/s", "");
  report.links = {"http://a.test/docs/1", "http://a.test/x", "http://b.test/docs/",
                  "http://a.test/docs/old", "rubbish"};
  report.sitemaps = {"http://a.test/docs/s", "http://a.test/s", "http://b.test/s",
                     "http://a.test/old", "rubbish"};
  const AcceptStep step = Rules(crawl).StepFor(report, 0);
  EXPECT_THAT(Urls(step.links), ElementsAre("http://a.test/docs/1"));
  EXPECT_THAT(Urls(step.sitemaps),
              ElementsAre("http://a.test/docs/s", "http://a.test/s", "http://b.test/s"));
}

TEST(ReportRules, ASitemapMayRedirectOutOfScopeButNotToWhatIsExcluded) {
  CrawlOptions crawl = Options();
  crawl.exclude = {"old"};
  const struct {
    const char* to;
    const char* refusal;
  } kCases[] = {{"http://a.test/s2", ""},
                {"http://b.test/s", ""},
                {"http://b.test/old", "scope"},
                {"http://127.0.0.1/s", "address"}};
  for (const auto& c : kCases) {
    Report report = SitemapReport(1, "http://a.test/s", "");
    report.outcome = Redirected{301, c.to, true};
    EXPECT_EQ(Rules(crawl).StepFor(report, 0).ending->refusal, c.refusal) << c.to;
  }
}

TEST(ReportRules, GivenSitemapsComeWithTheSeeds) {
  CrawlOptions crawl = Options();
  crawl.sitemap_urls = {"HTTP://b.test/s", "http://127.0.0.1/s"};
  const ReportRules rules = Rules(crawl);
  const AdmitStep step = rules.StepForSeeds();
  EXPECT_EQ(step.depth, 0);
  EXPECT_EQ(step.sitemap_referrer, "");
  EXPECT_THAT(Urls(step.candidates), ElementsAre("http://a.test/"));
  EXPECT_THAT(Urls(step.sitemaps), ElementsAre("http://b.test/s", "http://127.0.0.1/s"));
  EXPECT_THAT(rules.settings().private_hosts, ElementsAre("127.0.0.1"));
}

TEST(ReportRules, ARobotsTxtListsSitemaps) {
  CrawlOptions crawl = Options();
  crawl.exclude = {"old"};
  const std::string origin = "http://a.test";
  const std::string body =
      "Sitemap: http://a.test/1\nUser-agent: *\nSitemap: http://b.test/2\nsitemap:/3\n"
      "Sitemap: http://a.test/old\nSitemap: mailto:x\nSitemap:\n";
  EXPECT_THAT(Rules(crawl).StepForRobots(origin, body, 2).sitemaps, IsEmpty());
  crawl.sitemaps = true;
  const AdmitStep step = Rules(crawl).StepForRobots(origin, body, 2);
  EXPECT_EQ(step.depth, 2);
  EXPECT_EQ(step.sitemap_referrer, "http://a.test/robots.txt");
  EXPECT_THAT(step.candidates, IsEmpty());
  EXPECT_THAT(Urls(step.sitemaps),
              ElementsAre("http://a.test/1", "http://b.test/2", "http://a.test/3"));
}

TEST(ReportRules, AHostThatOnlyServesSitemapsNamesNone) {
  CrawlOptions crawl = Options();
  crawl.sitemaps = true;
  EXPECT_THAT(
      Rules(crawl).StepForRobots("http://other.test", "Sitemap: http://x.test/", 0).sitemaps,
      IsEmpty());
}

TEST(ReportRules, ARobotsTxtNamesABoundedNumberOfSitemaps) {
  CrawlOptions crawl = Options();
  crawl.sitemaps = true;
  std::string body;
  for (std::size_t i = 0; i < 2 * kMaxListedSitemaps; ++i) {
    body += "Sitemap: http://a.test/" + std::to_string(i) + '\n';
  }
  EXPECT_EQ(Rules(crawl).StepForRobots("http://a.test", body, 0).sitemaps.size(),
            kMaxListedSitemaps);
}

}  // namespace
}  // namespace trawl

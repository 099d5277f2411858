#include "coordinator/resume_rules.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

CrawlOptions Options() {
  CrawlOptions crawl;
  crawl.seeds = {"http://a.test/x/", "http://b.test/"};
  return crawl;
}

std::string RulesOf(const CrawlOptions& crawl) {
  std::string complaint;
  return FixedRules(crawl, Scope::Make(crawl, complaint).value());
}

std::string ChangeTo(const CrawlOptions& crawl) {
  return RulesChanged(RulesOf(Options()), RulesOf(crawl));
}

TEST(ResumeRules, LimitsAndSeedsOfTheSamePlacesMayChange) {
  CrawlOptions crawl = Options();
  crawl.depth = 50;
  crawl.max_pages = 7;
  crawl.host_delay = milliseconds(1);
  crawl.seeds = {"http://b.test/other", "http://a.test/y/", "http://a.test/"};
  EXPECT_EQ(RulesOf(crawl), RulesOf(Options()));
  EXPECT_EQ(ChangeTo(crawl), "");
}

TEST(ResumeRules, ScopeAndCanonicalRulesMayNot) {
  const struct {
    void (*change)(CrawlOptions&);
    const char* told;
  } kCases[] = {
      {[](CrawlOptions& crawl) { crawl.scope = ScopeKind::kAny; },
       "--scope was \"host\", now \"any\""},
      {[](CrawlOptions& crawl) { crawl.include = {"x"}; }, "--include was [], now [\"x\"]"},
      {[](CrawlOptions& crawl) { crawl.exclude = {"x"}; }, "--exclude was"},
      {[](CrawlOptions& crawl) { crawl.sort_query = true; }, "--sort-query was false, now true"},
      {[](CrawlOptions& crawl) { crawl.strip_params = true; }, "--strip-params was"},
      {[](CrawlOptions& crawl) { crawl.strip_names = {"q"}; }, "--strip-param was"},
      {[](CrawlOptions& crawl) { crawl.seeds.push_back("http://c.test/"); },
       "the places of the URLs given was [\"a.test\",\"b.test\"], now "
       "[\"a.test\",\"b.test\",\"c.test\"]"},
      {[](CrawlOptions& crawl) { crawl.seeds.pop_back(); }, "the places of the URLs given was"},
  };
  for (const auto& [change, told] : kCases) {
    CrawlOptions crawl = Options();
    change(crawl);
    EXPECT_TRUE(ChangeTo(crawl).find(told) != std::string::npos) << ChangeTo(crawl);
  }
}

TEST(ResumeRules, WhatIsNotUnderstoodDiffers) {
  EXPECT_NE(RulesChanged("rubbish", RulesOf(Options())), "");
}

}  // namespace
}  // namespace trawl

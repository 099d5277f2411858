#include "common/url_rewrite.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace trawl {
namespace {

CrawlOptions Sorting() {
  CrawlOptions options;
  options.sort_query = true;
  return options;
}

CrawlOptions Stripping() {
  CrawlOptions options;
  options.strip_params = true;
  return options;
}

CrawlOptions StrippingNames(std::vector<std::string> names) {
  CrawlOptions options;
  options.strip_names = std::move(names);
  return options;
}

struct Case {
  std::string target;
  std::string rewritten;
};

void ExpectRewritten(const CrawlOptions& options, const std::vector<Case>& cases) {
  const UrlRewrite rewrite(options);
  for (const auto& [target, rewritten] : cases) {
    const Url url = Url::Parse("http://a.test" + target).value();
    EXPECT_EQ(rewrite.Apply(url).target(), rewritten) << target;
  }
}

TEST(UrlRewrite, DoesNothingUnlessAsked) {
  ExpectRewritten(CrawlOptions(),
                  {{"/;jsessionid=1?b&utm_source=x&&a", "/;jsessionid=1?b&utm_source=x&&a"}});
}

TEST(UrlRewrite, SortsByNameAndKeepsTheOrderOfOneName) {
  ExpectRewritten(Sorting(), {{"/", "/"},
                              {"/?a", "/?a"},
                              {"/?b=1&a=2", "/?a=2&b=1"},
                              {"/?b=2&a&b=1&a=0", "/?a&a=0&b=2&b=1"},
                              {"/?a1=x&a=y", "/?a=y&a1=x"},
                              {"/?b=a=c&B&%C3%A9", "/?%C3%A9&B&b=a=c"},
                              {"/?b&&a&", "/?a&b"},
                              {"/?&", "/"},
                              {"/?=2&=1", "/?=2&=1"},
                              {"/x;b;a?utm_source", "/x;b;a?utm_source"}});
}

TEST(UrlRewrite, StripsParametersOfTracking) {
  ExpectRewritten(Stripping(),
                  {{"/?utm_source=x", "/"},
                   {"/?utm_source=x&id=1&UTM_Medium&b=", "/?id=1&b="},
                   {"/?id=1&fbclid=abc", "/?id=1"},
                   {"/?gclid=abc&id=1&gclid=", "/?id=1"},
                   {"/?utm%5Fsource=x&id=1", "/?id=1"},
                   {"/?b&&utm_x&a&", "/?b&&a&"},
                   // Not these names.
                   {"/?utm=1&xutm_source=1&fbclids=1&_gat", "/?utm=1&xutm_source=1&fbclids=1&_gat"},
                   {"/?u=utm_source=x", "/?u=utm_source=x"},
                   {"/utm_source=x", "/utm_source=x"}});
}

TEST(UrlRewrite, StripsSessions) {
  ExpectRewritten(Stripping(),
                  {{"/?PHPSESSID=1&a", "/?a"},
                   {"/?jsessionid=1", "/"},
                   {"/?ASPSESSIONIDABCDEFGH=1&ASP.NET_SessionId=2&CFID=3&CFTOKEN=4", "/"},
                   {"/a.jsp;jsessionid=1F2.node3?b", "/a.jsp?b"},
                   {"/a.jsp;JSESSIONID=1;v=2;jsessionid", "/a.jsp;v=2"},
                   {"/a/;jsessionid=1", "/a/"},
                   {"/;jsessionid=1", "/"},
                   // Only from the end of the path.
                   {"/a;jsessionid=1/b", "/a;jsessionid=1/b"},
                   {"/jsessionid=1", "/jsessionid=1"}});
}

TEST(UrlRewrite, StripsSessionsInFrontOfPaths) {
  ExpectRewritten(Stripping(), {{"/(S(lit3py55t21z5v55vlm25s55))/a.aspx?b", "/a.aspx?b"},
                                {"/app/(S(x1))/a/", "/app/a/"},
                                {"/(X(1)S(x1)F(y-_2))/a", "/a"},
                                {"/(S(x))", "/"},
                                {"/(S(x))/", "/"},
                                {"/a/(S(x))", "/a"},
                                {"/(S(x));jsessionid=1", "/"},
                                // Not these.
                                {"/(S())/a", "/(S())/a"},
                                {"/(B(x))/a", "/(B(x))/a"},
                                {"/(S(x)/a", "/(S(x)/a"},
                                {"/S(x)/a", "/S(x)/a"},
                                {"/(S(x))y/a", "/(S(x))y/a"}});
  ExpectRewritten(StrippingNames({"a"}), {{"/(S(x))/b", "/(S(x))/b"}});
}

TEST(UrlRewrite, StripsSharedNamesOnlyWithTheValueOfASession) {
  for (const std::string name : {"sid", "SID", "sessid", "sessionid", "session_id", "zenid"}) {
    ExpectRewritten(Stripping(), {{"/?" + name + "=0123456789abcdef", "/"},
                                  {"/?a&" + name + "=d41d8cd98f00b204E9800998ECF8427E", "/?a"},
                                  {"/;" + name + "=0123456789abcdef", "/"}});
    for (const std::string value :
         {"", "=", "=7", "=0123456789abcde", "=internationalnews", "=01/23/4567890123"}) {
      const std::string target = "/?" + name + value;
      ExpectRewritten(Stripping(), {{target, target}});
    }
  }
}

TEST(UrlRewrite, StripsNamesOfOnesOwn) {
  const CrawlOptions options = StrippingNames({"ref", "x_*"});
  ExpectRewritten(options, {{"/a;ref=1?REF=2&id=3&x_1=4&x_", "/a?id=3"},
                            {"/?refs=1&x=2&utm_source=3", "/?refs=1&x=2&utm_source=3"}});
  CrawlOptions both = options;
  both.strip_params = both.sort_query = true;
  ExpectRewritten(both, {{"/?id=1&ref=2&utm_source=3&a=4", "/?a=4&id=1"}});
  ExpectRewritten(StrippingNames({"*"}), {{"/a;b?c=d", "/a"}});
}

TEST(UrlRewrite, MakesNoDotSegment) {
  ExpectRewritten(Stripping(), {{"/a/b/..;jsessionid=1", "/a/b/..;jsessionid=1"},
                                {"/a/.;jsessionid=1", "/a/.;jsessionid=1"},
                                {"/a/...;jsessionid=1", "/a/..."}});
}

TEST(UrlRewrite, AppliedAgainChangesNothing) {
  std::mt19937 random(7);
  const std::vector<std::string> words = {
      "a",      "b",  "=",   "&", ";",   "/",          ".",    "..",
      "%",      "2e", "%2E", "?", "sid", "jsessionid", "utm_", "=0123456789abcdef",
      "(S(x))", "(",  ")"};
  CrawlOptions options = Stripping();
  for (const bool sort : {false, true}) {
    options.sort_query = sort;
    const UrlRewrite rewrite(options);
    for (int i = 0; i < 20'000; ++i) {
      std::string text = "http://a.test/";
      for (std::size_t size = random() % 12; size > 0; --size)
        text += words[random() % words.size()];
      const Url once = rewrite.Apply(Url::Parse(text).value());
      ASSERT_EQ(rewrite.Apply(once), once) << text;
      ASSERT_EQ(Url::Parse(once.text()).value(), once) << text;
    }
  }
}

}  // namespace
}  // namespace trawl

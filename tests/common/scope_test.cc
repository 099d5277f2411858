#include "common/scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trawl {
namespace {

using Verdict = Scope::Verdict;
using ::testing::HasSubstr;

struct Case {
  const char* url;
  bool inside;
};

CrawlOptions Options(ScopeKind kind, std::vector<std::string> seeds) {
  CrawlOptions options;
  options.scope = kind;
  options.seeds = std::move(seeds);
  return options;
}

Scope Make(const CrawlOptions& options) {
  std::string complaint;
  std::optional<Scope> scope = Scope::Make(options, complaint);
  EXPECT_EQ(complaint, "");
  return std::move(scope).value();
}

void Expect(const CrawlOptions& options, const std::vector<Case>& cases) {
  const Scope scope = Make(options);
  for (const auto& [url, inside] : cases) {
    const Url parsed = Url::Parse(url).value();
    EXPECT_EQ(scope.Judge(parsed), inside ? Verdict::kInside : Verdict::kOutside) << url;
    EXPECT_EQ(scope.Admits(parsed), inside) << url;
  }
}

TEST(Scope, HostIsTheSameHostAndPort) {
  Expect(Options(ScopeKind::kHost, {"http://a.test/x"}), {{"http://a.test/", true},
                                                          {"http://A.TEST:80/y?z", true},
                                                          {"https://a.test/", true},
                                                          {"https://a.test:443/", true},
                                                          {"http://a.test:8080/", false},
                                                          {"http://www.a.test/", false},
                                                          {"http://a.test.b/", false},
                                                          {"http://b.test/a.test", false}});
  Expect(Options(ScopeKind::kHost, {"http://a.test:8080/"}),
         {{"http://a.test:8080/x", true}, {"http://a.test/", false}, {"https://a.test/", false}});
}

TEST(Scope, AnySeedsHostIsInside) {
  Expect(Options(ScopeKind::kHost, {"http://a.test/", "http://b.test/"}),
         {{"http://a.test/", true}, {"http://b.test/", true}, {"http://c.test/", false}});
}

TEST(Scope, CoversTheHostsThatHoldItsPlaces) {
  struct Case {
    ScopeKind kind;
    std::string url;
    bool covered;
  };
  for (const Case& c : std::vector<Case>{{ScopeKind::kHost, "http://a.test/robots.txt", true},
                                         {ScopeKind::kHost, "http://b.a.test/", false},
                                         {ScopeKind::kDomain, "http://b.a.test/", true},
                                         {ScopeKind::kDomain, "http://b.test/", false},
                                         {ScopeKind::kPrefix, "http://a.test/robots.txt", true},
                                         {ScopeKind::kPrefix, "http://a.test:81/x/", false},
                                         {ScopeKind::kAny, "http://b.test/", true}}) {
    std::string complaint;
    const auto scope = Scope::Make(Options(c.kind, {"http://a.test/x/y"}), complaint);
    EXPECT_EQ(scope.value().CoversHostOf(*Url::Parse(c.url)), c.covered)
        << c.url << ' ' << ScopeKindName(c.kind);
  }
}

TEST(Scope, DomainIsTheSameRegistrableDomain) {
  Expect(Options(ScopeKind::kDomain, {"http://www.example.co.uk/"}),
         {{"http://example.co.uk/", true},
          {"https://a.b.example.co.uk:81/", true},
          {"http://other.co.uk/", false},
          {"http://co.uk/", false},
          {"http://example.com/", false},
          {"http://notexample.co.uk/", false}});
  Expect(Options(ScopeKind::kDomain, {"http://one.github.io/"}),
         {{"http://one.github.io/", true}, {"http://two.github.io/", false}});
}

TEST(Scope, WhereThereIsNoRegistrableDomainTheHostCounts) {
  Expect(Options(ScopeKind::kDomain, {"http://127.0.0.1/"}),
         {{"http://127.0.0.1:81/", true}, {"http://10.0.0.1/", false}, {"http://0.0.0.1/", false}});
  Expect(Options(ScopeKind::kDomain, {"http://localhost:1/"}),
         {{"http://localhost/", true}, {"http://other/", false}});
  Expect(Options(ScopeKind::kDomain, {"http://[::1]/"}),
         {{"http://[::1]:81/", true}, {"http://[::2]/", false}});
}

TEST(Scope, PrefixIsUnderTheSeedsFolder) {
  Expect(Options(ScopeKind::kPrefix, {"http://a.test/dir/page.html?q"}),
         {{"http://a.test/dir/", true},
          {"http://a.test/dir/other", true},
          {"http://a.test/dir/sub/x?y", true},
          {"https://a.test/dir/", true},
          {"http://a.test/dir", false},
          {"http://a.test/directory/", false},
          {"http://a.test/", false},
          {"http://a.test:81/dir/", false},
          {"http://b.test/dir/", false},
          {"http://b.test/?http://a.test/dir/", false}});
  Expect(Options(ScopeKind::kPrefix, {"http://a.test"}),
         {{"http://a.test/x", true}, {"http://a.test.b/", false}});
  Expect(Options(ScopeKind::kPrefix, {"http://a.test/x?p=/q/"}), {{"http://a.test/y", true}});
}

TEST(Scope, AnyIsAny) {
  Expect(Options(ScopeKind::kAny, {"http://a.test/"}),
         {{"http://a.test/", true}, {"https://b.test:1/", true}, {"http://127.0.0.1/", true}});
}

TEST(Scope, ExcludeBeatsIncludeAndBothComeAfterTheKind) {
  CrawlOptions options = Options(ScopeKind::kHost, {"http://a.test/"});
  options.include = {"/docs/", "\\.html$"};
  options.exclude = {"private", "[?&]sort="};
  const Scope scope = Make(options);
  const struct {
    const char* url;
    Verdict verdict;
  } kCases[] = {{"http://a.test/docs/x", Verdict::kInside},
                {"http://a.test/x.html", Verdict::kInside},
                {"http://a.test/x.html?y", Verdict::kNotIncluded},
                {"http://a.test/", Verdict::kNotIncluded},
                {"http://a.test/docs/private", Verdict::kExcluded},
                {"http://a.test/docs/?sort=up", Verdict::kExcluded},
                {"http://a.test/private", Verdict::kExcluded},
                {"http://b.test/docs/", Verdict::kOutside},
                {"http://b.test/private", Verdict::kOutside}};
  for (const auto& c : kCases) {
    EXPECT_EQ(scope.Judge(Url::Parse(c.url).value()), c.verdict) << c.url;
  }
}

TEST(Scope, ExcludesWhateverPlaceItIsIn) {
  CrawlOptions options = Options(ScopeKind::kHost, {"http://a.test/"});
  options.include = {"/docs/"};
  options.exclude = {"/private"};
  const Scope scope = Make(options);
  EXPECT_TRUE(scope.Excludes(Url::Parse("http://b.test/private").value()));
  EXPECT_FALSE(scope.Excludes(Url::Parse("http://b.test/").value()));
}

TEST(Scope, GivenSitemapsStandForSeedsWhereThereAreNone) {
  CrawlOptions options = Options(ScopeKind::kHost, {});
  options.sitemap_urls = {"http://b.test/maps/sitemap.xml"};
  EXPECT_TRUE(Make(options).Admits(Url::Parse("http://b.test/x").value()));
  options.seeds = {"http://a.test/"};
  EXPECT_FALSE(Make(options).Admits(Url::Parse("http://b.test/x").value()));
}

TEST(Scope, PatternsSeeTheWholeCanonicalUrl) {
  CrawlOptions options = Options(ScopeKind::kAny, {"http://a.test/"});
  options.include = {"^https://a\\.test/~x$"};
  const Scope scope = Make(options);
  EXPECT_TRUE(scope.Admits(Url::Parse("HTTPS://A.test:443/%7ex#part").value()));
  EXPECT_FALSE(scope.Admits(Url::Parse("http://a.test/~x").value()));
}

TEST(Scope, ComplainsOfWhatIsNotValid) {
  const struct {
    std::vector<std::string> seeds, include, exclude;
    const char* complaint;
  } kCases[] = {{{"http://a.test/", "rubbish"}, {}, {}, "'rubbish'"},
                {{"ftp://a.test/"}, {}, {}, "'ftp://a.test/'"},
                {{"http://a.test/"}, {"("}, {}, "--include: '('"},
                {{"http://a.test/"}, {"fine"}, {"a", "[z-a]"}, "--exclude: '[z-a]'"}};
  for (const auto& c : kCases) {
    CrawlOptions options = Options(ScopeKind::kHost, c.seeds);
    options.include = c.include;
    options.exclude = c.exclude;
    std::string complaint;
    EXPECT_FALSE(Scope::Make(options, complaint));
    EXPECT_THAT(complaint, HasSubstr(c.complaint));
  }
}

}  // namespace
}  // namespace trawl

// What pages say to robots decides what becomes of them.

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

class Directives : public CrawlFixture {
 protected:
  /// A site in which each of three ways to say "nofollow" hides one page.
  void SetUpSite() {
    site_.SetHtml("/",
                  "<a href=/tag>t</a><a href=/meta>m</a><a href=/rel rel='noopener NoFollow'>r</a>"
                  "<a href=/noindex>n</a>");
    site_.Set("/tag",
              {.headers = {{"X-Robots-Tag", "googlebot: noindex"}, {"X-Robots-Tag", "nofollow"}},
               .body = "<a href=/behind-tag>x</a>"});
    site_.SetHtml("/meta", "<meta name=robots content='NOFOLLOW'><a href=/behind-meta>x</a>");
    site_.SetHtml("/noindex",
                  "<meta name=Trawl content=noindex><title>hidden</title><a href=/followed>x</a>");
    for (const char* path : {"/rel", "/behind-tag", "/behind-meta", "/followed"}) {
      site_.SetHtml(path, "");
    }
  }

  std::set<std::string> Paths() const {
    std::set<std::string> paths;
    for (const auto& [url, depth] : Pages()) paths.insert(url.substr(site_.Url("").size()));
    return paths;
  }

  TestSite site_;
};

TEST_F(Directives, AreObeyed) {
  SetUpSite();
  ASSERT_NO_FATAL_FAILURE(Crawl({site_.Url("/")}, Fast()));
  EXPECT_EQ(Paths(), (std::set<std::string>{"/", "/tag", "/meta", "/noindex", "/followed"}));
  for (const boost::json::object& row : Read("pages.jsonl")) {
    const bool hidden = Text(row, "url") == site_.Url("/noindex");
    EXPECT_EQ(row.contains("noindex"), hidden) << row;
    EXPECT_EQ(row.at("fields").as_object().empty(), hidden) << row;
  }
}

TEST_F(Directives, AreIgnoredWhenAskedTo) {
  SetUpSite();
  Flags flags = Fast();
  flags.insert(flags.end(),
               {"--ignore-x-robots-tag", "--ignore-meta-robots", "--ignore-rel-nofollow"});
  ASSERT_NO_FATAL_FAILURE(Crawl({site_.Url("/")}, flags));
  EXPECT_EQ(Paths(), (std::set<std::string>{"/", "/tag", "/meta", "/noindex", "/rel", "/behind-tag",
                                            "/behind-meta", "/followed"}));
  for (const boost::json::object& row : Read("pages.jsonl")) {
    EXPECT_FALSE(row.contains("noindex")) << row;
  }
}

}  // namespace
}  // namespace trawl

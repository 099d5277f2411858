#include "common/robots_directives.h"

#include <gtest/gtest.h>

#include <string>

namespace trawl {
namespace {

constexpr RobotsDirectives kNothing{};
constexpr RobotsDirectives kNoIndex{.noindex = true};
constexpr RobotsDirectives kNoFollow{.nofollow = true};
constexpr RobotsDirectives kNone{.noindex = true, .nofollow = true};

std::string Describe(const RobotsDirectives& directives) {
  return std::string(directives.noindex ? "noindex " : "") +
         (directives.nofollow ? "nofollow" : "");
}

TEST(RobotsDirectives, AddUp) {
  RobotsDirectives sum;
  EXPECT_EQ(sum |= kNothing, kNothing);
  EXPECT_EQ(sum |= kNoIndex, kNoIndex);
  EXPECT_EQ(sum |= kNoFollow, kNone);
  EXPECT_EQ(sum |= kNothing, kNone);
}

TEST(RobotsMeta, WordsStandBetweenCommasOrBlanksWithoutCase) {
  const struct {
    const char* content;
    RobotsDirectives directives;
  } kCases[] = {
      {"", kNothing},
      {"index, follow", kNothing},
      {"all", kNothing},
      {"noindex", kNoIndex},
      {"nofollow", kNoFollow},
      {"noindex,nofollow", kNone},
      {"none", kNone},
      {" NoIndex ,\tNOFOLLOW\n", kNone},
      {"noindex nofollow", kNone},
      {",,noindex,,", kNoIndex},
      {"index, noindex", kNoIndex},  // the most restrictive
      {"noindex, all", kNoIndex},
      {"noindexing, nofollows, nonesuch, no index", kNothing},
      {"noarchive, nosnippet, nofollow", kNoFollow},
      // A value is no directive.
      {"max-image-preview:none", kNothing},
      {"max-image-preview: none, max-snippet : none", kNothing},
      {"max-snippet:-1, noindex, max-video-preview: 0", kNoIndex},
      {"noindex max-image-preview:none", kNoIndex},
      {"unavailable_after: Mon, 1 Jun 2026 10:00:00 GMT, nofollow", kNoFollow},
  };
  for (const auto& [content, directives] : kCases) {
    EXPECT_EQ(ParseRobotsMeta(content), directives)
        << content << " gives " << Describe(ParseRobotsMeta(content));
  }
}

TEST(RobotsMeta, SpeaksToAllOrToOneCrawler) {
  const struct {
    const char* name;
    const char* user_agent;
    bool names;
  } kCases[] = {
      {"robots", "trawl", true},
      {"ROBOTS", "trawl", true},
      {" robots ", "trawl", true},
      {"trawl", "trawl", true},
      {"Trawl", "trawl/1.0 (+http://example.com/bot)", true},
      {"trawl", " TRAWL/1.0", true},
      {"googlebot", "trawl", false},
      {"trawler", "trawl", false},
      {"robot", "trawl", false},
      {"description", "trawl", false},
      {"", "trawl", false},
      {"", "", false},
      {"robots", "", true},
  };
  for (const auto& [name, user_agent, names] : kCases) {
    EXPECT_EQ(NamesRobots(name, user_agent), names) << name << " for " << user_agent;
  }
}

TEST(RobotsTag, ANameWithAColonRestrictsWhatFollowsOnItsLine) {
  const struct {
    const char* lines;
    RobotsDirectives directives;
  } kCases[] = {
      {"", kNothing},
      {"noindex", kNoIndex},
      {"None", kNone},
      {"noindex, nofollow", kNone},
      {"trawl: noindex", kNoIndex},
      {"TRAWL : noindex, nofollow", kNone},
      {"trawl/2.0: noindex", kNoIndex},
      {"other: noindex, nofollow", kNothing},
      {"trawler: noindex", kNothing},
      {"noindex, other: nofollow", kNoIndex},
      {"other: nofollow, trawl: noindex", kNoIndex},
      {"trawl: noindex, other: nofollow", kNoIndex},
      {"*: nofollow", kNoFollow},
      {"other: noindex, *: nofollow", kNoFollow},
      {"80legs: noindex, nofollow", kNothing},
      // Names may be listed with commas.
      {"trawl, other: noindex", kNoIndex},
      {"other, trawl: noindex", kNoIndex},
      {"other, third: noindex", kNothing},
      {"trawl, other: noindex, third: nofollow", kNoIndex},
      // Each line begins anew, and all count.
      {"other: noindex\nnofollow", kNoFollow},
      {"noindex\ntrawl: nofollow", kNone},
      {"trawl: noindex\nother: nofollow\n\n", kNoIndex},
  };
  for (const auto& [lines, directives] : kCases) {
    for (const char* user_agent : {"trawl", "Trawl/1.0 (+http://example.com/bot)"}) {
      EXPECT_EQ(ParseRobotsTag(lines, user_agent), directives)
          << lines << " gives " << Describe(ParseRobotsTag(lines, user_agent));
    }
  }
}

TEST(RobotsTag, DirectivesWithAValueNameNoCrawler) {
  const struct {
    const char* lines;
    RobotsDirectives directives;
  } kCases[] = {
      {"unavailable_after: 25 Jun 2010 15:00:00 PST, noindex", kNoIndex},
      {"unavailable_after: Friday, 25-Jun-10 15:00:00 UTC, nofollow", kNoFollow},
      {"unavailable_after: 2010-06-25T15:00:00+00:00, nofollow", kNoFollow},
      {"Unavailable_After: 25 Jun 2010, 15:00:00, nofollow", kNoFollow},
      {"max-snippet: 20, noindex", kNoIndex},
      {"max-image-preview: none", kNothing},
      {"max-video-preview:-1, nofollow", kNoFollow},
      {"Max-Anything-New: 3, noindex", kNoIndex},
      {"trawl: max-snippet: 20, noindex", kNoIndex},
      {"other: max-snippet: 20, noindex", kNothing},
      {"other: unavailable_after: 25 Jun 2010 15:00:00 PST, noindex", kNothing},
      {"other: max-snippet: 20, trawl: noindex", kNoIndex},
  };
  for (const auto& [lines, directives] : kCases) {
    EXPECT_EQ(ParseRobotsTag(lines, "trawl"), directives)
        << lines << " gives " << Describe(ParseRobotsTag(lines, "trawl"));
  }
}

TEST(RobotsTag, ACrawlerWithoutANameGetsWhatIsForAll) {
  EXPECT_EQ(ParseRobotsTag("noindex, other: nofollow, : nofollow", ""), kNoIndex);
}

}  // namespace
}  // namespace trawl

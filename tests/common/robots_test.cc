#include "common/robots.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trawl {
namespace {

using std::string_literals::operator""s;

struct Question {
  std::string target;
  bool allowed;
};

void ExpectAnswers(const Robots& robots, const std::vector<Question>& questions) {
  for (const auto& [target, allowed] : questions)
    EXPECT_EQ(robots.Allows(target), allowed) << target;
}

// Answers to "trawl" of the rules that everybody gets.
void ExpectRules(const std::string& rules, const std::vector<Question>& questions) {
  SCOPED_TRACE(rules.substr(0, 200));
  ExpectAnswers(Robots::Parse("User-agent: *\n" + rules, "trawl"), questions);
}

// Whether a group with this User-agent line binds this crawler.
bool Binds(const std::string& line, const std::string& user_agent) {
  return !Robots::Parse("User-agent: " + line + "\nDisallow: /\n", user_agent).Allows("/");
}

std::optional<double> DelayOf(const std::string& body, const std::string& user_agent = "trawl") {
  const auto delay = Robots::Parse(body, user_agent).crawl_delay();
  return delay ? std::optional(delay->count()) : std::nullopt;
}

TEST(RobotsSection21, AGroupIsItsAgentLinesAndTheRulesBelow) {
  const std::string body =
      "User-agent: one\nUser-agent: two\nDisallow: /a\n\nDisallow: /b\n"
      "User-agent: three\nDisallow: /c\n";
  for (const char* agent : {"one", "two"}) {
    ExpectAnswers(Robots::Parse(body, agent), {{"/a", false}, {"/b", false}, {"/c", true}});
  }
  ExpectAnswers(Robots::Parse(body, "three"), {{"/a", true}, {"/b", true}, {"/c", false}});
}

TEST(RobotsSection21, RulesAboveAllGroupsBindNobody) {
  ExpectAnswers(Robots::Parse("Disallow: /a\nUser-agent: *\nDisallow: /b\n", "trawl"),
                {{"/a", true}, {"/b", false}});
}

TEST(RobotsSection221, TheProductTokenIsMatchedWithoutCase) {
  const struct {
    const char* line;
    const char* user_agent;
    bool binds;
  } kCases[] = {
      {"trawl", "trawl", true},
      {"TRAWL", "Trawl", true},
      {"trawl", "Trawl/1.0 (+http://example.com/bot)", true},
      {"trawl/2.0", "trawl", true},
      {"trawl # ours", "trawl", true},
      {"trawl other", "trawl", true},
      {"other trawl", "trawl", false},
      {"trawl*", "trawl", true},
      {"my-trawl_bot", "my-trawl_bot/3", true},
      {"trawl-images", "trawl", false},
      {"trawl", "trawl-images", false},
      {"trawler", "trawl", false},
      {"tra", "trawl", false},
      // Not in the RFC: digits and other letters count as part of a name.
      {"trawl2", "trawl3", false},
      {"trawl2", "trawl2", true},
      {"träwl", "träwl/1", true},
      {"träwl", "tr", false},
      {"", "", false},
      {"/", "/", false},
      {"*", "", true},
      {"*", "trawl", true},
      {"* # all", "trawl", true},
      {"*<BR>", "trawl", true},
      {"*trawl", "trawl", false},
  };
  for (const auto& [line, user_agent, binds] : kCases) {
    EXPECT_EQ(Binds(line, user_agent), binds) << line << " for " << user_agent;
  }
}

TEST(RobotsSection221, GroupsOfTheSameAgentMerge) {
  const Robots robots = Robots::Parse(
      "User-agent: trawl\nDisallow: /a\n"
      "User-agent: other\nDisallow: /b\n"
      "User-agent: Trawl\nDisallow: /c\n",
      "trawl");
  ExpectAnswers(robots, {{"/a", false}, {"/b", true}, {"/c", false}});
}

TEST(RobotsSection221, TheGroupForAllIsTheFallback) {
  const std::string all = "User-agent: *\nDisallow: /all\n";
  const std::string own = "User-agent: trawl\nDisallow: /own\n";
  for (const std::string& body : {all + own, own + all}) {
    ExpectAnswers(Robots::Parse(body, "trawl"), {{"/all", true}, {"/own", false}});
    ExpectAnswers(Robots::Parse(body, "other"), {{"/all", false}, {"/own", true}});
  }
  ExpectAnswers(Robots::Parse(own, "other"), {{"/own", true}});
  // A group without rules is a group all the same.
  ExpectAnswers(Robots::Parse(all + "User-agent: trawl", "trawl"), {{"/all", true}});
}

TEST(RobotsSection222, RulesMatchFromTheStartOfThePath) {
  ExpectRules("Disallow: /fish\n", {{"/fish", false},
                                    {"/fish.html", false},
                                    {"/fish/salmon?x=1", false},
                                    {"/Fish", true},
                                    {"/catfish", true},
                                    {"/?id=/fish", true}});
  ExpectRules("Disallow: /a?b=c\n", {{"/a?b=c", false}, {"/a?b=cd", false}, {"/a", true}});
  ExpectRules("Disallow: fish\nDisallow: http://example.com/\n", {{"/fish", true}, {"/", true}});
}

TEST(RobotsSection222, TheLongestMatchDecides) {
  ExpectRules("Disallow: /a\nAllow: /a/b\nDisallow: /a/b/c\n",
              {{"/a", false}, {"/a/b", true}, {"/a/b/c", false}, {"/", true}});
  ExpectRules("Allow: /page\nDisallow: /*.htm\n", {{"/page", true}, {"/page.htm", false}});
  ExpectRules("Disallow: /\nAllow: /$\n", {{"/", true}, {"/a", false}});
}

TEST(RobotsSection222, AllowWinsATie) {
  for (const char* rules : {"Allow: /a\nDisallow: /a\n", "Disallow: /a\nAllow: /a\n"}) {
    ExpectRules(rules, {{"/a", true}});
  }
}

TEST(RobotsSection222, AnEmptyPathMatchesNothing) {
  ExpectRules("Disallow:\n", {{"/", true}, {"/a", true}});
  ExpectRules("Disallow: /\nAllow: # nothing\n", {{"/a", false}});
}

TEST(RobotsSection222, RobotsTxtItselfIsAllowed) {
  ExpectRules("Disallow: /\n", {{"/robots.txt", true}, {"/robots.txt.bak", false}});
  EXPECT_TRUE(Robots::DisallowAll().Allows("/robots.txt"));
}

TEST(RobotsSection222, EscapesAreNormalisedOnBothSides) {
  const struct {
    const char* path;
    const char* target;
    bool same;
  } kCases[] = {
      {"/a%3cb", "/a%3Cb", true},    // no case
      {"/%62%61%7A", "/baz", true},  // unreserved
      {"/~joe", "/%7ejoe", true},
      {"/a%2fb", "/a%2Fb", true},  // reserved: an escaped "/" is not a "/"
      {"/a%2fb", "/a/b", false},
      {"/a/b", "/a%2Fb", false},
      {"/?u=http%3A", "/?u=http:", false},
      {"/\u30C4", "/%E3%83%84", true},  // not ASCII
      {"/%e3%83%84", "/\u30C4", true},
      {"/\xFC", "/%FC", true},   // not even UTF-8
      {"/a<b", "/a%3Cb", true},  // may not stand in a URL
      {"/a b", "/a%20b", true},
      {"/%a%zz%", "/%a%zz%", true},  // no escapes
      {"/%a", "/%0a", false},
  };
  for (const auto& [path, target, same] : kCases) {
    EXPECT_NE(
        Robots::Parse("User-agent: *\nDisallow: " + std::string(path), "trawl").Allows(target),
        same)
        << path << " and " << target;
  }
}

// Google's convention, on which sites rely.
TEST(RobotsSection222, AnAllowedIndexPageAllowsItsDirectory) {
  ExpectRules("Disallow: /\nAllow: /a/index.html\n",
              {{"/a/", true}, {"/a/index.html", true}, {"/a/b", false}, {"/", false}});
  ExpectRules("Allow: /\nDisallow: /a/index.html\n", {{"/a/", true}, {"/a/index.html", false}});
}

TEST(RobotsSection223, AHashBeginsAComment) {
  ExpectRules("# Disallow: /a\nDisallow: /b # why\nDisallow: /c#d\n",
              {{"/a", true}, {"/b", false}, {"/c", false}});
}

TEST(RobotsSection223, AStarIsAnyOctets) {
  ExpectRules("Disallow: /*.php\n", {{"/a.php", false},
                                     {"/.php", false},
                                     {"/a/b.php?c", false},
                                     {"/a.PHP", true},
                                     {"/php", true}});
  ExpectRules("Disallow: /a*b*c\n",
              {{"/abc", false}, {"/axxbxxcxx", false}, {"/acb", true}, {"/ab", true}});
  ExpectRules("Disallow: *m\n", {{"/foom", false}, {"/foo", true}});
  ExpectRules("Disallow: /a***b\n", {{"/ab", false}, {"/axb", false}, {"/a", true}});
  ExpectRules("Disallow: *\n", {{"/", false}});
}

TEST(RobotsSection223, AFinalDollarIsTheEnd) {
  ExpectRules("Disallow: /a$\n", {{"/a", false}, {"/ab", true}, {"/a?", true}});
  ExpectRules("Disallow: /*.gif$\n",
              {{"/a.gif", false}, {"/a.gif.gif", false}, {"/a.gif?b", true}, {"/gif", true}});
  ExpectRules("Disallow: /ab*b$\n", {{"/abb", false}, {"/ab", true}, {"/abxbx", true}});
  ExpectRules("Disallow: /a*$\n", {{"/abc", false}, {"/b", true}});
  ExpectRules("Disallow: /a$b\n", {{"/a$bc", false}, {"/a%24b", false}, {"/a", true}});
}

TEST(RobotsSection223, EscapedSpecialCharactersAreLiteral) {
  ExpectRules("Disallow: /a%2Ab\n", {{"/a*b", false}, {"/a%2ab", false}, {"/axb", true}});
  ExpectRules("Disallow: /a%24\n", {{"/a$", false}, {"/a%24b", false}, {"/a", true}});
  ExpectRules("Disallow: /a*b\n", {{"/a*b", false}, {"/a%2Ab", false}});
}

TEST(RobotsSection224, OtherRecordsEndNoGroup) {
  const std::string body =
      "User-agent: one\nSitemap: http://example.com/s\nHost: x\nnonsense\nUser-agent: trawl\n"
      "Noindex: /\nDisallow: /a\nContent-Signal: search=no\nDisallow: /b\n";
  for (const char* agent : {"one", "trawl"}) {
    ExpectAnswers(Robots::Parse(body, agent), {{"/a", false}, {"/b", false}, {"/", true}});
  }
}

TEST(RobotsSection224, SitemapsAreOfTheWholeFile) {
  const Robots robots = Robots::Parse(
      "Sitemap: http://example.com/a.xml\nUser-agent: other\nDisallow: /\n"
      "site-map:http://example.com/B.xml?c=d:e  # more\nsitemap:\nSITEMAP: /relative.xml\n"
      "https://example.com/bare-sitemap.xml\nhttp://example.com/page\n",
      "trawl");
  EXPECT_EQ(robots.sitemaps(),
            (std::vector<std::string>{"http://example.com/a.xml", "http://example.com/B.xml?c=d:e",
                                      "/relative.xml", "https://example.com/bare-sitemap.xml"}));
}

TEST(RobotsSection224, CrawlDelayIsANumberOfSeconds) {
  const struct {
    const char* value;
    std::optional<double> delay;
  } kCases[] = {
      {"0", 0},
      {"1", 1},
      {"0.5", 0.5},
      {".5", 0.5},
      {"10 # slow", 10},
      {"10 seconds", 10},
      {"30<BR>", 30},
      {"99999999999999", 365 * 24 * 3600.0},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"10a", std::nullopt},
      {"1.2.1", std::nullopt},
      {"1,5", std::nullopt},
      {"nan", std::nullopt},
      {"inf", std::nullopt},
      {"pears", std::nullopt},
  };
  for (const auto& [value, delay] : kCases) {
    EXPECT_EQ(DelayOf("User-agent: *\nCrawl-delay: " + std::string(value)), delay) << value;
  }
}

TEST(RobotsSection224, CrawlDelayIsThatOfTheGroup) {
  const std::string body =
      "User-agent: *\nCrawl-delay: 1\nUser-agent: one\nUser-agent: two\nCrawl-delay: 2\n"
      "Crawl-delay: 3\nUser-agent: quick\nDisallow: /\n";
  EXPECT_EQ(DelayOf(body, "one"), 3);
  EXPECT_EQ(DelayOf(body, "two"), 3);
  EXPECT_EQ(DelayOf(body, "quick"), std::nullopt);
  EXPECT_EQ(DelayOf(body, "trawl"), 1);
  EXPECT_EQ(DelayOf("Crawl-delay: 4\n"), 4) << "above all groups it is for everybody";
  EXPECT_EQ(DelayOf("User-agent: other\nCrawl-delay: 5\n"), std::nullopt);
}

// By section 2.2.1 an unknown record between agent lines leaves them one group of rules.
TEST(RobotsSection224, CrawlDelayEndsNoGroupOfRules) {
  const std::string body = "User-agent: one\nCrawl-delay: 1\nUser-agent: two\nDisallow: /\n";
  EXPECT_FALSE(Robots::Parse(body, "one").Allows("/"));
  EXPECT_FALSE(Robots::Parse(body, "two").Allows("/"));
  EXPECT_EQ(DelayOf(body, "one"), 1);
  EXPECT_EQ(DelayOf(body, "two"), std::nullopt);
}

TEST(RobotsSection22, LinesEndInAnyOfThreeWays) {
  for (const std::string end : {"\n", "\r", "\r\n", "\r\r\n", "\n\r\n"}) {
    std::string body;
    for (const char* line : {"User-agent: other", "", "Disallow: /", "User-agent: trawl",
                             "Disallow: /a # b", "Disallow: /c"}) {
      body += line + end;
    }
    ExpectAnswers(Robots::Parse(body, "trawl"), {{"/", true}, {"/a", false}, {"/c", false}});
  }
}

TEST(RobotsSection22, AByteOrderMarkIsSkippedAtTheStart) {
  for (const char* mark : {"\xEF\xBB\xBF", "\xEF\xBB", "\xEF"}) {
    EXPECT_FALSE(Robots::Parse(std::string(mark) + "User-agent: *\nDisallow: /", "x").Allows("/"));
  }
  EXPECT_TRUE(Robots::Parse("\xFF\xFEUser-agent: *\nDisallow: /", "x").Allows("/"));
  ExpectRules(
      "\xEF\xBB\xBF"
      "Disallow: /",
      {{"/", true}});
}

TEST(RobotsSection2315, TyposThatSitesRelyOn) {
  for (const char* key :
       {"Disallow:", "disallow :", "  DISALLOW:", "\tDisallow\t:\t", "Dissallow:", "Dissalow:",
        "Disalow:", "Diasllow:", "Disallaw:", "Disallowed:", "Disallow "}) {
    ExpectRules(std::string(key) + "/a", {{"/a", false}, {"/b", true}});
  }
  ExpectRules("Disallow /a:b", {{"/a:b", false}, {"/b", true}});
  ExpectRules("Disallow /a /b\nDis allow: /c\n", {{"/a", true}, {"/b", true}, {"/c", true}});
  for (const char* key : {"User-agent:", "useragent:", "User agent:", "user-agent "}) {
    EXPECT_FALSE(Robots::Parse(std::string(key) + "trawl\nDisallow: /", "trawl").Allows("/"))
        << key;
  }
}

TEST(RobotsSection2315, AnyBytesAreWithoutTrouble) {
  const std::string nuls = "Disallow: /a\0b\nDisallow: /c\0\n\0\0\nDisallow: /d\n"s;
  ExpectRules(nuls, {{"/a%00b", false}, {"/a", true}, {"/c%00", false}, {"/d", false}});
  ExpectRules("<!DOCTYPE html><html>\n<title>:</title>\n", {{"/", true}});
  ExpectRules(":\n::::\n#\n:/\nDisallow: /a", {{"/a", false}, {"/", true}});
  ExpectAnswers(Robots::Parse("", ""), {{"/", true}, {"", true}});
}

TEST(RobotsSection231, NoFileAndNoAnswer) {
  ExpectAnswers(Robots::AllowAll(), {{"/", true}});                     // section 2.3.1.3
  ExpectAnswers(Robots::DisallowAll(), {{"/", false}, {"/a", false}});  // section 2.3.1.4
}

TEST(RobotsSection25, AtLeast500KibibytesAreRead) {
  std::string body = "User-agent: *\n" + std::string(500 * 1024 - 100, '\n') + "Disallow: /a\n";
  body.resize(Robots::kMaxBytes, '\n');
  body += "Disallow: /b\n";
  ExpectAnswers(Robots::Parse(body, "trawl"), {{"/a", false}, {"/b", true}});
}

TEST(RobotsSection25, ALineThatTheLimitCutsDoesNotCount) {
  std::string body = "User-agent: *\nDisallow: /a\n";
  body += std::string(Robots::kMaxBytes - body.size() - std::string("Disallow: /").size(), '\n');
  body += "Disallow: /private\n";
  ExpectAnswers(Robots::Parse(body, "trawl"), {{"/a", false}, {"/x", true}, {"/private", true}});
}

TEST(RobotsSection25, OverlongLinesAreCut) {
  const std::string path = "/" + std::string(Robots::kMaxLineBytes, 'a');
  const std::string cut = path.substr(0, Robots::kMaxLineBytes - std::string("Disallow: ").size());
  ExpectRules("Disallow: " + path + "/b\nDisallow: /c\n",
              {{cut, false}, {path, false}, {cut.substr(1), true}, {"/aaa", true}, {"/c", false}});
}

// Each of these takes hours where a matcher goes back to try the next place of a wildcard.
TEST(RobotsSection3, WildcardsDoNotExplode) {
  std::string stars = "/";
  for (int i = 0; i < 4000; ++i) stars += "a*";
  const std::string target = "/" + std::string(8000, 'a');
  ExpectRules("Disallow: " + stars + "b\n", {{target, true}, {target + "b", false}});
  ExpectRules("Disallow: " + stars + "b$\n", {{target + "c", true}, {target + "cb", false}});
  ExpectRules("Disallow: /" + std::string(16'000, '*') + "b\n", {{target, true}});
}

TEST(RobotsSection3, ManyRulesAreSearchedInBoundedTime) {
  std::string plain = "Allow: /59999\n";
  for (int i = 0; i < 25'000; ++i) plain += "Disallow: /" + std::to_string(i) + "\n";
  ExpectRules(plain, {{"/24999", false}, {"/3x", false}, {"/a", true}});

  std::string wild;
  for (int i = 0; i < 25'000; ++i) wild += "Allow: /*aaaab" + std::to_string(i) + "\n";
  ExpectRules(wild, {{"/a", true}, {"/" + std::string(20, 'a'), true}});
  // More search than any honest file asks for.
  ExpectRules(wild, {{"/" + std::string(2000, 'a'), false}});
}

TEST(RobotsExplain, NamesTheRuleAsWritten) {
  const Robots robots = Robots::Parse(
      "User-agent: *\ndisallow:  /%7Ea*\nallow: /b/index.html\nDisallow: /b\n", "trawl");
  const struct {
    const char* target;
    bool allowed;
    const char* rule;
  } kCases[] = {
      {"/~ab", false, "Disallow: /%7Ea*"}, {"/b/", true, "Allow: /b/index.html"},
      {"/b", false, "Disallow: /b"},       {"/c", true, ""},
      {"/robots.txt", true, ""},
  };
  for (const auto& [target, allowed, rule] : kCases) {
    const Robots::Verdict verdict = robots.Explain(target);
    EXPECT_EQ(verdict.allowed, allowed) << target;
    EXPECT_EQ(verdict.rule, rule) << target;
  }
}

}  // namespace
}  // namespace trawl

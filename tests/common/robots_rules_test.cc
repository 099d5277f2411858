#include "common/robots_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/url.h"

namespace trawl {
namespace {

RobotsRule Rule(bool allow, const std::string& pattern) { return {allow, pattern, pattern}; }

// The rule that decides, as "+pattern" for Allow and "-pattern" for Disallow; empty without one.
std::string Decider(const RobotsRules& rules, std::string_view target) {
  const RobotsRule* rule = rules.Find(target);
  return rule ? (rule->allow ? "+" : "-") + rule->path : "";
}

TEST(RobotsRules, TheLongestMatchDecidesOfRulesOfEveryKind) {
  const RobotsRules rules({Rule(false, "/a"), Rule(true, "/a/b"), Rule(false, "/a/b/c"),
                           Rule(true, "/a/b$"), Rule(false, "/*/x"), Rule(true, "/a/b/cdef*g"),
                           Rule(false, "/z*$"), Rule(true, "/zz")});
  const struct {
    const char* target;
    const char* decider;
  } kCases[] = {
      {"/", ""},
      {"/b", ""},
      {"/a", "-/a"},
      {"/ab", "-/a"},
      {"/a/b", "+/a/b$"},
      {"/a/bc", "+/a/b"},
      {"/a/b/c", "-/a/b/c"},
      {"/a/b/ca", "-/a/b/c"},
      {"/a/b/cdefxg", "+/a/b/cdef*g"},
      {"/a/x", "-/*/x"},
      {"/a/b/x", "+/a/b"},  // as long, and Allow
      {"/z", "-/z*$"},
      {"/zz", "-/z*$"},  // longer by its special characters
      {"/\xFF", ""},
  };
  for (const auto& [target, decider] : kCases) {
    EXPECT_EQ(Decider(rules, target), decider) << target;
  }
}

TEST(RobotsRules, EscapesAreDecodedInAPatternAsTheyAreInAUrl) {
  for (const char* path : {"/%%34%31", "/%%341", "/%41", "/A", "/%2%66%%36f", "/%e%34%%34%31*"}) {
    const std::string url = Url::Parse("http://a" + std::string(path)).value().text();
    EXPECT_NE(Decider(RobotsRules({Rule(false, path)}), url.substr(8)), "") << path;
  }
  EXPECT_EQ(Decider(RobotsRules({Rule(false, "/%4*1")}), "/A"), "");
}

TEST(RobotsRules, ARuleThatMatchesDecidesWhateverItHasCost) {
  const std::string target = "/" + std::string(RobotsRules::kMaxSearchBytes + 1, 'a');
  EXPECT_EQ(Decider(RobotsRules({Rule(true, "/*a")}), target), "+/*a");
  EXPECT_EQ(Decider(RobotsRules({Rule(true, "/*b")}), target), "-(too many wildcards)");
}

TEST(RobotsRules, WithoutRulesNoneDecides) {
  EXPECT_EQ(RobotsRules().Find("/"), nullptr);
  EXPECT_EQ(RobotsRules({Rule(false, "/a*")}).Find(""), nullptr);
}

TEST(RobotsRules, ARuleThatIsRepeatedIsAllowed) {
  for (const char* pattern : {"/a", "/a$", "/a*"}) {
    for (const bool allow : {false, true}) {
      const RobotsRules rules({Rule(allow, pattern), Rule(!allow, pattern), Rule(allow, pattern)});
      EXPECT_EQ(Decider(rules, "/a"), "+" + std::string(pattern));
    }
  }
}

// Sections 2.2.2 and 2.2.3 word by word, for patterns of few letters: in time without bound.
bool MatchesByTheBook(std::string_view pattern, std::string_view target) {
  if (pattern.empty()) return true;
  if (pattern == "$") return target.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= target.size(); ++i) {
      if (MatchesByTheBook(pattern.substr(1), target.substr(i))) return true;
    }
    return false;
  }
  return !target.empty() && target[0] == pattern[0] &&
         MatchesByTheBook(pattern.substr(1), target.substr(1));
}

std::string DeciderByTheBook(const std::vector<RobotsRule>& rules, std::string_view target) {
  std::pair<std::size_t, bool> best;
  bool found = false;
  for (const RobotsRule& rule : rules) {
    if (!MatchesByTheBook(rule.pattern, target)) continue;
    best = std::max(best, std::pair(rule.pattern.size(), rule.allow));
    found = true;
  }
  return found ? std::to_string(best.first) + (best.second ? "+" : "-") : "";
}

TEST(RobotsRules, LookingUpGivesWhatTryingEachRuleWould) {
  std::mt19937 random(9309);
  const auto word = [&](std::string_view letters, std::size_t max_size) {
    std::string text(random() % (max_size + 1), ' ');
    for (char& c : text) c = letters[random() % letters.size()];
    return text;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<RobotsRule> rules;
    for (std::size_t i = random() % 12; i > 0; --i) {
      const std::string end = random() % 4 == 0 ? "$" : "";
      rules.push_back(Rule(random() % 2 == 0, "/" + word(random() % 3 ? "abc" : "ab*", 6) + end));
    }
    const RobotsRules index(rules);
    for (int question = 0; question < 20; ++question) {
      const std::string target = "/" + word("abc", 8);
      const RobotsRule* rule = index.Find(target);
      const std::string decider =
          rule ? std::to_string(rule->pattern.size()) + (rule->allow ? "+" : "-") : "";
      ASSERT_EQ(decider, DeciderByTheBook(rules, target)) << target << " in round " << round;
    }
  }
}

// Each look-up ends at the next shorter of these: the worst that a file of 512 KiB can ask for.
TEST(RobotsRules, LookingUpAmongBeginningsThatAllButMatchIsBounded) {
  std::vector<RobotsRule> rules;
  for (std::size_t size = 0; size < 1000; ++size) {
    rules.push_back(Rule(false, "/" + std::string(size, 'b') + "a"));
  }
  rules.push_back(Rule(false, "/"));
  const RobotsRules index(std::move(rules));
  const std::string target = "/" + std::string(16'000, 'b');
  for (int question = 0; question < 100; ++question) EXPECT_EQ(Decider(index, target), "-/");
}

}  // namespace
}  // namespace trawl

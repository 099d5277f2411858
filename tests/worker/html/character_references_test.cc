#include "worker/html/character_references.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "worker/html/named_references.h"

namespace trawl::html {
namespace {

std::string Decoded(std::string_view raw, ReferencePlace place) {
  std::string text;
  AppendDecoded(raw, place, text);
  return text;
}

struct DecodeCase {
  std::string raw;
  std::string text;
};

void ExpectDecoded(ReferencePlace place, const std::vector<DecodeCase>& cases) {
  for (const auto& [raw, text] : cases) EXPECT_EQ(Decoded(raw, place), text) << raw;
}

TEST(CharacterReferences, ANameStandsForItsCharacters) {
  ExpectDecoded(ReferencePlace::kText, {{"a&amp;b", "a&b"},
                                        {"&lt;&GT;", "<>"},
                                        {"&auml;", "\xC3\xA4"},
                                        {"&Afr;", "\xF0\x9D\x94\x84"},
                                        {"&acE;", "\xE2\x88\xBE\xCC\xB3"},
                                        {"&fjlig;", "fj"},
                                        {"&CounterClockwiseContourIntegral;", "\xE2\x88\xB3"}});
}

TEST(CharacterReferences, TheLongestNameCounts) {
  ExpectDecoded(ReferencePlace::kText, {{"&notin;", "\xE2\x88\x89"},
                                        {"&notit;", "\xC2\xACit;"},
                                        {"&not", "\xC2\xAC"},
                                        {"&ampamp;", "&amp;"}});
}

TEST(CharacterReferences, WhatIsNoReferenceStandsForItself) {
  for (const char* raw : {"&", "&;", "& amp;", "&nosuchname;", "&AMp;x", "&#", "&#;", "&#x", "&#x;",
                          "&#xg;", "&#a;", "&lang", "&apos", "a&"}) {
    EXPECT_EQ(Decoded(raw, ReferencePlace::kText), raw);
    EXPECT_EQ(Decoded(raw, ReferencePlace::kAttribute), raw);
  }
}

// 13.2.5.73: "for historical reasons".
TEST(CharacterReferences, InAnAttributeANameWithoutSemicolonEndsBeforeNoLetterDigitOrEquals) {
  ExpectDecoded(ReferencePlace::kAttribute, {{"?a&copy=1", "?a&copy=1"},
                                             {"?a&copyb", "?a&copyb"},
                                             {"?a&copy1", "?a&copy1"},
                                             {"?a&copy;=1", "?a\xC2\xA9=1"},
                                             {"?a&copy", "?a\xC2\xA9"},
                                             {"?a&copy&b", "?a\xC2\xA9&b"},
                                             {"?a&copy/", "?a\xC2\xA9/"},
                                             {"&notit;", "&notit;"},
                                             {"&notin;", "\xE2\x88\x89"}});
  ExpectDecoded(ReferencePlace::kText, {{"?a&copy=1", "?a\xC2\xA9=1"},
                                        {"&copyb",
                                         "\xC2\xA9"
                                         "b"}});
}

TEST(CharacterReferences, ANumberIsACodePoint) {
  ExpectDecoded(ReferencePlace::kAttribute, {{"&#65;&#x42;&#X43;", "ABC"},
                                             {"&#65B", "AB"},
                                             {"&#x41G", "AG"},
                                             {"&#00000000000000000000000000065;", "A"},
                                             {"&#x20AC;", "\xE2\x82\xAC"},
                                             {"&#x10FFFF;", "\xF4\x8F\xBF\xBF"},
                                             {"&#xFFFE;", "\xEF\xBF\xBE"},
                                             {"&#13;", "\r"}});
}

TEST(CharacterReferences, ANumberThatIsNoCharacterIsReplaced) {
  for (const char* raw : {"&#0;", "&#x110000;", "&#xD800;", "&#xDFFF;", "&#99999999999999999999;",
                          "&#xFFFFFFFFFFFFFFFFF;"}) {
    EXPECT_EQ(Decoded(raw, ReferencePlace::kText), "\xEF\xBF\xBD") << raw;
  }
}

TEST(CharacterReferences, NumbersOfControlsMeanWindows1252) {
  ExpectDecoded(ReferencePlace::kText, {{"&#128;", "\xE2\x82\xAC"},
                                        {"&#x9F;", "\xC5\xB8"},
                                        {"&#150;", "\xE2\x80\x93"},
                                        {"&#x81;", "\xC2\x81"},
                                        {"&#160;", "\xC2\xA0"}});
}

TEST(CharacterReferences, NulIsReplaced) {
  EXPECT_EQ(Decoded(std::string("a\0b", 3), ReferencePlace::kText),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(CharacterReferences, TheTableIsSortedAndEachOfItsNamesIsFound) {
  EXPECT_TRUE(std::is_sorted(kNamedReferences.begin(), kNamedReferences.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  std::size_t without_semicolon = 0;
  for (const NamedReference& reference : kNamedReferences) {
    without_semicolon += reference.name.back() != ';';
    const std::string raw = "&" + std::string(reference.name);
    EXPECT_EQ(Decoded(raw, ReferencePlace::kText), reference.text) << raw;
    EXPECT_EQ(Decoded(raw + " ", ReferencePlace::kAttribute), std::string(reference.text) + " ");
  }
  EXPECT_EQ(without_semicolon, 106u);
}

}  // namespace
}  // namespace trawl::html

#include "common/utf8.h"

#include <gtest/gtest.h>

#include <iterator>
#include <string>

namespace trawl {
namespace {

using std::string_literals::operator""s;

const std::string kReplacement = "\xEF\xBF\xBD";

TEST(Utf8, LeavesValidTextAlone) {
  for (const std::string& text :
       {""s, "abc"s, "\0\n\x7F"s, "\xC3\xA4"s, "\xE2\x82\xAC"s, "\xF0\x9F\x98\x80"s,
        "\xEF\xBB\xBF"s, "\xF4\x8F\xBF\xBF"s, "\xED\x9F\xBF\xEE\x80\x80"s, kReplacement}) {
    EXPECT_EQ(ValidUtf8(text), text);
  }
}

TEST(Utf8, ReplacesWhatIsIllFormedAndNothingElse) {
  const struct {
    std::string bytes, text;
  } kCases[] = {
      {"a\xFFz", "a" + kReplacement + "z"},
      {"\x80", kReplacement},
      {"a\xC3", "a" + kReplacement},
      {"\xC3(", kReplacement + "("},
      {"\xE2\x82z", kReplacement + "z"},
      {"\xF0\x9F\x98", kReplacement},
      {"\xC3\xA4\xFF\xC3\xA4", "\xC3\xA4" + kReplacement + "\xC3\xA4"},
      // Overlong forms, surrogates and what is beyond U+10FFFF: each byte is a mistake of its own.
      {"\xC0\xAF", kReplacement + kReplacement},
      {"\xED\xA0\x80", kReplacement + kReplacement + kReplacement},
      {"\xF4\x90\x80\x80", kReplacement + kReplacement + kReplacement + kReplacement},
  };
  for (const auto& c : kCases) EXPECT_EQ(ValidUtf8(c.bytes), c.text);
}

TEST(Utf8, KeepsTheBeginningOfACharacterAtTheEnd) {
  const struct {
    std::string bytes, text;
    std::size_t used;
  } kCases[] = {
      {"", "", 0},
      {"a\xC3\xA4", "a\xC3\xA4", 3},
      {"a\xC3", "a", 1},
      {"abcdefghi\xF0\x9F\x98", "abcdefghi", 9},
      {"\xE2\x82\xC3", kReplacement, 2},
      {"\xC3\xFF", kReplacement + kReplacement, 2},
      {"\xF4\x90", kReplacement + kReplacement, 2},
  };
  for (const auto& c : kCases) {
    std::string text = "before ";
    EXPECT_EQ(AppendUtf8(c.bytes, text), c.used) << c.bytes;
    EXPECT_EQ(text, "before " + c.text);
  }
}

TEST(Utf8, WritesAndReadsEveryCharacter) {
  std::string text;
  for (char32_t c = 0; c <= 0x10FFFF; c = c == 0xD7FF ? 0xE000 : c + 1) {
    text.clear();
    AppendCodePoint(c, text);
    ASSERT_EQ(ValidUtf8(text), text);
    std::string_view rest = text;
    ASSERT_EQ(TakeCodePoint(rest), c);
    ASSERT_TRUE(rest.empty());
  }
  std::string_view bad = "\xE2\x82z";
  EXPECT_EQ(TakeCodePoint(bad), U'\uFFFD');
  EXPECT_EQ(bad, "z");
}

TEST(Utf8, FindsTheEndOfAscii) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, 'a');
    EXPECT_EQ(EndOfAscii(text.data(), text.data() + size), text.data() + size);
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      EXPECT_EQ(EndOfAscii(text.data(), text.data() + size), text.data() + at);
      text[at] = '\x7F';
    }
  }
}

TEST(Utf8, WhatItGivesIsValid) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes = {static_cast<char>(first), static_cast<char>(second), 'z'};
      const std::string text = ValidUtf8(bytes);
      ASSERT_EQ(ValidUtf8(text), text);
      ASSERT_EQ(text.back(), 'z');
    }
  }
}

TEST(Utf8, CutsBetweenCharacters) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
  const std::size_t kCut[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10, 10};
  for (std::size_t limit = 0; limit < std::size(kCut); ++limit) {
    const std::string_view cut = CutUtf8(text, limit);
    EXPECT_EQ(cut, text.substr(0, kCut[limit])) << limit;
    EXPECT_EQ(ValidUtf8(cut), cut);
  }
  EXPECT_EQ(CutUtf8("", 0), "");
}

}  // namespace
}  // namespace trawl

#include "common/text.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

TEST(Text, OnlyAsciiLettersHaveALowerCase) {
  EXPECT_EQ(LowerCase("ABZ[`az@09"), "abz[`az@09");
  EXPECT_EQ(LowerCase("\xC3\x84"), "\xC3\x84");
}

TEST(Text, OnlyTheCaseOfAsciiLettersIsIgnored) {
  EXPECT_TRUE(EqualsIgnoringCase("aZ-9", "Az-9"));
  EXPECT_TRUE(EqualsIgnoringCase("", ""));
  EXPECT_FALSE(EqualsIgnoringCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoringCase("@", "`"));
  EXPECT_FALSE(EqualsIgnoringCase("\xC3\x84", "\xC3\xA4"));
}

TEST(Text, PrintableTextIsVisibleAscii) {
  EXPECT_EQ(Printable("a b~!"), "a b~!");
  EXPECT_EQ(Printable("\x1B[2J\n\x7F\xC3\xA4"), "?[2J????");
}

TEST(Text, WordsAreTakenOneByOne) {
  std::string_view text = "one  two";
  EXPECT_EQ(TakeWord(text), "one");
  EXPECT_EQ(TakeWord(text), "");
  EXPECT_EQ(TakeWord(text), "two");
  EXPECT_EQ(TakeWord(text), "");
  EXPECT_EQ(text, "");
}

TEST(Text, ANumberIsAWholeWord) {
  const struct {
    std::string_view text;
    bool good;
    int number;
  } kCases[] = {{"12 x", true, 12}, {"-3", true, -3}, {"12x", false, 0},
                {"", false, 0},     {"x", false, 0},  {"99999999999", false, 0}};
  for (auto [text, good, number] : kCases) {
    int taken = 0;
    const std::string_view whole = text;
    EXPECT_EQ(TakeNumber(text, taken), good) << whole;
    if (good) {
      EXPECT_EQ(taken, number) << whole;
    }
  }
}

TEST(Trimmed, LosesTheBlanksAroundIt) {
  EXPECT_EQ(Trimmed(" \ta b\t ", " \t"), "a b");
  EXPECT_EQ(Trimmed("\ta", " "), "\ta");
  EXPECT_EQ(Trimmed(" \t", " \t"), "");
  EXPECT_EQ(Trimmed("", " \t"), "");
}

TEST(TakePart, EndsAtTheSeparatorOrTheEnd) {
  std::string_view text = "a,,b";
  EXPECT_EQ(TakePart(text, ','), "a");
  EXPECT_EQ(TakePart(text, ','), "");
  EXPECT_EQ(TakePart(text, ','), "b");
  EXPECT_EQ(TakePart(text, ','), "");
}

}  // namespace
}  // namespace trawl

#include "common/base64.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace trawl {
namespace {

using std::string_literals::operator""s;

TEST(Base64, DecodesWhatTheRfcEncodes) {
  const struct {
    const char* text;
    std::string bytes;
  } kCases[] = {{"", ""},
                {"Zg==", "f"},
                {"Zm8=", "fo"},
                {"Zm9v", "foo"},
                {"Zm9vYg==", "foob"},
                {"Zm9vYmE=", "fooba"},
                {"AAAA", "\0\0\0"s},
                {"+/+/", "\xFB\xFF\xBF"},
                {"//8=", "\xFF\xFF"}};
  for (const auto& c : kCases) EXPECT_EQ(DecodeBase64(c.text), c.bytes) << c.text;
}

TEST(Base64, NeedsNoPadding) {
  EXPECT_EQ(DecodeBase64("Zg"), "f");
  EXPECT_EQ(DecodeBase64("Zm8"), "fo");
}

TEST(Base64, RefusesWhatStandsForNoBytes) {
  for (const char* text : {"A", "AAAAA", "Zg=", "=", "==", "====", "A===", "Zm8=Zm8=", "Zm 9",
                           "Zm9v\n", "Zm-_", "Zm\xC3\xA4", "!"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

// RFC 4648, section 10.
TEST(Base64, IsWrittenWithItsPadding) {
  const struct {
    std::string_view bytes, text;
  } kCases[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xff\xfe", "//4="}};
  for (const auto& c : kCases) EXPECT_EQ(EncodeBase64(c.bytes), c.text);
}

}  // namespace
}  // namespace trawl

#include <gtest/gtest.h>

#include <string>

#include "common/url.h"
#include "worker/charset.h"

namespace trawl {
namespace {

using std::string_literals::operator""s;

TEST(QueryEncoder, IsNullWhereQueriesAreInUtf8) {
  for (const char* label : {"utf-8", "utf-16le", "utf-16be", "replacement"}) {
    EXPECT_EQ(QueryEncoderFor(*Encoding::ForLabel(label)), nullptr) << label;
  }
}

TEST(QueryEncoder, WritesAQueryInThePagesEncoding) {
  const struct {
    const char* label;
    std::string query, bytes;
  } kCases[] = {
      {"windows-1252", "q=ä&\"<~", "q=\xE4&\"<~"},
      {"windows-1252", "\u0081€", "\x81\x80"},
      {"windows-1251", "При", "\xCF\xF0\xE8"},
      {"iso-8859-8-i", "של", "\xF9\xEC"},
      {"iso-8859-16", "Ș", "\xAA"},
      {"koi8-u", "ў", "\xAE"},
      {"x-user-defined", "\uF780\uF7FF", "\x80\xFF"},
      {"gbk", "你€", "\xC4\xE3\x80"},
      {"gb18030", "你€\U0001F600\u0080", "\xC4\xE3\xA2\xE3\x94\x39\xFC\x36\x81\x30\x81\x30"},
      {"gb18030", "\uFE10\uE78D\u9FB4\uE81E\uE7C7\u3000",
       "\xA6\xD9\xA6\xD9\xFE\x59\xFE\x59\x81\x35\xF4\x37\xA1\xA1"},
      {"big5", "你", "\xA7\x41"},
      {"big5", "═╞╡╪十卅兀", "\xF9\xF9\xF9\xE9\xF9\xEB\xF9\xEA\xA4\x51\xA4\xCA\xA4\x61"},
      {"euc-jp", "日ｱ¥‾−", "\xC6\xFC\x8E\xB1\\~\xA1\xDD"},
      {"shift_jis", "日ｱ¥‾−\u0080", "\x93\xFA\xB1\\~\x81\x7C\x80"},
      {"shift_jis", "纊∪①", "\xFA\x5C\x81\xBE\x87\x40"},
      {"euc-kr", "한갂", "\xC7\xD1\x81\x41"},
      {"iso-2022-jp", "a日b", "a\x1B$BF|\x1B(Bb"},
      {"iso-2022-jp", "日", "\x1B$BF|\x1B(B"},
      {"iso-2022-jp", "¥a\\‾~", "\x1B(J\\a\x1B(B\\\x1B(J~\x1B(B~"},
      {"iso-2022-jp", "ｱﾞ−", "\x1B$B%\"!+!]\x1B(B"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(QueryEncoderFor(*Encoding::ForLabel(c.label))(c.query), c.bytes)
        << c.label << " " << c.query;
  }
}

TEST(QueryEncoder, WritesAReferenceForWhatTheEncodingLacks) {
  const struct {
    const char *label, *query, *bytes;
  } kCases[] = {
      {"windows-1252", "a☃b", "a%26%239731%3Bb"},
      {"windows-1253", "ª", "%26%23170%3B"},
      {"x-user-defined", "ä", "%26%23228%3B"},
      {"gbk", "\U0001F600", "%26%23128512%3B"},
      {"gb18030", "\uE5E5", "%26%2358853%3B"},
      {"big5", "\u31C0", "%26%2312736%3B"},  // only in the Hong Kong part
      {"euc-jp", "丂", "%26%2319970%3B"},    // only in JIS X 0212
      {"shift_jis", "\uE000", "%26%2357344%3B"},
      {"euc-kr", "丂", "%26%2319970%3B"},
      {"iso-2022-jp", "日☃日", "\x1B$BF|\x1B(B%26%239731%3B\x1B$BF|\x1B(B"},
      {"iso-2022-jp", "¥☃", "\x1B(J\\%26%239731%3B\x1B(B"},
      {"iso-2022-jp", "日\x1B\x0E", "\x1B$BF|\x1B(B%26%2365533%3B%26%2365533%3B"},
  };
  for (const auto& c : kCases) {
    const QueryEncoder encode = QueryEncoderFor(*Encoding::ForLabel(c.label));
    EXPECT_EQ(encode(c.query), c.bytes) << c.label << " " << c.query;
  }
}

TEST(QueryEncoder, ServesUrlsOfLinks) {
  const Url base = *Url::Parse("http://a.test/");
  const struct {
    const char *label, *reference, *url;
  } kCases[] = {
      {"windows-1251", "/п?q=п#п", "http://a.test/%D0%BF?q=%EF"},
      {"shift_jis", "?日ソ", "http://a.test/?%93%FA%83\\"},
      {"iso-2022-jp", "?日", "http://a.test/?%1B$BF|%1B(B"},
      {"windows-1252", "?☃", "http://a.test/?%26%239731%3B"},
      {"utf-16le", "?п", "http://a.test/?%D0%BF"},
  };
  for (const auto& c : kCases) {
    const QueryEncoder encode = QueryEncoderFor(*Encoding::ForLabel(c.label));
    EXPECT_EQ(base.Resolve(c.reference, encode)->text(), c.url) << c.label;
  }
}

}  // namespace
}  // namespace trawl

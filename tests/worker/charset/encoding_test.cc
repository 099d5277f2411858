#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "common/text.h"
#include "worker/charset.h"
#include "worker/charset/encoding_table.h"

namespace trawl {
namespace {

std::string NameOf(std::string_view label) {
  const std::optional<Encoding> encoding = Encoding::ForLabel(label);
  return encoding ? std::string(encoding->name()) : "none";
}

TEST(Encoding, IsFoundByEachKindOfLabel) {
  const struct {
    const char *label, *name;
  } kCases[] = {
      {"unicode-1-1-utf-8", "utf-8"},
      {"x-unicode20utf8", "utf-8"},
      {"cp866", "ibm866"},
      {"l2", "iso-8859-2"},
      {"latin3", "iso-8859-3"},
      {"iso_8859-4:1988", "iso-8859-4"},
      {"cyrillic", "iso-8859-5"},
      {"asmo-708", "iso-8859-6"},
      {"iso-8859-6-i", "iso-8859-6"},
      {"sun_eu_greek", "iso-8859-7"},
      {"visual", "iso-8859-8"},
      {"logical", "iso-8859-8-i"},
      {"csiso88598i", "iso-8859-8-i"},
      {"latin6", "iso-8859-10"},
      {"iso885913", "iso-8859-13"},
      {"iso8859-14", "iso-8859-14"},
      {"l9", "iso-8859-15"},
      {"iso-8859-16", "iso-8859-16"},
      {"koi", "koi8-r"},
      {"koi8-ru", "koi8-u"},
      {"x-mac-roman", "macintosh"},
      {"tis-620", "windows-874"},
      {"x-cp1250", "windows-1250"},
      {"cp1251", "windows-1251"},
      {"iso-8859-1", "windows-1252"},
      {"us-ascii", "windows-1252"},
      {"ansi_x3.4-1968", "windows-1252"},
      {"windows-1253", "windows-1253"},
      {"iso-8859-9", "windows-1254"},
      {"cp1255", "windows-1255"},
      {"x-cp1256", "windows-1256"},
      {"cp1257", "windows-1257"},
      {"windows-1258", "windows-1258"},
      {"x-mac-ukrainian", "x-mac-cyrillic"},
      {"gb2312", "gbk"},
      {"iso-ir-58", "gbk"},
      {"gb18030", "gb18030"},
      {"big5-hkscs", "big5"},
      {"cseucpkdfmtjapanese", "euc-jp"},
      {"csiso2022jp", "iso-2022-jp"},
      {"windows-31j", "shift_jis"},
      {"ks_c_5601-1987", "euc-kr"},
      {"hz-gb-2312", "replacement"},
      {"iso-2022-kr", "replacement"},
      {"unicodefffe", "utf-16be"},
      {"utf-16", "utf-16le"},
      {"ucs-2", "utf-16le"},
      {"x-user-defined", "x-user-defined"},
  };
  std::set<std::string> names;
  for (const auto& c : kCases) {
    EXPECT_EQ(NameOf(c.label), c.name);
    names.insert(c.name);
  }
  EXPECT_EQ(names.size(), 40u);
}

TEST(Encoding, HasTheLabelsOfTheStandardEachOnce) {
  std::map<std::string_view, int> labels;
  for (const EncodingInfo& encoding : EncodingTable()) {
    std::string_view rest = encoding.labels;
    while (!rest.empty()) {
      const std::string_view label = TakeWord(rest);
      EXPECT_EQ(++labels[label], 1) << label;
      EXPECT_EQ(NameOf(label), encoding.name);
    }
    EXPECT_EQ(NameOf(encoding.name), encoding.name);
  }
  EXPECT_EQ(EncodingTable().size(), 40u);
  EXPECT_EQ(labels.size(), 228u);
}

TEST(Encoding, IsFoundWhateverTheCaseAndTheBlanksAroundItsLabel) {
  EXPECT_EQ(NameOf("UTF-8"), "utf-8");
  EXPECT_EQ(NameOf("\t\n\f\r Shift_JIS \r"), "shift_jis");
  for (const char* label : {"", " ", "utf-7", "utf 8", "utf-8;", "\vutf-8", "\"utf-8\"",
                            "ut\u0130f-8", "utf-8 utf-8", "iso-8859-12", "utf-32", "none"}) {
    EXPECT_EQ(NameOf(label), "none") << label;
  }
  EXPECT_EQ(NameOf(std::string("utf-8\0", 6)), "none");
}

TEST(Encoding, OfAContentTypeIsItsFirstCharsetParameter) {
  const struct {
    std::string content_type, label;
  } kCases[] = {
      {"", ""},
      {"text/html", ""},
      {"text/html; charset=utf-8", "utf-8"},
      {"text/html;charset=utf-8", "utf-8"},
      {"Text/HTML;\t CHARSET=Shift_JIS \t", "Shift_JIS"},
      {"text/html; charset=\"utf-8\"", "utf-8"},
      {"text/html; charset=\"utf-8", "utf-8"},
      {"text/html; charset=\"ut\\f-8\"; x=y", "utf-8"},
      {"text/html; charset=\"utf-8\"junk; x=y", "utf-8"},
      {"text/html; charset=\"a;b=c,d\"", "a;b=c,d"},
      {"text/html; x=\"; charset=gbk\"; charset=big5", "big5"},
      {"text/html; boundary=x; charset=big5", "big5"},
      {"text/html; charset=gbk; charset=big5", "gbk"},
      {"text/html; charset=; charset=big5", "big5"},
      {"text/html; charset; charset=big5", "big5"},
      {"text/html; charset=\"\"; charset=big5", ""},
      {"text/html; charset='gbk'", "'gbk'"},
      {"text/html; charset= gbk", " gbk"},
      {"text/html; charset =gbk", ""},
      {"text/html; xcharset=gbk", ""},
      {"text/html charset=gbk", ""},
      {"text/html;;; charset=gbk;", "gbk"},
      {"text/html; charset=\"gb\x01k\"; charset=big5", "big5"},
      {"; charset=gbk", "gbk"},
      {"text/html; charset=gbk, text/html", "gbk"},
      {"text/html; charset=gbk, text/html; charset=big5", "big5"},
      {"text/html; charset=", ""},
      {"text/html; charset=\"", ""},
      {"text/html; charset=\"\\", "\\"},
  };
  for (const auto& c : kCases) EXPECT_EQ(CharsetLabelOf(c.content_type), c.label) << c.content_type;
}

TEST(Encoding, OfAPageThatDoesNotTellIsUtf8ForXhtmlAndWindows1252ForHtml) {
  const struct {
    const char *content_type, *name;
  } kCases[] = {
      {"application/xhtml+xml", "utf-8"},
      {" Application/XHTML+xml ; charset=none", "utf-8"},
      {"application/xhtml+xml, text/html", "utf-8"},
      {"text/html", "windows-1252"},
      {"text/html; x=application/xhtml+xml", "windows-1252"},
      {"", "windows-1252"},
      {" ", "windows-1252"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(FallbackEncodingOf(c.content_type).name(), c.name) << c.content_type;
  }
}

}  // namespace
}  // namespace trawl

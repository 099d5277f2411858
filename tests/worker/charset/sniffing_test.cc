#include <gtest/gtest.h>

#include <string>

#include "worker/charset.h"

namespace trawl {
namespace {

using std::string_literals::operator""s;

std::string Sniff(const std::string& head, std::string_view header_label = "") {
  const SniffedEncoding sniffed = SniffEncoding(head, header_label);
  return std::string(sniffed.encoding.name());
}

struct Case {
  std::string head, name;
};

TEST(Sniffing, AByteOrderMarkBeatsTheHeaderWhichBeatsThePage) {
  const struct {
    std::string head, header_label, name;
    std::size_t bom_bytes;
  } kCases[] = {
      {"\xEF\xBB\xBF<meta charset=gbk>", "big5", "utf-8", 3},
      {"\xFE\xFF\0<"s, "utf-8", "utf-16be", 2},
      {"\xFF\xFE<\0"s, "utf-8", "utf-16le", 2},
      {"<meta charset=gbk>", "big5", "big5", 0},
      {"<meta charset=gbk>", " Latin1 ", "windows-1252", 0},
      {"<meta charset=gbk>", "utf-16", "utf-16le", 0},
      {"<meta charset=gbk>", "x-user-defined", "x-user-defined", 0},
      {"<meta charset=gbk>", "iso-2022-kr", "replacement", 0},
      {"<meta charset=gbk>", "no-such-charset", "gbk", 0},
      {"<meta charset=gbk>", "", "gbk", 0},
      {"<p>", "", "windows-1252", 0},
      {"", "", "windows-1252", 0},
      {"\xEF\xBB", "", "windows-1252", 0},
      {" \xEF\xBB\xBF", "", "windows-1252", 0},
  };
  for (const auto& c : kCases) {
    const SniffedEncoding sniffed = SniffEncoding(c.head, c.header_label);
    EXPECT_EQ(sniffed.encoding.name(), c.name) << c.head;
    EXPECT_EQ(sniffed.bom_bytes, c.bom_bytes) << c.head;
  }
}

TEST(Sniffing, TakesTheFallbackOnlyWhenNothingTells) {
  const auto sniff = [](const char* head, const char* header_label) {
    return SniffEncoding(head, header_label, Encoding::Utf8()).encoding.name();
  };
  EXPECT_EQ(sniff("<p>", ""), "utf-8");
  EXPECT_EQ(sniff("<p>", "no-such-charset"), "utf-8");
  EXPECT_EQ(sniff("<p>", "gbk"), "gbk");
  EXPECT_EQ(sniff("<?xml encoding='gbk'?>", ""), "gbk");
  EXPECT_EQ(sniff("\xFF\xFE", ""), "utf-16le");
}

TEST(Sniffing, FindsTheCharsetOfAMeta) {
  const Case kCases[] = {
      {"<meta charset=gbk>", "gbk"},
      {"<META CHARSET=GBK>", "gbk"},
      {"<meta charset='gbk'>", "gbk"},
      {"<meta charset=\" gbk \">", "gbk"},
      {"<meta charset = \n gbk >", "gbk"},
      {"<meta/charset=gbk>", "gbk"},
      {"<meta / charset=gbk>", "gbk"},
      {"<meta charset=gbk/>", "windows-1252"},
      {"<meta charset=gbk />", "gbk"},
      {"<meta charset=\"gbk\"/>", "gbk"},
      {"<meta\tname=x\fcharset=gbk>", "gbk"},
      {"<meta charset=big5 charset=gbk>", "big5"},
      {"<meta name charset=gbk>", "gbk"},
      {"<meta name= charset=gbk>", "windows-1252"},
      {"<meta name=\"a>b\" charset=gbk>", "gbk"},
      {"<meta =charset=gbk charset=big5>", "big5"},
      {"<meta charset>", "windows-1252"},
      {"<meta charset=>", "windows-1252"},
      {"<meta charset=bogus><meta charset=gbk>", "gbk"},
      {"<metacharset=gbk>", "windows-1252"},
      {"<meta><meta charset=gbk>", "gbk"},
      {"<p><b class=x>text</b><meta charset=gbk>", "gbk"},
      {"<script>'<meta charset=gbk>'</script>", "gbk"},
      // Bytes that the page cannot be in, and an encoding that only servers may ask for.
      {"<meta charset=utf-16>", "utf-8"},
      {"<meta charset=utf-16be>", "utf-8"},
      {"<meta charset=x-user-defined>", "windows-1252"},
      {"<meta charset=hz-gb-2312>", "replacement"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Sniff(c.head), c.name) << c.head;
}

TEST(Sniffing, FindsTheCharsetOfAContentTypePragma) {
  const auto pragma = [](const std::string& content) {
    return "<meta http-equiv=content-type content=\"" + content + "\">";
  };
  const Case kCases[] = {
      {pragma("text/html; charset=gbk"), "gbk"},
      {pragma("charset=gbk"), "gbk"},
      {pragma("text/html; CharSet = GBK ; x"), "gbk"},
      {pragma("text/html; charset='gbk'"), "gbk"},
      {pragma("text/html; charset='gbk"), "windows-1252"},
      {pragma("text/html; charset='gbk' big5"), "gbk"},
      {pragma("text/html; charset=gbk\tbig5"), "gbk"},
      {pragma("charset charset=gbk"), "gbk"},
      {pragma("charsetcharset=gbk"), "gbk"},
      {pragma("charset; charset=gbk"), "gbk"},
      {pragma("charset=bogus; charset=gbk"), "windows-1252"},
      {pragma("charset="), "windows-1252"},
      {pragma("charset"), "windows-1252"},
      {pragma(""), "windows-1252"},
      {pragma("charset=utf-16le"), "utf-8"},
      {"<meta content='charset=gbk' http-equiv=Content-Type>", "gbk"},
      {"<meta content='charset=gbk'>", "windows-1252"},
      {"<meta http-equiv=refresh content='charset=gbk'>", "windows-1252"},
      {"<meta http-equiv='content-type ' content='charset=gbk'>", "windows-1252"},
      {"<meta http-equiv=refresh http-equiv=content-type content='charset=gbk'>", "windows-1252"},
      {"<meta http-equiv=content-type content=x content='charset=gbk'>", "windows-1252"},
      // A charset attribute needs no pragma, and wins.
      {"<meta content='charset=gbk' charset=big5>", "big5"},
      {"<meta charset=big5 http-equiv=content-type content='charset=gbk'>", "big5"},
      {"<meta charset=bogus http-equiv=content-type content='charset=gbk'>", "windows-1252"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Sniff(c.head), c.name) << c.head;
}

TEST(Sniffing, PassesOverWhatIsNoMeta) {
  const std::string meta = "<meta charset=gbk>";
  const Case kCases[] = {
      {"<!--" + meta + "-->", "windows-1252"},
      {"<!--" + meta, "windows-1252"},
      {"<!-->" + meta, "gbk"},
      {"<!--->" + meta, "gbk"},
      {"<!-- > --!> " + meta + " -- > -->", "windows-1252"},
      {"<!-- -->" + meta, "gbk"},
      {"<!" + meta, "windows-1252"},
      {"<!doctype html>" + meta, "gbk"},
      {"<?" + meta, "windows-1252"},
      {"</" + meta, "windows-1252"},
      {"</1>" + meta, "gbk"},
      {"<1" + meta, "gbk"},
      {"<" + meta, "gbk"},
      {"<a title='>" + meta + "'>", "windows-1252"},
      {"</a title='>" + meta + "'>", "windows-1252"},
      {"<a title=>" + meta, "gbk"},
      {"<a<meta charset=gbk>", "windows-1252"},
      {"<a 'x>" + meta, "gbk"},
      {"<a href=\"" + meta, "windows-1252"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Sniff(c.head), c.name) << c.head;
}

TEST(Sniffing, TrustsAnXmlDeclarationWhenNoMetaTells) {
  const Case kCases[] = {
      {"<?xml version='1.0' encoding='gbk'?>", "gbk"},
      {"<?xml encoding \t=\x01 \"gbk\"?><p>", "gbk"},
      {"<?xml encoding='gbk'?><meta charset=big5>", "big5"},
      {"<?xml encoding='utf-16'?>", "utf-8"},
      {"<?xml encoding='gbk' ", "windows-1252"},
      {"<?xml encoding=gbk?>", "windows-1252"},
      {"<?xml encoding='gbk?>", "windows-1252"},
      {"<?xml encoding=' gbk'?>", "windows-1252"},
      {"<?xml encoding'gbk'?>", "windows-1252"},
      {"<?xml version='1.0'?>", "windows-1252"},
      {"<?xml encoding=", "windows-1252"},
      {"<?xml>encoding", "windows-1252"},
      {" <?xml encoding='gbk'?>", "windows-1252"},
      {"<?XML encoding='gbk'?>", "windows-1252"},
      // In UTF-16 without a byte order mark.
      {"<\0?\0x\0m\0"s, "utf-16le"},
      {"\0<\0?\0x\0m"s, "utf-16be"},
      {"<\0?\0x"s, "windows-1252"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Sniff(c.head), c.name) << c.head;
}

TEST(Sniffing, LooksNoFurtherThanKSniffBytes) {
  const std::string meta = "<meta charset=gbk>";
  const std::string rest(2 * kSniffBytes, ' ');
  EXPECT_EQ(Sniff(std::string(kSniffBytes - meta.size(), ' ') + meta + rest), "gbk");
  EXPECT_EQ(Sniff(std::string(kSniffBytes - meta.size() + 1, ' ') + meta + rest), "windows-1252");
}

TEST(Sniffing, TellsNothingWhereverTheBytesEndBeforeADeclarationIsWhole) {
  const std::string pages[] = {
      "<!-- a --><!doctype html><html lang='en'></a ><meta name=a charset = \"gbk\" >",
      "<meta content=\"text/html; charset='gbk'\" / http-equiv = content-type>",
      "<?xml encoding = \"gbk\" ?>",
  };
  for (const std::string& page : pages) {
    EXPECT_EQ(Sniff(page), "gbk");
    for (std::size_t size = 0; size < page.size(); ++size) {
      EXPECT_EQ(Sniff(page.substr(0, size)), "windows-1252") << page.substr(0, size);
    }
  }
}

}  // namespace
}  // namespace trawl

#include "common/url.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {
namespace {

using std::string_view_literals::operator""sv;

// The canonical text, empty for what is nothing to crawl.
std::string TextOf(const Result<Url>& url) {
  if (url) return url->text();
  EXPECT_EQ(url.error(), Error::kNotCrawlable);
  return "";
}

std::string Parsed(std::string_view text) { return TextOf(Url::Parse(text)); }

std::string Resolved(std::string_view base, std::string_view reference) {
  return TextOf(Url::Parse(base).value().Resolve(reference));
}

struct Case {
  std::string_view input;
  std::string_view want;  // empty: nothing to crawl
};
using Cases = std::vector<Case>;

void ExpectParsed(const Cases& cases) {
  for (const Case& c : cases) EXPECT_EQ(Parsed(c.input), c.want) << "from " << c.input;
}

void ExpectResolved(std::string_view base, const Cases& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(Resolved(base, c.input), c.want) << "from " << c.input << " on " << base;
  }
}

void ExpectRefused(const std::vector<std::string_view>& inputs) {
  for (const std::string_view input : inputs) EXPECT_EQ(Parsed(input), "") << "from " << input;
}

std::string Repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Url, NamesItsParts) {
  const Url url = Url::Parse("HTTPS://user:pw@Shop.Example:8443/a/b?c=d#e").value();
  EXPECT_EQ(url.text(), "https://shop.example:8443/a/b?c=d");
  EXPECT_EQ(url.scheme(), "https");
  EXPECT_TRUE(url.is_https());
  EXPECT_EQ(url.authority(), "shop.example:8443");
  EXPECT_EQ(url.host(), "shop.example");
  EXPECT_EQ(url.port(), 8443);
  EXPECT_EQ(url.origin(), "https://shop.example:8443");
  EXPECT_EQ(url.path(), "/a/b");
  EXPECT_EQ(url.target(), "/a/b?c=d");
}

TEST(Url, NamesTheDefaultPortAndTheBracketsOfAnAddress) {
  const Url http = Url::Parse("http://[::1]").value();
  EXPECT_FALSE(http.is_https());
  EXPECT_EQ(http.host(), "[::1]");
  EXPECT_EQ(http.authority(), "[::1]");
  EXPECT_EQ(http.port(), 80);
  EXPECT_EQ(http.path(), "/");
  EXPECT_EQ(http.target(), "/");
  EXPECT_EQ(Url::Parse("https://[::1]:80/").value().port(), 80);
  EXPECT_EQ(Url::Parse("https://[::1]/").value().port(), 443);
}

TEST(Url, KeepsItsPartsInWhatIsResolvedAgainstIt) {
  const Url base = Url::Parse("https://shop.example:8443/a/b?c=d").value();
  for (const std::string_view reference : {"", "#x", "?q", "e", "/e?q", "../../..", "//f:1/e?q"}) {
    const Url url = base.Resolve(reference).value();
    const Url again = Url::Parse(url.text()).value();
    EXPECT_EQ(url.host(), again.host()) << reference;
    EXPECT_EQ(url.authority(), again.authority()) << reference;
    EXPECT_EQ(url.path(), again.path()) << reference;
    EXPECT_EQ(url.target(), again.target()) << reference;
  }
}

TEST(Url, AuthorityOfReadsCanonicalTexts) {
  EXPECT_EQ(AuthorityOf("http://a.example/"), "a.example");
  EXPECT_EQ(AuthorityOf("https://a.example:8080/b://c"), "a.example:8080");
  EXPECT_EQ(AuthorityOf("https://[2001:db8::1]:81/?x"), "[2001:db8::1]:81");
  EXPECT_EQ(AuthorityOf("nothing"), "");
}

TEST(Url, TrimsControlsAndSpacesAround) {
  ExpectParsed({{" http://a/ ", "http://a/"},
                {"\x01\x1F\r\n\thttp://a/b\x01 \n", "http://a/b"},
                {"\0http://a/\0"sv, "http://a/"},
                {"http://a/b #c ", "http://a/b%20"},
                {"\u00A0http://a/", ""}});
}

TEST(Url, RemovesTabsAndNewlinesWithin) {
  ExpectParsed({{"ht\ntp:\t//a\r.example\n/b\tc?d\re", "http://a.example/bc?de"},
                {"http://a/.\t./b/%2\ne/c", "http://a/b/c"},
                {"http://a:8\n1/", "http://a:81/"}});
}

TEST(Url, ReadsTheSchemeWithoutCase) {
  ExpectParsed({{"HTTP://a/", "http://a/"}, {"hTtPs://a/", "https://a/"}});
}

TEST(Url, RefusesOtherSchemes) {
  ExpectRefused({"", "a", "//a/", "/a", "ftp://a/", "ws://a/", "file:///a", "mailto:a@b.example",
                 "javascript:void(0)", "data:text/html,a", "httpx://a/", "htt://a/", "1http://a/",
                 "http//a/", ":http://a/", "http", "https+x://a/"});
  ExpectResolved("http://a/b", {{"ftp://a/", ""},
                                {"mailto:c", ""},
                                {"c:d", ""},
                                {"x-1.2+3:d", ""},
                                {"c_d:e", "http://a/c_d:e"},
                                {"1c:d", "http://a/1c:d"},
                                {":c", "http://a/:c"}});
}

TEST(Url, ReadsAnyNumberOfSlashesAfterTheScheme) {
  ExpectParsed({{"http:a", "http://a/"},
                {"http:/a", "http://a/"},
                {"http:////a/b", "http://a/b"},
                {"https:\\\\a\\b", "https://a/b"},
                {"http:/\\/\\a", "http://a/"}});
}

TEST(Url, ReadsASchemeWithoutSlashesAsRelativeToABaseOfTheSameScheme) {
  ExpectResolved("http://a/b/c?d", {{"http:e", "http://a/b/e"},
                                    {"HTTP:/e", "http://a/e"},
                                    {"http:", "http://a/b/c?d"},
                                    {"http:?e", "http://a/b/c?e"},
                                    {"http:http:e", "http://a/b/http:e"},
                                    {"http://e", "http://e/"},
                                    {"http:\\\\e", "http://e/"},
                                    {"https:e", "https://e/"},
                                    {"https:/e", "https://e/"}});
}

TEST(Url, ReadsBackslashesAsSlashesOutsideTheQuery) {
  ExpectParsed(
      {{"http:\\\\a\\b\\..\\c?d\\e#\\f", "http://a/c?d\\e"}, {"http://a\\@b/", "http://a/@b/"}});
  ExpectResolved("http://a/b/c", {{"\\d", "http://a/d"},
                                  {"\\\\d", "http://d/"},
                                  {"/\\d", "http://d/"},
                                  {"..\\d", "http://a/d"}});
}

TEST(Url, DropsUserAndPassword) {
  ExpectParsed({{"http://u@a/", "http://a/"},
                {"http://u:p@a:81/", "http://a:81/"},
                {"http://:@a/", "http://a/"},
                {"http://u@v:80@a/", "http://a/"},
                {"http://[u@a/", "http://a/"},
                {"http://a/b@c", "http://a/b@c"},
                {"http://a?b@c", "http://a/?b@c"}});
  ExpectRefused({"http://u@", "http://u:p@/a", "http://@:80/", "http://u@?a"});
}

TEST(Url, ReadsPorts) {
  ExpectParsed({{"http://a:80/", "http://a/"},
                {"http://a:443/", "http://a:443/"},
                {"https://a:443/", "https://a/"},
                {"https://a:80/", "https://a:80/"},
                {"http://a:/b", "http://a/b"},
                {"http://a:0/", "http://a:0/"},
                {"http://a:00000000000000000008080", "http://a:8080/"},
                {"http://a:65535?b", "http://a:65535/?b"}});
}

TEST(Url, RefusesInvalidPorts) {
  ExpectRefused({"http://a:65536/", "http://a:99999999999999999999/", "http://a:b/", "http://a:-1/",
                 "http://a:8 0/", "http://a:80:80/", "http://:80/", "http://a:0x50/"});
}

TEST(Url, ReadsIPv4InAllItsSpellings) {
  ExpectParsed({{"http://192.0.2.1/", "http://192.0.2.1/"},
                {"http://0300.0.02.01/", "http://192.0.2.1/"},
                {"http://0xC0.0X0.0x2.0x1/", "http://192.0.2.1/"},
                {"http://192.0.513/", "http://192.0.2.1/"},
                {"http://192.513/", "http://192.0.2.1/"},
                {"http://3221225985/", "http://192.0.2.1/"},
                {"http://0xc0000201/", "http://192.0.2.1/"},
                {"http://192.0.2.1./", "http://192.0.2.1/"},
                {"http://0x/", "http://0.0.0.0/"},
                {"http://0x.0x.0/", "http://0.0.0.0/"},
                {"http://4294967295/", "http://255.255.255.255/"},
                {"http://%31%39%32.0.2.1/", "http://192.0.2.1/"},
                {"http://１９２．０。２｡１/", "http://192.0.2.1/"}});
}

TEST(Url, RefusesHostsThatEndInANumberButAreNoIPv4Address) {
  ExpectRefused({"http://256.0.0.1/", "http://1.2.3.256/", "http://1.2.65536/",
                 "http://4294967296/", "http://0x100000000/", "http://1.2.3.4.5/", "http://1..2/",
                 "http://1.2.3.09/", "http://a.1/", "http://a.0x1/", "http://a.1./", "http://09/",
                 "http://1.2.3.4.5./", "http://99999999999999999999999999/"});
  ExpectParsed({{"http://1.2.3.0xg/", "http://1.2.3.0xg/"},
                {"http://1.2.3.4../", "http://1.2.3.4../"},
                {"http://1.2.3.a/", "http://1.2.3.a/"}});
}

TEST(Url, WritesIPv6InItsShortestForm) {
  ExpectParsed({{"http://[2001:DB8:0:0:0:0:0:1]/", "http://[2001:db8::1]/"},
                {"http://[0:0:0:0:0:0:0:0]/", "http://[::]/"},
                {"http://[::]/", "http://[::]/"},
                {"http://[1::]/", "http://[1::]/"},
                {"http://[1:0:0:2:0:0:0:3]/", "http://[1:0:0:2::3]/"},
                {"http://[1:0:0:2:3:0:0:4]/", "http://[1::2:3:0:0:4]/"},
                {"http://[1:2:3:0:5:6:7:8]/", "http://[1:2:3:0:5:6:7:8]/"},
                {"http://[1:2:3::5:6:7:8]/", "http://[1:2:3:0:5:6:7:8]/"},
                {"http://[::2:3:4:5:6:7:8]/", "http://[0:2:3:4:5:6:7:8]/"},
                {"http://[0001:0020::]:080/", "http://[1:20::]/"},
                {"http://[::ffff:192.0.2.1]/", "http://[::ffff:c000:201]/"},
                {"http://[1:2:3:4:5:6:192.0.2.1]:81/", "http://[1:2:3:4:5:6:c000:201]:81/"}});
}

TEST(Url, RefusesInvalidIPv6) {
  ExpectRefused({"http://[]/",
                 "http://[:]/",
                 "http://[:::]/",
                 "http://[1]/",
                 "http://[1:]/",
                 "http://[:1]/",
                 "http://[1:2:3:4:5:6:7]/",
                 "http://[1:2:3:4:5:6:7:8:9]/",
                 "http://[1::2:3:4:5:6:7:8]/",
                 "http://[1::2::3]/",
                 "http://[12345::]/",
                 "http://[g::]/",
                 "http://[::1",
                 "http://::1]/",
                 "http://[::1]a/",
                 "http://a[::1]/",
                 "http://[::1%25eth0]/",
                 "http://[::1.2.3]/",
                 "http://[::1.2.3.4.5]/",
                 "http://[::1.2.3.256]/",
                 "http://[::01.2.3.4]/",
                 "http://[::1.2.3.]/",
                 "http://[::.1.2.3]/",
                 "http://[1:2:3:4:5:6:7:1.2.3.4]/",
                 "http://[::1.2.3.4:5]/",
                 "http://[%3A%3A1]/",
                 "http://[::1]]/"});
}

TEST(Url, PutsDomainsIntoLowerCase) {
  ExpectParsed({{"http://WWW.A-B.Example./", "http://www.a-b.example./"},
                {"http://a_b~!$&'()*+,;=.example/", "http://a_b~!$&'()*+,;=.example/"},
                {"http://-a.b--c-.example/", "http://-a.b--c-.example/"},
                {"http://a..b/", "http://a..b/"}});
}

TEST(Url, DecodesEscapesInDomains) {
  ExpectParsed({{"http://%41%2eexample/", "http://a.example/"},
                {"http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"},
                {"http://XN%2d%2DBcher-kva.example/", "http://xn--bcher-kva.example/"}});
}

TEST(Url, ConvertsInternationalDomains) {
  ExpectParsed({{"http://bücher.example/", "http://xn--bcher-kva.example/"},
                {"http://BÜCHER.example/", "http://xn--bcher-kva.example/"},
                {"http://bu\u0308cher.example/", "http://xn--bcher-kva.example/"},
                {"http://faß.example/", "http://xn--fa-hia.example/"},
                {"http://例え。テスト/", "http://xn--r8jz45g.xn--zckzah/"},
                {"http://Ｅｘａｍｐｌｅ/", "http://example/"},
                {"http://a\u00ADb\u200B.example/", "http://ab.example/"},
                {"http://☃.example/", "http://xn--n3h.example/"},
                {"http://ü--.-.example/", "http://xn-----wka.-.example/"}});
}

// Mappings that Unicode 15.1 and 16 changed.
TEST(Url, ConvertsInternationalDomainsByTheNewestMappings) {
  ExpectParsed({{"http://FU\u1E9E.example/", "http://xn--fu-hia.example/"},
                {"http://\u04C0.example/", "http://xn--s5a.example/"},
                {"http://\u10A0\u10C5.example/", "http://xn--rkj0d.example/"},
                {"http://\u2132\u2183.example/", "http://xn--73g4g.example/"},
                {"http://\U0002F868.example/", "http://xn--snl.example/"},
                {"http://a\u115F\u1160\u17B4\u17B5\u180E\u3164\uFFA0z/", "http://az/"},
                {"http://a\u2061\u2063\u206A\u206F\U0001D173\U0001D17Az/", "http://az/"}});
  ExpectRefused({"http://xn--d5a.example/", "http://\u3164/", "http://\u2061\u0301a/"});
}

// An encoded label has a character that asks for it, and is encoded once.
TEST(Url, RefusesNeedlesslyEncodedDomains) {
  ExpectRefused({"http://xn--", "http://xn---/", "http://xn--plain-/", "http://a.XN--PLAIN-.b/",
                 "http://xn--xn---epa/", "http://a.xn--xn--a--gua.b/", "http://XN--Xn---epa/"});
  ExpectParsed({{"http://xn--xn-fka/", "http://xn--xn-fka/"}});
}

TEST(Url, RefusesInvalidDomains) {
  ExpectRefused({"http://",
                 "http:///",
                 "http://?a",
                 "http://#a",
                 "http://\u00AD/",
                 "http://a b/",
                 "http://a<b/",
                 "http://a>b/",
                 "http://a^b/",
                 "http://a|b/",
                 "http://a%b/",
                 "http://a%00b/",
                 "http://a%20b/",
                 "http://a%2Fb/",
                 "http://a%3Ab/",
                 "http://a%40b/",
                 "http://a%5Bb/",
                 "http://a%5Cb/",
                 "http://a%7Fb/",
                 "http://a%25b/",
                 "http://a%2541/",
                 "http://a\x01z/",
                 "http://xn--/",
                 "http://xn--a/",
                 "http://xn--é/",
                 "http://a\u200Db/",
                 "http://\u0627a/",
                 "http://a\uFFFDb/",
                 "http://a\x80z/",
                 "http://a%80b/",
                 "http://\uFF05\uFF10\uFF10/",
                 "http://\U000E0001/"});
}

TEST(Url, RemovesDotSegments) {
  ExpectParsed({{"http://a", "http://a/"},
                {"http://a/.", "http://a/"},
                {"http://a/..", "http://a/"},
                {"http://a/b/./c/../d", "http://a/b/d"},
                {"http://a/b/c/..", "http://a/b/"},
                {"http://a/b/c/.", "http://a/b/c/"},
                {"http://a/../../b", "http://a/b"},
                {"http://a//../b", "http://a/b"},
                {"http://a/b//../c", "http://a/b/c"},
                {"http://a/.../.b/c./..d", "http://a/.../.b/c./..d"},
                {"http://a/%2e/b/.%2E/%2e./%2e%2e/c", "http://a/c"},
                {"http://a/b/%2e%2E?../c", "http://a/?../c"},
                {"http://a/%2e%2e%2e/%2eb", "http://a/.../.b"},
                {"http://a/b//c///", "http://a/b//c///"}});
}

TEST(Url, ResolvesReferences) {
  ExpectResolved("https://a.example:81/b/c/d;e?f#g",
                 {{"", "https://a.example:81/b/c/d;e?f"},
                  {"#h", "https://a.example:81/b/c/d;e?f"},
                  {" \n", "https://a.example:81/b/c/d;e?f"},
                  {"?h", "https://a.example:81/b/c/d;e?h"},
                  {"?", "https://a.example:81/b/c/d;e"},
                  {"h", "https://a.example:81/b/c/h"},
                  {"h/?i#j", "https://a.example:81/b/c/h/?i"},
                  {";h", "https://a.example:81/b/c/;h"},
                  {".", "https://a.example:81/b/c/"},
                  {"./h", "https://a.example:81/b/c/h"},
                  {"./", "https://a.example:81/b/c/"},
                  {"..", "https://a.example:81/b/"},
                  {"../h", "https://a.example:81/b/h"},
                  {"../../../../h", "https://a.example:81/h"},
                  {"/h/../i", "https://a.example:81/i"},
                  {"/", "https://a.example:81/"},
                  {"//h", "https://h/"},
                  {"//h:443/i", "https://h/i"},
                  {"///h", "https://h/"},
                  {"http://h/i", "http://h/i"},
                  {"h?/../i", "https://a.example:81/b/c/h?/../i"},
                  {"@h:1", "https://a.example:81/b/c/@h:1"},
                  {"//", ""},
                  {"//h:i", ""}});
}

TEST(Url, ResolvesAgainstNothingLikeParse) {
  EXPECT_EQ(Url().Resolve("http://a").value().text(), "http://a/");
  EXPECT_FALSE(Url().Resolve("a"));
}

TEST(Url, EncodesThePath) {
  ExpectParsed({{"http://a/ \"<>^`{}\x7F", "http://a/%20%22%3C%3E%5E%60%7B%7D%7F"},
                {"http://a/b\x01z", "http://a/b%01z"},
                {"http://a/!$&'()*+,-.:;=@[]_|~", "http://a/!$&'()*+,-.:;=@[]_|~"},
                {"http://a/é/\U0001F600", "http://a/%C3%A9/%F0%9F%98%80"},
                {"http://a/%/%4/%zz", "http://a/%/%4/%zz"}});
}

TEST(Url, EncodesTheQuery) {
  ExpectParsed({{"http://a?b c\"'<>\x7F", "http://a/?b%20c%22%27%3C%3E%7F"},
                {"http://a/?^`{}|[]\\/?:@!$&()*+,;=", "http://a/?^`{}|[]\\/?:@!$&()*+,;="},
                {"http://a/?é", "http://a/?%C3%A9"},
                {"http://a/?b%", "http://a/?b%"}});
}

TEST(Url, PutsEscapesIntoUpperCaseAndUnescapesUnreservedCharacters) {
  ExpectParsed({{"http://a/%c3%a9%2f%3f%23%25%5c", "http://a/%C3%A9%2F%3F%23%25%5C"},
                {"http://a/%41%7a%30%2d%2Eb%5f%7e", "http://a/Az0-.b_~"},
                {"http://a/?%41%26%3d%2b%c3%a9%7E", "http://a/?A%26%3D%2B%C3%A9~"},
                {"http://a/%2541", "http://a/%2541"}});
}

TEST(Url, UnescapesUntilNothingIsLeftToUnescape) {
  ExpectParsed({{"http://a/%%341", "http://a/A"},
                {"http://a/%%34%31", "http://a/A"},
                {"http://a/%%300", "http://a/%00"},
                {"http://a/%%25%34%31", "http://a/%%2541"},
                {"http://a/%%%33%37%%33e", "http://a/%7%3E"},
                {"http://a/?%%2565%%365", "http://a/?%%2565e"}});
}

TEST(Url, NeverUnescapesIntoADotSegment) {
  ExpectParsed({{"http://a/b/%%32e/c", "http://a/b/%%32e/c"},
                {"http://a/b/%2%65/c", "http://a/b/%2%65/c"},
                {"http://a/b/.%%32%65", "http://a/b/.%%32%65"},
                {"http://a/b/%%32e%c3", "http://a/b/.%C3"},
                {"http://a/b?%%32e", "http://a/b?."}});
}

TEST(Url, DropsFragmentAndEmptyQuery) {
  ExpectParsed({{"http://a/b#c?d", "http://a/b"},
                {"http://a#b", "http://a/"},
                {"http://a/b?", "http://a/b"},
                {"http://a/b?#c", "http://a/b"},
                {"http://a/b??", "http://a/b??"},
                {"http://a/b?c=&", "http://a/b?c=&"}});
}

// The Encoding Standard's decoder: one U+FFFD for each longest beginning of a character.
TEST(Url, ReadsInvalidUtf8AsTheReplacementCharacter) {
  ExpectParsed({{"http://a/\x80z", "http://a/%EF%BF%BDz"},
                {"http://a/\xC3", "http://a/%EF%BF%BD"},
                {"http://a/\xC3\t\xA9", "http://a/%EF%BF%BD%EF%BF%BD"},
                {"http://a/\xE2\x82z", "http://a/%EF%BF%BDz"},
                {"http://a/?\xF0\x9F\x98", "http://a/?%EF%BF%BD"},
                {"http://a/\xC0\xAF", "http://a/%EF%BF%BD%EF%BF%BD"},
                {"http://a/\xED\xA0\x80", "http://a/%EF%BF%BD%EF%BF%BD%EF%BF%BD"},
                {"http://a/\xF4\x90\x80\x80", "http://a/%EF%BF%BD%EF%BF%BD%EF%BF%BD%EF%BF%BD"}});
  ExpectRefused({"http://a\xC3%A9/", "http://\xFF/"});
}

// Stands for ISO 8859-1, and "€" for what it lacks.
std::string ToLatin1(std::string_view query) {
  std::string bytes;
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (query.substr(i).starts_with("é")) {
      bytes += '\xE9';
      i += 1;
    } else if (query.substr(i).starts_with("€")) {
      bytes += "%26%238364%3B";
      i += 2;
    } else {
      bytes += query[i];
    }
  }
  return bytes;
}

TEST(Url, EncodesTheQueryInThePagesEncoding) {
  const Url base = Url::Parse("http://a/b").value();
  EXPECT_EQ(base.Resolve("é?é=€ %7e#é", ToLatin1).value().text(),
            "http://a/%C3%A9?%E9=%26%238364%3B%20~");
  EXPECT_EQ(base.Resolve("é?é").value().text(), "http://a/%C3%A9?%C3%A9");
  const QueryEncoder unused = [](std::string_view) -> std::string {
    ADD_FAILURE() << "an ASCII query needs no encoder";
    return "";
  };
  EXPECT_EQ(base.Resolve("é?c d", unused).value().text(), "http://a/%C3%A9?c%20d");
}

TEST(Url, RefusesWhatIsTooLong) {
  const std::string longest = "http://a/" + std::string(Url::kMaxUrlBytes - 9, 'b');
  EXPECT_EQ(Parsed(longest), longest);
  EXPECT_EQ(Parsed(Repeated(" ", Url::kMaxUrlBytes) + longest), longest);
  EXPECT_EQ(Parsed(longest + "b"), "");
  EXPECT_EQ(Parsed("http://a/" + std::string(Url::kMaxUrlBytes / 2, '"')), "");
  EXPECT_EQ(Resolved(longest, "?c"), "");
  EXPECT_EQ(Resolved(longest, "c"), "http://a/c");
}

TEST(Url, WhatIsNoPartOfAUrlDoesNotMakeItTooLong) {
  const std::string longest = "http://a/" + std::string(Url::kMaxUrlBytes - 9, 'b');
  EXPECT_EQ(Parsed(longest + "#" + std::string(Url::kMaxUrlBytes, 'c')), longest);
  EXPECT_EQ(Parsed(longest + Repeated("\t\r\n", 1000) + "#"), longest);
  EXPECT_EQ(Parsed(longest + "b\n#c"), "");
}

TEST(Url, TellsTheSchemesThatAreNotCrawled) {
  const struct {
    const char* text;
    const char* scheme;
  } kCases[] = {{"mailto:a@b", "mailto"},
                {" \nFT\tP://h/", "ftp"},
                {"http://a/", ""},
                {"HTTPS:", ""},
                {"a/b:c", ""},
                {":a", ""},
                {"1a:b", ""},
                {"a", ""},
                {"", ""}};
  for (const auto& [text, scheme] : kCases) EXPECT_EQ(ForeignSchemeOf(text), scheme) << text;
}

// A parser that goes back over its input for each part of it would take minutes for all of these.
TEST(Url, ReadsLongInputInLinearTime) {
  constexpr std::array kParts = {"../"sv, "b/../"sv, "%2e%2E/"sv,  "%%34"sv,     "%"sv,
                                 "@"sv,   ":"sv,     "xn--"sv,     "xn--kva."sv, "1."sv,
                                 "0"sv,   "["sv,     "é."sv,       "\u0301"sv,   "--"sv,
                                 "\\"sv,  "\t"sv,    "\xF0\x9F"sv, "%C3%BC"sv,   "\uFDFA"sv};
  const std::string deep = "http://a/" + Repeated("b/", 8000);
  for (const std::string_view part : kParts) {
    for (const std::string_view before : {"", "?", "//", "//b:", "//["}) {
      const std::string input = std::string(before) + Repeated(part, 60000 / part.size());
      Resolved(deep, input);
      Parsed("http:" + input);
      Parsed("http:" + input.substr(0, 4000));
    }
  }
}

// References put together from pieces that mean something to some state of the parser.
class GeneratedReferences {
 public:
  std::string Next() {
    std::string reference(kBeginnings[random_() % kBeginnings.size()]);
    for (auto count = random_() % 12; count > 0; --count) {
      if (random_() % 16 == 0) {
        reference += static_cast<char>(random_() % 256);
      } else {
        reference += kPieces[random_() % kPieces.size()];
      }
    }
    return reference;
  }

 private:
  static constexpr std::array kBeginnings = {
      ""sv,  "http://"sv,   "https:"sv,   "http:"sv,      "//"sv,         "/"sv,
      "?"sv, "http://a/"sv, "http://["sv, "https://1."sv, "http://xn--"sv};
  static constexpr std::array kPieces = {
      "/"sv,      "\\"sv,     "."sv,      ".."sv,  "%2e"sv,  "%2E"sv,       "%"sv,
      "%%"sv,     "%3"sv,     "%32"sv,    "2"sv,   "e"sv,    "5"sv,         "%65"sv,
      "%25"sv,    "%41"sv,    "%c3"sv,    "%2f"sv, "?"sv,    "#"sv,         "@"sv,
      ":"sv,      ":80"sv,    ":443"sv,   "["sv,   "]"sv,    "::"sv,        "1"sv,
      "0x"sv,     "07"sv,     "256"sv,    "a"sv,   "Z"sv,    "-"sv,         "--"sv,
      "xn--"sv,   "é"sv,      "ß"sv,      "。"sv,  "２"sv,   "\u0301"sv,    "\u00AD"sv,
      "\u200D"sv, "\u0627"sv, "\uFF0F"sv, " "sv,   "\t"sv,   "\n"sv,        "\""sv,
      "'"sv,      "^"sv,      "|"sv,      "~"sv,   "\xC3"sv, "b.example"sv, "bcher-kva"sv};

  std::mt19937 random_{20240229};
};

TEST(Url, GivesItselfWhenItIsParsedAgain) {
  GeneratedReferences references;
  const Url base = Url::Parse("http://a/b/.c//d?e").value();
  int parsed = 0;
  for (int i = 0; i < 100000; ++i) {
    const std::string reference = references.Next();
    const Result<Url> url = base.Resolve(reference);
    if (!url) continue;
    ++parsed;
    ASSERT_EQ(Parsed(url->text()), url->text()) << "from " << reference;
    ASSERT_EQ(url->Resolve("").value(), *url) << "from " << reference;
    ASSERT_EQ(AuthorityOf(url->text()), url->authority()) << "from " << reference;
  }
  EXPECT_GT(parsed, 10000);
}

TEST(Url, WritesOnlyPrintableAsciiWithoutDotSegments) {
  GeneratedReferences references;
  const Url base = Url::Parse("https://a/b/c").value();
  for (int i = 0; i < 100000; ++i) {
    const Result<Url> url = base.Resolve(references.Next());
    if (!url) continue;
    for (const char c : url->text()) ASSERT_TRUE(c > 0x20 && c < 0x7F) << url->text();
    ASSERT_TRUE(url->path().starts_with('/')) << url->text();
    const std::string path = std::string(url->path()) + '/';
    ASSERT_EQ(path.find("/./"), std::string::npos) << url->text();
    ASSERT_EQ(path.find("/../"), std::string::npos) << url->text();
  }
}

}  // namespace
}  // namespace trawl

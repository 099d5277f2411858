#include "worker/sitemap_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/test_page.h"

namespace trawl {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kAt = "https://www.example.com/maps/sitemap.xml";

Sitemap Parse(std::string_view body, std::string_view content_type = "",
              std::size_t piece_bytes = std::string_view::npos) {
  SitemapParser parser(*Url::Parse(kAt), content_type);
  for (; !body.empty(); body.remove_prefix(std::min(piece_bytes, body.size()))) {
    parser.Feed(body.substr(0, piece_bytes));
  }
  return parser.Finish();
}

std::string Gzip(std::string_view text) { return Encode(Coding::kGzip, text); }

struct Case {
  std::string body;
  std::vector<std::string> urls;
  std::vector<std::string> sitemaps = {};
};

void ExpectFound(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    for (const std::size_t piece : {std::string_view::npos, std::size_t{1}, std::size_t{7}}) {
      const Sitemap found = Parse(c.body, "", piece);
      EXPECT_EQ(found.urls, c.urls) << c.body << "\nin pieces of " << piece;
      EXPECT_EQ(found.sitemaps, c.sitemaps) << c.body << "\nin pieces of " << piece;
      EXPECT_FALSE(found.truncated);
    }
  }
}

// ---- sitemaps.org ----

TEST(Sitemap, ListsTheLocationsOfAUrlSet) {
  ExpectFound({
      {R"(<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
  <url><loc>https://www.example.com/b?x=1&amp;y=2</loc><lastmod>2024-01-01</lastmod></url>
  <url><priority>0.5</priority><loc>
    https://other.example/a#part
  </loc></url>
  <url><loc>https://www.example.com/b?x=1&#38;y=2</loc></url>
  <url><loc><![CDATA[https://www.example.com/c?x=1&y=2]]></loc></url>
</urlset>)",
       {"https://www.example.com/b?x=1&y=2", "https://other.example/a",
        "https://www.example.com/c?x=1&y=2"}},
      {"<urlset></urlset>", {}},
      {"", {}},
  });
}

TEST(Sitemap, ListsTheSitemapsOfAnIndex) {
  ExpectFound({
      {"<sitemapindex><sitemap><loc>https://a.example/1.xml.gz</loc></sitemap>"
       "<sitemap><loc>https://a.example/2</loc><lastmod>x</lastmod><loc>https://a.example/3</loc>"
       "</sitemap></sitemapindex>",
       {},
       {"https://a.example/1.xml.gz", "https://a.example/2", "https://a.example/3"}},
      // A url element in an index names a sitemap too; a sitemap element does so anywhere.
      {"<sitemapindex><url><loc>https://a.example/1</loc></url></sitemapindex>",
       {},
       {"https://a.example/1"}},
      {"<urlset><sitemap><loc>https://a.example/1</loc></sitemap>"
       "<url><loc>https://a.example/2</loc></url></urlset>",
       {"https://a.example/2"},
       {"https://a.example/1"}},
  });
}

TEST(Sitemap, ReadsAnyNamespace) {
  const std::vector<std::string> found = {"https://a.example/"};
  ExpectFound({
      {"<urlset "
       "xmlns='http://www.google.com/schemas/sitemap/0.84'><url><loc>https://a.example/</loc>"
       "</url></urlset>",
       found},
      {"<s:urlset xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9'><s:url>"
       "<s:loc>https://a.example/</s:loc></s:url></s:urlset>",
       found},
      {"<s:urlset><s:url><s:loc>https://a.example/</s:loc></s:url></s:urlset>", found},
      {"<URLSET><Url><LOC>https://a.example/</LOC></Url></URLSET>", found},
  });
}

TEST(Sitemap, ListsNoImagesVideosOrAlternates) {
  ExpectFound({
      {"<urlset xmlns:image='i' xmlns:video='v' xmlns:xhtml='x'><url>"
       "<video:video><video:player_loc>https://a.example/player</video:player_loc>"
       "<video:loc>https://a.example/video</video:loc></video:video>"
       "<image:image><image:loc>https://a.example/image</image:loc></image:image>"
       "<image:loc>https://a.example/image2</image:loc>"
       "<image xmlns='i'><loc>https://a.example/image3</loc></image>"
       "<xhtml:link rel='alternate' hreflang='de' href='https://a.example/de'/>"
       "<loc>https://a.example/page</loc></url></urlset>",
       {"https://a.example/page"}},
  });
}

TEST(Sitemap, ReadsWhatIsBadlyNested) {
  const std::vector<std::string> both = {"https://a.example/1", "https://a.example/2"};
  ExpectFound({
      {"<urlset><url><loc><url>https://a.example/1</url></loc></url>"
       "<url><loc>https://a.example/2</loc></url></urlset>",
       both},
      {"<urlset><loc>https://a.example/1</loc><loc>https://a.example/2</loc></urlset>", both},
      {"<url><loc>https://a.example/1</loc></url><url><loc>https://a.example/2</loc></url>", both},
      {"<urlset><url><loc>https://a.example/1<loc>https://a.example/2</url></urlset>", both},
      {"<urlset><url><loc>https://a.example/1</url><url><loc>https://a.example/2</url></urlset>",
       both},
      {"<urlset><url><loc>https://a.example/1<lastmod>2024</lastmod></url>"
       "<url><loc>https://a.example/2</loc></url></urlset>",
       both},
      {"<urlset><url><loc><lastmod>2024</lastmod></url>"
       "<url><loc>https://a.example/1</loc></loc></url></url>"
       "<url><loc>https://a.example/2</loc></url></urlset>",
       both},
      {"<urlset><url><loc>https://a.example/1</loc></url></urlset>"
       "<urlset><url><loc>https://a.example/2</loc></url></urlset>",
       both},
  });
}

TEST(Sitemap, MissingEndTagsCostNothing) {
  std::string body = "<urlset>";
  std::vector<std::string> urls;
  for (int i = 0; i < 1000; ++i) {
    urls.push_back("https://a.example/" + std::to_string(i));
    body += "<url><loc>" + urls.back();
  }
  EXPECT_EQ(Parse(body + "</urlset>").urls, urls);
}

TEST(Sitemap, ListsWhatCameBeforeTheEndOfABrokenFile) {
  const std::vector<std::string> first = {"https://a.example/1"};
  ExpectFound({
      {"<urlset><url><loc>https://a.example/1</loc></url><url><lo", first},
      {"<urlset><url><loc>https://a.example/1</lo", first},
      // This URL may be the beginning of a longer one.
      {"<urlset><url><loc>https://a.example/1</loc></url><url><loc>https://a.example/2", first},
  });
}

TEST(Sitemap, ReadsBareAmpersandsAndAngles) {
  ExpectFound({
      {"<urlset><url><loc>https://a.example/?b=1&c=2&amp;d=3</loc><caption>1 < 2 & "
       "3</caption></url>"
       "<url><loc>https://a.example/2</loc></url></urlset>",
       {"https://a.example/?b=1&c=2&d=3", "https://a.example/2"}},
  });
}

TEST(Sitemap, ExpandsNoEntities) {
  ExpectFound({
      {"<!DOCTYPE u [<!ENTITY e SYSTEM 'file:///etc/passwd'><!ENTITY f 'x'>]>"
       "<urlset><url><loc>https://a.example/&e;&f;</loc></url></urlset>",
       {"https://a.example/"}},
  });
}

TEST(Sitemap, AnEntityThatNobodyDeclaredIsPartOfAUrlButIsNone) {
  ExpectFound({
      {"<urlset><url><loc>https://a.example/?b=1&copy;=2</loc></url><url><loc> &own; </loc></url>"
       "</urlset>",
       {"https://a.example/?b=1&copy;=2"}},
  });
}

TEST(Sitemap, ALongFragmentCostsNoUrl) {
  const std::string longest = "https://a.example/" + std::string(Url::kMaxUrlBytes - 18, 'b');
  const std::string fragment = "#" + std::string(3 * Url::kMaxUrlBytes, 'c');
  ExpectFound({
      {"<urlset><url><loc>" + longest + fragment + "</loc></url></urlset>", {longest}},
      {"<urlset><url><loc>" + longest + "b\n\n" + fragment + "</loc></url></urlset>", {}},
      {longest + fragment, {longest}},
  });
}

TEST(Sitemap, CompletesUrlsWithoutScheme) {
  ExpectFound({
      {"<urlset><url><loc>www.other.example/a</loc></url><url><loc>WWW.example.com:8080/b</loc>"
       "</url><url><loc>//c.example/c</loc></url><url><loc>/d</loc></url><url><loc>e.html</loc>"
       "</url></urlset>",
       {"https://www.other.example/a", "https://www.example.com:8080/b", "https://c.example/c",
        "https://www.example.com/d", "https://www.example.com/maps/e.html"}},
      {"www.other.example/a\n", {"https://www.other.example/a"}},
  });
}

TEST(Sitemap, ListsOnlyWhatCanBeCrawled) {
  const std::string too_long = "https://a.example/" + std::string(Url::kMaxUrlBytes, 'x');
  ExpectFound({
      {"<urlset><url><loc>ftp://a.example/</loc></url><url><loc>mailto:a@b.example</loc></url>"
       "<url><loc>https://</loc></url><url><loc> </loc></url><url><loc/></url><url><loc>" +
           too_long + "</loc></url><url><loc>https://a.example/</loc></url></urlset>",
       {"https://a.example/"}},
      {too_long + "\nhttps://a.example/\n", {"https://a.example/"}},
  });
}

// ---- Feeds ----

TEST(Sitemap, ListsTheItemsOfRss) {
  ExpectFound({
      {"<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel>"
       "<link>https://a.example/channel</link><atom:link rel='self' href='https://a.example/self'/>"
       "<image><url>https://a.example/image</url><link>https://a.example/imagelink</link></image>"
       "<item><title>1</title><link>https://a.example/1</link><guid>https://a.example/guid</guid>"
       "<enclosure url='https://a.example/mp3'/><atom:link href='https://a.example/atom'/></item>"
       "<item><guid>https://a.example/2</guid></item>"
       "<item><guid isPermaLink='true'>https://a.example/3</guid></item>"
       "<item><guid isPermaLink='false'>https://a.example/4</guid></item>"
       "<item><guid>post-5</guid></item>"
       "<item><guid>https://a.example/guid</guid><link>https://a.example/6</link></item>"
       "</channel></rss>",
       {"https://a.example/1", "https://a.example/2", "https://a.example/3",
        "https://a.example/6"}},
      {"<rdf:RDF xmlns:rdf='r' xmlns='http://purl.org/rss/1.0/'><channel rdf:about='x'>"
       "<link>https://a.example/</link><items><rdf:Seq><rdf:li resource='https://a.example/x'/>"
       "</rdf:Seq></items></channel><item rdf:about='https://a.example/y'>"
       "<link>https://a.example/1</link></item></rdf:RDF>",
       {"https://a.example/1"}},
  });
}

TEST(Sitemap, ListsTheEntriesOfAtom) {
  ExpectFound({
      {"<feed xmlns='http://www.w3.org/2005/Atom'><link href='https://a.example/'/>"
       "<link rel='self' href='https://a.example/feed'/>"
       "<entry><link href='https://a.example/1'/><id>https://a.example/id</id></entry>"
       "<entry><link rel='edit' href='https://a.example/edit'/>"
       "<link rel='alternate' type='text/html' href='https://a.example/?a=2&amp;b'/>"
       "<link rel='enclosure' href='https://a.example/mp3'/>"
       "<source><link href='https://a.example/source'/></source></entry></feed>",
       {"https://a.example/1", "https://a.example/?a=2&b"}},
  });
}

// ---- Text ----

TEST(Sitemap, ListsTheLinesOfAText) {
  ExpectFound({
      {"https://a.example/1\nhttps://a.example/2#x\r\n\r\n  HTTP://A.example/3 "
       "\rhttps://a.example/1",
       {"https://a.example/1", "https://a.example/2", "http://a.example/3"}},
      {"# comment\nhttps://a.example/1\n/relative\nsome words\nftp://a.example/\n",
       {"https://a.example/1"}},
      {"https://a.example/?a=1&amp;b=2", {"https://a.example/?a=1&amp;b=2"}},
      {"\x89PNG\r\n\x1a\n\0\0"s, {}},
  });
}

TEST(Sitemap, IsToldByItsContent) {
  const std::string xml = "<urlset><url><loc>https://a.example/</loc></url></urlset>";
  for (const std::string_view type : {"", "text/plain", "text/html", "application/octet-stream"}) {
    EXPECT_THAT(Parse(xml, type).urls, ElementsAre("https://a.example/")) << type;
    EXPECT_THAT(Parse(Gzip(xml), type).urls, ElementsAre("https://a.example/")) << type;
    EXPECT_THAT(Parse("https://a.example/", type).urls, ElementsAre("https://a.example/")) << type;
  }
  ExpectFound({
      {"\n\n " + xml, {"https://a.example/"}},
      {"Warning: undefined variable in map.php\n<?xml version='1.0'?>" + xml,
       {"https://a.example/"}},
      {"<!DOCTYPE html><html><body><a "
       "href='https://a.example/'>https://a.example/</a></body></html>",
       {}},
  });
}

// ---- Bytes ----

TEST(Sitemap, ReadsGzip) {
  const std::string xml = "<urlset><url><loc>https://a.example/</loc></url></urlset>";
  ExpectFound({
      {Gzip(xml), {"https://a.example/"}},
      {Gzip(xml.substr(0, 20)) + Gzip(xml.substr(20)), {"https://a.example/"}},
      {Gzip("https://a.example/1\nhttps://a.example/2"),
       {"https://a.example/1", "https://a.example/2"}},
  });
}

TEST(Sitemap, SaysThatAFileGzippedTwiceIsNotRead) {
  for (const std::size_t piece : {std::string_view::npos, std::size_t{1}}) {
    const Sitemap found = Parse(Gzip(Gzip("https://a.example/")), "", piece);
    EXPECT_TRUE(found.truncated);
    EXPECT_TRUE(found.urls.empty());
  }
}

TEST(Sitemap, ListsWhatCameBeforeTheGzipBroke) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "https://a.example/" + std::to_string(i * 7919) + "\n";
  const std::string packed = Gzip(text);
  const Sitemap found = Parse(packed.substr(0, packed.size() / 2));
  EXPECT_TRUE(found.truncated);
  ASSERT_FALSE(found.urls.empty());
  // The last line is cut, and is not taken for a URL.
  EXPECT_EQ(found.urls.back(),
            "https://a.example/" + std::to_string((found.urls.size() - 1) * 7919));
}

TEST(Sitemap, ReadsItsEncoding) {
  const std::string latin = "<urlset><url><loc>https://a.example/\xe9</loc></url></urlset>";
  const std::string utf8 = "<urlset><url><loc>https://a.example/\xc3\xa9</loc></url></urlset>";
  const auto wide = [](std::string_view text, bool little) {
    std::string bytes;
    for (char c : text) bytes += little ? std::string{c, '\0'} : std::string{'\0', c};
    return bytes;
  };
  const std::string plain =
      "<?xml version='1.0'?><urlset><url><loc>https://a.example/%C3%A9</loc>"
      "</url></urlset>";
  const struct {
    std::string body;
    std::string content_type;
  } cases[] = {
      {utf8, ""},
      {"\xef\xbb\xbf" + utf8, "text/xml; charset=iso-8859-1"},
      {latin, "text/xml; charset=iso-8859-1"},
      {"<?xml version='1.0' encoding=\"ISO-8859-1\"?>" + latin, "text/xml"},
      {"<?xml version='1.0' encoding='iso-8859-1'?>" + utf8, "text/xml; charset=utf-8"},
      {"<?xml version='1.0' encoding='utf-16'?>" + utf8, "text/xml"},
      {"<?xml version='1.0' encoding='no-such'?>" + utf8, "text/xml"},
      {"\xff\xfe" + wide(plain, true), ""},
      {"\xfe\xff" + wide(plain, false), ""},
      {wide(plain, true), ""},
      {wide(plain, false), ""},
      {wide("https://a.example/%C3%A9\n", false), "text/plain; charset=utf-16be"},
      {"\xff\xfe" + wide("https://a.example/%C3%A9\n", true), "text/plain"},
      {"\xef\xbb\xbfhttps://a.example/\xc3\xa9", "text/plain"},
  };
  for (const auto& [body, content_type] : cases) {
    for (const std::size_t piece : {std::string_view::npos, std::size_t{1}}) {
      EXPECT_THAT(Parse(body, content_type, piece).urls, ElementsAre("https://a.example/%C3%A9"))
          << body << ' ' << content_type << " in pieces of " << piece;
    }
  }
}

// ---- Limits ----

TEST(Sitemap, ReadsNoMoreThanTheLimit) {
  std::string text = "https://a.example/first\n";
  text.resize(SitemapParser::kMaxBytes, ' ');
  EXPECT_FALSE(Parse(text).truncated);
  text += "\nhttps://a.example/last\n";
  for (const std::string& body : {text, Gzip(text)}) {
    const Sitemap found = Parse(body, "", 1 << 20);
    EXPECT_TRUE(found.truncated);
    EXPECT_THAT(found.urls, ElementsAre("https://a.example/first"));
  }
}

TEST(Sitemap, ListsNoMoreThanTheLimit) {
  std::string text;
  for (std::size_t i = 0; i < SitemapParser::kMaxUrls; ++i) {
    text += "https://a.example/" + std::to_string(i) + "\n";
  }
  EXPECT_FALSE(Parse(text).truncated);
  const Sitemap found = Parse(text + "https://a.example/more");
  EXPECT_TRUE(found.truncated);
  EXPECT_EQ(found.urls.size(), SitemapParser::kMaxUrls);
}

TEST(Sitemap, KeepsNoMoreBytesOfUrlsThanTheLimit) {
  const std::string filler(Url::kMaxUrlBytes / 2, 'x');
  const std::size_t enough = SitemapParser::kMaxUrlBytes / filler.size() + 1;
  std::string text;
  for (std::size_t i = 0; i < enough; ++i)
    text += "https://a.example/" + std::to_string(i) + filler + '\n';
  const Sitemap found = Parse(text);
  EXPECT_TRUE(found.truncated);
  EXPECT_LT(found.urls.size(), enough);
  EXPECT_GT(found.urls.size(), enough - 50);
}

// Each of these made a parser that does not guard against it quadratic, or deep.
TEST(Sitemap, HostileXmlTakesLinearTime) {
  constexpr std::size_t kBytes = 2 * 1024 * 1024;
  const auto repeated = [](std::string_view unit) {
    std::string text = "<urlset>";
    while (text.size() < kBytes) text += unit;
    return text;
  };
  std::string many_attributes = "<urlset><url ";
  for (int i = 0; many_attributes.size() < kBytes; ++i)
    many_attributes += " a" + std::to_string(i) + "=''";
  const std::string bodies[] = {
      repeated("<a>"),      repeated("<a/>"),          repeated("<"),
      repeated("&"),        repeated("</a>"),          repeated("x"),
      repeated("<!--"),     repeated("<![CDATA["),     repeated("<a b='"),
      repeated("<loc>"),    repeated("<a b=\"'"),      repeated("]]>"),
      many_attributes,      repeated("<!DOCTYPE a ["), repeated("&a;"),
      repeated("<urlset>"), repeated("<item><guid>"),
  };
  for (const std::string& body : bodies) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THAT(Parse(body).sitemaps, IsEmpty());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(taken.count(), 10) << body.substr(0, 30);
  }
}

}  // namespace
}  // namespace trawl

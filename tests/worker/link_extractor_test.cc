#include "worker/link_extractor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/utf8.h"

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Links = std::vector<std::string>;

/// The document at http://a.test/dir/page, fed in pieces of this many bytes (0: in one).
PageLinks Extract(const std::string& html, const std::string& charset = "utf-8",
                  std::size_t piece = 0) {
  LinkExtractor extractor(Url::Parse("http://a.test/dir/page").value(), charset, "trawl/1.0");
  if (piece == 0) piece = std::max<std::size_t>(1, html.size());
  for (std::size_t at = 0; at < html.size(); at += piece) {
    extractor.Feed(std::string_view(html).substr(at, piece));
  }
  return extractor.Finish();
}

struct LinkCase {
  std::string html;
  Links links;  // without "http://a.test/dir/" in front
};

void ExpectLinks(const std::vector<LinkCase>& cases) {
  for (const auto& [html, links] : cases) {
    Links whole;
    for (const std::string& link : links) {
      whole.push_back(link.starts_with("http") ? link : "http://a.test/dir/" + link);
    }
    EXPECT_EQ(Extract(html).links, whole) << html;
  }
}

TEST(LinkExtractor, LinksAreCanonicalInDocumentOrderAndEachOnce) {
  ExpectLinks(
      {{"<a href=b><a href=a><a href=b><a href='./b'><a href=b#part>", {"b", "a"}},
       {"<a href='HTTP://B.test:80/%7ex'>", {"http://b.test/~x"}},
       {"<a href=' \n x y '>", {"x%20y"}},
       {"<a href=x><a href='x '><a href='x #y'><a href='#z'><a href=''>", {"x", "x%20", "page"}},
       {"<a href=x?a=1&amp;b=2>", {"x?a=1&b=2"}},
       {"<a href='x?a=1&b=2'>", {"x?a=1&b=2"}},
       {"<a href='mailto:a@b'><a href='javascript:x()'><a href='http://'><a href=x>", {"x"}},
       {"<a href=//b.test/><a href=/y>", {"http://b.test/", "http://a.test/y"}}});
}

TEST(LinkExtractor, ResolvesAgainstTheFirstBaseThatHasAnHref) {
  const std::string b = "http://b.test/";
  ExpectLinks({{"<base href=http://b.test/><a href=x>", {b + "x"}},
               {"<a href=x><base href=http://b.test/>", {b + "x"}},
               {"<base target=t><base href=http://b.test/><a href=x>", {b + "x"}},
               {"<base href=http://b.test/><base href=http://c.test/><a href=x>", {b + "x"}},
               {"<base href=/sub/><a href=x>", {"http://a.test/sub/x"}},
               {"<base href='http://['><a href=x>", {"x"}},
               {"<base href='data:,a'><base href=http://b.test/><a href=x>", {"x"}},
               {"<base href='JavaScript:a()'><a href=x>", {"x"}},
               {"<base href><base href=http://b.test/><a href=x>", {"x"}},
               {"<table><td><base href=http://b.test/></td><base href=http://c.test/><a href=x>",
                {"http://c.test/x"}}});
}

TEST(LinkExtractor, NothingIsRelativeToABaseThatIsNotCrawled) {
  for (const char* base : {"mailto:a@b", "ftp://h/", " \nF\tTP://h/"}) {
    const PageLinks page =
        Extract("<base href='" + std::string(base) +
                "'><base href=http://b.test/><meta http-equiv=refresh content='0;url=r'>"
                "<a href=x><a href=/x><a href=//g><a href=?q><a href=#f><a href=http://c.test/>");
    EXPECT_THAT(page.links, ElementsAre("http://c.test/")) << base;
    EXPECT_EQ(page.refresh, std::nullopt) << base;
  }
}

TEST(LinkExtractor, ListsApartTheLinksThatAreNeverToBeFollowed) {
  const struct {
    std::string html;
    Links links, nofollow;
  } kCases[] = {
      {"<a rel=nofollow href=/x><a href=/y>", {"x", "y"}, {"x"}},
      {"<a rel=nofollow href=/x><a href=/x>", {"x"}, {}},
      {"<a href=/x><a rel=nofollow href=/x>", {"x"}, {}},
      {"<a rel=nofollow href=/x><a href=//a.test/x#part>", {"x"}, {}},
      {"<a rel=nofollow href=/x><area rel=nofollow href=/x>", {"x"}, {"x"}},
      {"<a rel=nofollow href=mailto:x>", {}, {}},
  };
  const auto whole = [](const Links& links) {
    Links urls;
    for (const std::string& link : links) urls.push_back("http://a.test/" + link);
    return urls;
  };
  for (const auto& [html, links, nofollow] : kCases) {
    EXPECT_EQ(Extract(html).links, whole(links)) << html;
    EXPECT_EQ(Extract(html).nofollow_links, whole(nofollow)) << html;
  }
}

TEST(LinkExtractor, AddsUpWhatIsSaidToThisCrawler) {
  const struct {
    std::string html;
    RobotsDirectives robots;
  } kCases[] = {
      {"<p>t", {false, false}},
      {"<meta name=robots content=noindex>", {true, false}},
      {"<META NAME=Robots CONTENT='NoFollow'>", {false, true}},
      {"<meta name=robots content=noindex><meta name=trawl content=nofollow>", {true, true}},
      {"<meta name=otherbot content=none>", {false, false}},
      {"<meta http-equiv=robots content=none>", {false, false}},
      {"<p><meta name=robots content=none>", {true, true}},
      {"<template><meta name=robots content=none></template>", {false, false}},
      {"<meta name=robots content='&#110;one'>", {true, true}},
  };
  for (const auto& [html, robots] : kCases) EXPECT_EQ(Extract(html).robots, robots) << html;
}

TEST(LinkExtractor, FindsTheTargetOfAMetaRefresh) {
  const struct {
    const char* html;
    std::optional<std::string> target;
  } kCases[] = {
      {"<meta http-equiv=refresh content='5; url=next'>", "http://a.test/dir/next"},
      {"<META HTTP-EQUIV=Refresh CONTENT='0;URL=/n'>", "http://a.test/n"},
      {"<meta http-equiv=refresh content='0;1'><meta http-equiv=refresh content='0;2'>",
       "http://a.test/dir/1"},
      {"<meta http-equiv=refresh content='x;1'><meta http-equiv=refresh content='0;2'>",
       "http://a.test/dir/2"},
      {"<meta http-equiv=refresh content='0;http://['><meta http-equiv=refresh content='0;2'>",
       "http://a.test/dir/2"},
      {"<meta http-equiv=refresh content=5>", "http://a.test/dir/page"},
      {"<base href=/b/><meta http-equiv=refresh content=5>", "http://a.test/dir/page"},
      {"<base href=/b/><meta http-equiv=refresh content='5;url='>", "http://a.test/b/"},
      {"<meta http-equiv=refresh>", std::nullopt},
      {"<meta name=refresh content='0;url=x'>", std::nullopt},
      {"<meta http-equiv=refresh content='0;url=mailto:x'>", std::nullopt},
      {"<base href=http://b.test/><meta http-equiv=refresh content='0;url=x'>", "http://b.test/x"},
      // The base of a refresh is that of when it was inserted.
      {"<meta http-equiv=refresh content='0;url=x'><base href=http://b.test/>",
       "http://a.test/dir/x"},
      {"<base target=t><meta http-equiv=refresh content='0;url=x'><base href=http://b.test/>",
       "http://a.test/dir/x"}};
  for (const auto& c : kCases) {
    const PageLinks page = Extract(c.html);
    EXPECT_EQ(page.refresh, c.target) << c.html;
    EXPECT_THAT(page.links, IsEmpty()) << "the refresh target is not among them";
  }
}

TEST(LinkExtractor, TakesTheFirstTitleWithItsBlanksCollapsed) {
  const struct {
    const char* html;
    const char* title;
  } kCases[] = {{"<title>T</title>", "T"},
                {"<title> a \n\t b&nbsp;c &amp; d </title>",
                 "a b\xC2\xA0"
                 "c & d"},
                {"<title>1</title><title>2</title>", "1"},
                {"<title></title><title>2</title>", ""},
                {"<svg><title>1</title></svg><title>2</title>", "2"},
                {"<table><td><title>2</title></td><title>1</title>", "1"},
                {"<title>\xFF</title>", "\xEF\xBF\xBD"},
                {"<p>no title", ""},
                {"<title>&#228;\xC3\xA4</title>", "\xC3\xA4\xC3\xA4"}};
  for (const auto& c : kCases) EXPECT_EQ(Extract(c.html).title, c.title) << c.html;
}

TEST(LinkExtractor, ATitleIsBounded) {
  const std::string title = Extract("<title>" + std::string(1'000'000, 'x') + "</title>").title;
  EXPECT_EQ(title, std::string(LinkExtractor::kMaxTitleBytes, 'x'));
}

TEST(LinkExtractor, TheCharsetIsTheHeadersElseTheDocumentsElseTheFallback) {
  const std::string meta = "<meta charset=iso-8859-2>";
  const struct {
    std::string html, header, charset;
  } kCases[] = {
      {meta, "utf-8", "utf-8"},
      {meta, "UTF8", "utf-8"},
      {meta, "", "iso-8859-2"},
      {meta, "nonsense", "iso-8859-2"},
      {"\xEF\xBB\xBF" + meta, "iso-8859-1", "utf-8"},
      {"<meta http-equiv=content-type content='text/html; charset=UTF-8'>", "", "utf-8"},
      {std::string(1'100, ' ') + meta, "", "windows-1252"},
      {"<p>t", "", "windows-1252"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Extract(c.html, c.header).charset, c.charset) << c.html;
}

TEST(LinkExtractor, TextIsReadInThePagesCharset) {
  const struct {
    std::string charset, bytes, text, query;
  } kCases[] = {{"utf-8", "\xC3\xA4", "\xC3\xA4", "%C3%A4"},
                {"iso-8859-1", "\xE4", "\xC3\xA4", "%E4"},
                {"iso-8859-2", "\xB3", "\xC5\x82", "%B3"},
                {"windows-1251", "\xCF\xF0", "\xD0\x9F\xD1\x80", "%CF%F0"},
                {"shift_jis", "\x93\xFA", "\xE6\x97\xA5", "%93%FA"},
                {"gbk", "\xD6\xD0", "\xE4\xB8\xAD", "%D6%D0"}};
  for (const auto& [charset, bytes, text, query] : kCases) {
    const std::string html = "<title>" + bytes + "</title><a href='?" + bytes + "'>";
    for (const std::size_t piece : {std::size_t{0}, std::size_t{1}}) {
      EXPECT_EQ(Extract(html, charset, piece).title, text) << charset << " of the header";
      const PageLinks page = Extract("<meta charset=" + charset + ">" + html, "", piece);
      EXPECT_EQ(page.title, text) << charset;
      EXPECT_THAT(page.links, ElementsAre("http://a.test/dir/page?" + query)) << charset;
    }
  }
}

TEST(LinkExtractor, WideTextIsRead) {
  std::string bytes = "\xFF\xFE";
  for (const char c : std::string_view("<title>T</title><a href='?\xE4'>")) bytes += {c, '\0'};
  for (const std::size_t piece : {0, 1, 3}) {
    const PageLinks page = Extract(bytes, "utf-8", piece);
    EXPECT_EQ(page.charset, "utf-16le");
    EXPECT_EQ(page.title, "T");
    EXPECT_THAT(page.links, ElementsAre("http://a.test/dir/page?%C3%A4"));
  }
}

TEST(LinkExtractor, FindsTheLinksAroundAMonstrousTag) {
  std::string tag = "<a ";
  for (int i = 0; i < 150'000; ++i) tag += "a" + std::to_string(i) + "=1 ";
  const std::string html = "<a href=before>" + tag + "><a href=after>";
  for (const std::size_t piece : {html.size(), std::size_t{1000}}) {
    const PageLinks page = Extract(html, "utf-8", piece);
    EXPECT_THAT(page.links,
                testing::ElementsAre("http://a.test/dir/before", "http://a.test/dir/after"));
  }
}

TEST(LinkExtractor, WhatFollowsALongTextOrCommentIsFound) {
  const std::string filler(300'000, 'x');
  for (const std::string& html :
       {filler + "<a href=x>", "<!-- " + filler + " --><a href=x>",
        "<script>" + filler + "</script><a href=x>", "<p title='" + filler + "'><a href=x>"}) {
    EXPECT_THAT(Extract(html).links, testing::ElementsAre("http://a.test/dir/x"))
        << html.substr(0, 9);
  }
}

// ---- Bytes as they come ----

TEST(LinkExtractor, FindsTheSameHoweverTheBytesArrive) {
  const std::string body =
      "<html><head><title>\xC3\xA4 &amp; \xE2\x82\xAC</title><base href='/b/'>"
      "<meta http-equiv=refresh content='1;url=r'><meta name=robots "
      "content=noindex></head><body><!-- <a href=no> -->"
      "<a href='1?a&amp;b=\xC3\xA4' rel=nofollow>t</a><script>'<a href=no>'</script><a "
      "href=\"2\"><area "
      "href=3><iframe src='4'></iframe><p><a href=5";
  for (const std::string& html :
       {body, body + ">", "<!DOCTYPE html>" + body, "<meta charset=utf-8>" + body, "\n" + body,
        "\xEF\xBB\xBF" + body}) {
    for (const char* charset : {"utf-8", ""}) {
      const PageLinks whole = Extract(html, charset);
      for (const std::size_t piece : {1, 2, 3, 7, 64}) {
        SCOPED_TRACE(std::string(charset) + " " + std::to_string(piece) + " " + html.substr(0, 30));
        const PageLinks pieces = Extract(html, charset, piece);
        EXPECT_EQ(pieces.links, whole.links);
        EXPECT_EQ(pieces.refresh, whole.refresh);
        EXPECT_EQ(pieces.title, whole.title);
        EXPECT_EQ(pieces.charset, whole.charset);
        EXPECT_EQ(pieces.nofollow_links, whole.nofollow_links);
        EXPECT_EQ(pieces.robots, whole.robots);
      }
    }
  }
}

TEST(LinkExtractor, AByteOrderMarkIsNoText) {
  const PageLinks page = Extract("\xEF\xBB\xBF<title>T</title><a href=x>");
  EXPECT_EQ(page.title, "T");
  EXPECT_THAT(page.links, ElementsAre("http://a.test/dir/x"));
}

TEST(LinkExtractor, AnEmptyDocumentHasNothing) {
  const PageLinks page = Extract("", "");
  EXPECT_THAT(page.links, IsEmpty());
  EXPECT_EQ(page.refresh, std::nullopt);
  EXPECT_EQ(page.title, "");
  EXPECT_EQ(page.charset, "windows-1252");
}

TEST(LinkExtractor, FindsAHundredThousandLinks) {
  std::string html;
  for (int i = 0; i < 100'000; ++i) html += "<a href=" + std::to_string(i) + ">";
  const PageLinks page = Extract(html, "utf-8", 16'384);
  ASSERT_EQ(page.links.size(), 100'000u);
  EXPECT_EQ(page.links.back(), "http://a.test/dir/99999");
}

TEST(LinkExtractor, CountsMentionsOfLinksBeyondItsLimit) {
  const auto extract = [](const std::string& html, std::size_t max_links) {
    LinkExtractor extractor(Url::Parse("http://a.test/").value(), "utf-8", "trawl/1.0",
                            Encoding::Windows1252(), max_links);
    extractor.Feed(html);
    return extractor.Finish();
  };
  const std::string html =
      "<a href=1><a href=mailto:x><a href=2 rel=nofollow><a href=./1><a href=3><a href=4><a href=3>"
      "<a href=mailto:y><a href=/2>";
  const PageLinks cut = extract(html, 2);
  EXPECT_THAT(cut.links, ElementsAre("http://a.test/1", "http://a.test/2"));
  EXPECT_EQ(cut.left_out, 3u);
  EXPECT_THAT(cut.nofollow_links, IsEmpty()) << "what is taken is looked at to the end";
  EXPECT_EQ(extract(html, 4).left_out, 0u);
}

// A long base makes long links of short references.
TEST(LinkExtractor, BoundsTheBytesOfItsLinks) {
  const std::string base = "http://a.test/" + std::string(15 * 1024, 'x') + "/";
  std::string html = "<base href='" + base + "'>";
  constexpr std::size_t kLinks = 4'000;
  for (std::size_t i = 0; i < kLinks; ++i) html += "<a href=" + std::to_string(i) + ">";
  const PageLinks page = Extract(html);
  EXPECT_LT(page.links.size() * base.size(), LinkExtractor::kMaxLinkBytes);
  EXPECT_GT((page.links.size() + 2) * base.size(), LinkExtractor::kMaxLinkBytes);
  EXPECT_EQ(page.links.size() + page.left_out, kLinks);
}

TEST(LinkExtractor, FindsLinksHoweverDeepTheyAre) {
  std::string html;
  for (int i = 0; i < 20'000; ++i) html += "<div><b>";
  html += "<a href=x>";
  EXPECT_THAT(Extract(html, "utf-8", 16'384).links, ElementsAre("http://a.test/dir/x"));
}

TEST(LinkExtractor, AReferenceThatIsTooLongIsNoLink) {
  const std::string html = "<a href=" + std::string(Url::kMaxUrlBytes + 1, 'x') + "><a href=y>";
  EXPECT_THAT(Extract(html).links, ElementsAre("http://a.test/dir/y"));
}

TEST(LinkExtractor, RubbishHarmsNobody) {
  std::mt19937_64 random(1);
  const Links parts = {"<",       "<a href=", "\"",  "'",        ">",        "</",
                       "<!--",    "-->",      "&#",  "&",        ";",        "=",
                       "\xFF",    "\xC3",     " ",   "<meta",    "charset=", "utf8",
                       "<title>", "<script>", "]]>", "<![CDATA["};
  for (int run = 0; run < 500; ++run) {
    std::string html;
    for (int part = 0; part < 60; ++part) {
      html += parts[random() % parts.size()];
      html += static_cast<char>(random());
    }
    const PageLinks page = Extract(html, run % 2 == 0 ? "utf-8" : "", 1 + run % 9);
    EXPECT_EQ(page.title, ValidUtf8(page.title));
    for (const std::string& link : page.links) EXPECT_EQ(Url::Parse(link).value().text(), link);
  }
}

}  // namespace
}  // namespace trawl

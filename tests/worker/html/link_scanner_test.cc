#include "worker/html/link_scanner.h"

#include <random>

#include "tests/worker/html/scan.h"

namespace trawl::html {
namespace {

using Texts = std::vector<std::string>;

TEST(LinkScanner, FindsTheElementsThatLink) {
  ExpectLinks({{"<a href=x>t</a>", {"x"}},
               {"<map><area href=x></map>", {"x"}},
               {"<iframe src=x></iframe>", {"x"}},
               {"<frameset><frame src=x></frameset>", {"x"}},
               {"<a href=1><a href=2></a>", {"1", "2"}},
               {"<a href=x><a href=x>", {"x", "x"}},
               {"<noscript><a href=x></noscript>", {"x"}}});
}

TEST(LinkScanner, FindsNothingElsewhere) {
  ExpectLinks({{"", {}},
               {"text", {}},
               {"<a>t</a><a name=x>", {}},
               {"<link href=x><img src=x><script src=x></script><form action=x><image href=x>", {}},
               {"<iframe href=x></iframe><a src=x>", {}},
               {"</a href=x>", {}},
               {"<abbr href=x><address href=x><frameset href=x>", {}}});
}

TEST(LinkScanner, MarksLinksThatAreNotToBeFollowed) {
  const struct {
    std::string html;
    Texts nofollow;
  } kCases[] = {
      {"<a rel=nofollow href=x>", {"x"}},
      {"<area href=x rel=nofollow>", {"x"}},
      {"<a href=x REL='NoFollow'>", {"x"}},
      {"<a href=x rel='noopener\tnofollow ugc'>", {"x"}},
      {"<a href=x rel='\nnofollow'>", {"x"}},
      {"<a href=x rel='nofollow,ugc'>", {}},
      {"<a href=x rel=nofollowed>", {}},
      {"<a href=x rel>", {}},
      {"<a href=x rel=ugc rel=nofollow>", {}},
      {"<a rel=nofollow>", {}},
      {"<iframe src=x rel=nofollow></iframe>", {}},
  };
  for (const auto& [html, nofollow] : kCases) {
    EXPECT_EQ(Scan(html).nofollow_links, nofollow) << html;
  }
}

TEST(LinkScanner, TellsBasesInDocumentOrder) {
  const struct {
    std::string html;
    Texts bases;
  } kCases[] = {
      {"<base href=x><base href=y>", {"x", "y"}},
      {"<base><base target=t><base href>", {""}},
      {"<p><base href=x>", {"x"}},
      {"<head></head><base href=x>", {"x"}},
      {"<table><td><base href=y></td><base href=x></table>", {"x", "y"}},
      {"<template><base href=x></template><svg><base href=x></svg>", {}},
      {"<base href=x><p></p><base href=y><frameset>", {"x"}},
  };
  for (const auto& [html, bases] : kCases) EXPECT_EQ(Scan(html).bases, bases) << html;
}

TEST(LinkScanner, ABaseThatIsTooLongIsABase) {
  const std::string value(Tokenizer::kMaxValueBytes + 1, 'x');
  EXPECT_EQ(ScanPieces({"<base href=" + value + "><base href=y>"}).bases.size(), 2u);
}

TEST(LinkScanner, TellsTheTextOfTitles) {
  const struct {
    std::string html;
    Texts titles;
  } kCases[] = {
      {"<title>T</title>", {"T"}},
      {"<title>a\nb</title><title></title>", {"a\nb", ""}},
      {"<title>a<b>c</b><!-- d --></title>", {"a<b>c</b><!-- d -->"}},
      {"<title>a", {"a"}},
      {"<title>a</title", {"a</title"}},
      {"<title>a</", {"a</"}},
      {"<title>a</titlex", {"a</titlex"}},
      {"<p><title>a</title>", {"a"}},
      {"<svg><title>a</title></svg><title>b</title>", {"b"}},
      {"<svg><title><title>a</title></title></svg>", {"a"}},
      {"<template><title>a</title></template>", {}},
      {"<textarea>a</textarea>", {}},
      {"<frameset><title>a</title>", {}},
      {"<table><td><title>a</title></td><title>b</title>", {"b", "a"}},
      {std::string("<title>a\0b</title>", 18),
       {"a\xEF\xBF\xBD"
        "b"}},
  };
  for (const auto& [html, titles] : kCases) EXPECT_EQ(Scan(html).titles, titles) << html;
}

TEST(LinkScanner, TellsWhatMetaElementsSay) {
  const struct {
    std::string html;
    Texts metas;
  } kCases[] = {
      {"<meta name=robots content=noindex>", {"robots=noindex"}},
      {"<META NAME=Robots CONTENT='a &amp; b'>", {"Robots=a & b"}},
      {"<meta http-equiv=Refresh content='0;url=x'>", {"refresh=0;url=x"}},
      {"<meta http-equiv=content-type content='text/html'>", {}},
      {"<meta name=robots>", {}},
      {"<meta name content=x>", {}},
      {"<p><meta name=a content=b>", {"a=b"}},
      {"<noscript><meta http-equiv=refresh content=1></noscript>", {"refresh=1"}},
      {"<template><meta name=a content=b></template>", {}},
      {"<svg><desc><meta name=a content=b></svg>", {"a=b"}},
      {"<svg><meta name=a content=b>", {"a=b"}},  // it ends the svg
  };
  for (const auto& [html, metas] : kCases) EXPECT_EQ(Scan(html).metas, metas) << html;
}

TEST(LinkScanner, IsBounded) {
  std::string html = "<title>" + std::string(3 * LinkScanner::kMaxTitleBytes, 'x') + "</title>";
  EXPECT_EQ(ScanPieces({html}).titles[0].size(), LinkScanner::kMaxTitleBytes);
  html.clear();
  for (std::size_t i = 0; i < LinkScanner::kMaxMetas + 2; ++i) html += "<meta name=a content=b>";
  EXPECT_EQ(ScanPieces({html}).metas.size(), LinkScanner::kMaxMetas);
  const std::string value(60'000, 'x');
  LinkScanner scanner;
  std::size_t fed = 0;
  while (fed < LinkScanner::kMaxTextBytes + 4 * value.size()) {
    scanner.Feed("<a href=" + value + ">");
    fed += value.size();
  }
  scanner.Finish();
  std::size_t found = 0;
  scanner.ForEach([&](LinkScanner::Kind, std::string_view text) { found += text.size(); });
  EXPECT_GE(found, LinkScanner::kMaxTextBytes);
  EXPECT_LT(found, LinkScanner::kMaxTextBytes + Tokenizer::kMaxValueBytes);
}

// Each of these took time that grows with the square of its size in some parser or other.
TEST(LinkScanner, TakesItsTimeWithNoDocument) {
  const struct {
    const char* what;
    std::string repeated;
  } kCases[] = {
      {"attributes", ""},
      {"open elements", "<div><b>"},
      {"formatting", "<p><font>"},
      {"anchors", "<a><p>"},
      {"tables", "<table><td>"},
      {"empty tables", "<table><div>"},
      {"templates", "<template>"},
      {"foreign", "<svg><desc>"},
      {"end tags", "</x></b></p></a>"},
      {"more formatting", "<b><i><u><s>"},
      {"reopened formatting", "<p><b><i><u><s><em><tt><big>"},
      {"selects", "<select>"},
      {"list items", "<li><p><b>"},
      {"references", "<a href=&#x"},
      {"less-thans", "<"},
      {"ends", "</"},
      {"declarations", "<!"},
      {"comments", "<!--"},
      {"buttons", "<button><p>"},
      {"forms", "<form></form>"},
      {"framesets", "<frameset>"},
      {"moved links", "<table><a href=x>"},
  };
  for (const auto& [what, repeated] : kCases) {
    std::string html = repeated.empty() ? "<a " : "";
    for (int i = 0; html.size() < 400'000; ++i) {
      html += repeated.empty() ? "a" + std::to_string(i) + "=1 " : repeated;
    }
    const Scanned whole = ScanPieces({html + "'>\"></title></script><a href=x>"});
    EXPECT_LE(whole.links.size(), html.size()) << what;
  }
}

TEST(LinkScanner, FindsTheSameInRubbishHoweverItIsCut) {
  std::mt19937_64 random(1);
  const Texts parts = {"<a href=x>",
                       "<a href='y' rel=nofollow>",
                       "</a>",
                       "<",
                       ">",
                       "\"",
                       "'",
                       "=",
                       "/",
                       "&",
                       "&#x",
                       "&amp",
                       ";",
                       "<!--",
                       "-->",
                       "--!>",
                       "<![CDATA[",
                       "]]>",
                       "<svg>",
                       "</svg>",
                       "<math>",
                       "<mi>",
                       "<desc>",
                       "<table>",
                       "<tr>",
                       "<td>",
                       "</table>",
                       "<p>",
                       "</p>",
                       "<b>",
                       "</b>",
                       "<title>",
                       "</title>",
                       "<script>",
                       "</script>",
                       "<template>",
                       "</template>",
                       "<frameset>",
                       "<select>",
                       "<base href=b>",
                       "<meta name=n content=c>",
                       "<font color=c>",
                       "x",
                       " ",
                       std::string(1, '\0'),
                       "\xC3",
                       "<plaintext>",
                       "<textarea>",
                       "</textarea>",
                       "<body>",
                       "<head>",
                       "</head>",
                       "<li>"};
  for (int run = 0; run < 3'000; ++run) {
    std::string html;
    for (int part = 0; part < 12; ++part) html += parts[random() % parts.size()];
    Scan(html);
  }
}

}  // namespace
}  // namespace trawl::html

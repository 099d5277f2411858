// The rules of tree construction (HTML Standard 13.2.6), seen in the links that are found.
#include "worker/html/tree_construction.h"

#include "tests/worker/html/scan.h"

namespace trawl::html {
namespace {

const std::string kX = "<a href=x>";  // is found
const std::string kN = "<a href=n>";  // is not

TEST(TreeConstruction, AForeignElementLinksNowhere) {
  ExpectLinks({{"<svg>" + kN + "</svg>" + kX, {"x"}},
               {"<math>" + kN + "</math>" + kX, {"x"}},
               {"<svg><g>" + kN + "</g></svg>", {}},
               {"<svg/>" + kX, {"x"}},
               {"<svg><path/>" + kN + "</svg>" + kX, {"x"}},
               {"<svg><path>" + kN + "</svg>" + kX, {"x"}},
               {"<svg></path>" + kN, {}},
               {"<svg><svg></svg>" + kN + "</svg>" + kX, {"x"}},
               {"<SVG>" + kN + "</Svg>" + kX, {"x"}},
               {"<div><svg></div>" + kX, {"x"}},
               {"<svg></div>" + kN, {}},
               {"<b><svg></b>" + kX, {"x"}},
               {"<p><b></p><svg></b>" + kX, {"x"}},
               {"<p><b></p><svg></i>" + kN, {}}});
}

TEST(TreeConstruction, HtmlElementsStandInIntegrationPoints) {
  ExpectLinks({{"<svg><foreignObject>" + kX + "</a></foreignObject>" + kN, {"x"}},
               {"<svg><FOREIGNOBJECT>" + kX, {"x"}},
               {"<svg><desc>" + kX + "</a></desc>" + kN, {"x"}},
               {"<svg><title>" + kX, {"x"}},
               {"<svg><desc/>" + kN, {}},
               {"<math><foreignObject>" + kN, {}},
               {"<math><desc>" + kN, {}},
               {"<math><mi>" + kX, {"x"}},
               {"<math><mo>" + kX, {"x"}},
               {"<math><mn>" + kX, {"x"}},
               {"<math><ms>" + kX, {"x"}},
               {"<math><mtext>" + kX, {"x"}},
               {"<math><mtext></mtext>" + kN, {}},
               {"<svg><mtext>" + kN, {}},
               {"<math><mi><mglyph>" + kN, {}},
               {"<math><mi><malignmark>" + kN, {}},
               {"<math><annotation-xml>" + kN, {}},
               {"<math><annotation-xml encoding=text/html>" + kX, {"x"}},
               {"<math><annotation-xml encoding='Application/XHTML+xml'>" + kX, {"x"}},
               {"<math><annotation-xml encoding=text/xml>" + kN, {}},
               {"<math><annotation-xml encoding=text/html encoding=x>" + kX, {"x"}},
               {"<math><annotation-xml><svg>" + kN + "<desc>" + kX, {"x"}},
               {"<svg><desc><svg>" + kN + "</svg>" + kX, {"x"}},
               {"<svg><desc><div></desc>" + kX + "</svg>", {"x"}}});
}

TEST(TreeConstruction, SomeStartTagsEndForeignContent) {
  for (const std::string name :
       {"b",       "big",    "blockquote", "body", "br",  "center", "code", "dd",   "div", "dl",
        "dt",      "em",     "embed",      "h1",   "h6",  "head",   "hr",   "i",    "img", "li",
        "listing", "menu",   "meta",       "nobr", "ol",  "p",      "pre",  "ruby", "s",   "small",
        "span",    "strong", "strike",     "sub",  "sup", "table",  "tt",   "u",    "ul",  "var"}) {
    ExpectLinks({{"<svg><g><" + name + ">" + kX, {"x"}}, {"<math><" + name + "/>" + kX, {"x"}}});
  }
  ExpectLinks({{"<svg><font>" + kN, {}},
               {"<svg><font color=c>" + kX, {"x"}},
               {"<svg><font FACE>" + kX, {"x"}},
               {"<svg><font size=1>" + kX, {"x"}},
               {"<svg><font style=s>" + kN, {}},
               {"<svg></p>" + kX, {"x"}},
               {"<svg></br>" + kX, {"x"}},
               {"<svg><desc><svg><p></svg>" + kX, {"x"}},
               {"<svg><section><article><form><input>" + kN, {}}});
}

TEST(TreeConstruction, ForeignElementsDoNotChangeHowTextIsRead) {
  ExpectLinks({{"<svg><style>" + kN + "</style></svg>" + kX, {"x"}},
               {"<svg><script></svg>" + kX + "</script>", {"x"}},
               {"<svg><textarea></svg>" + kX, {"x"}},
               {"<svg><title></svg>" + kX, {"x"}},
               {"<svg><plaintext></svg>" + kX, {"x"}},
               {"<math><xmp></math>" + kX, {"x"}},
               {"<svg><script/></svg>" + kX, {"x"}},
               {"<svg><desc><style></svg>" + kN + "</style>" + kX, {"x"}}});
}

TEST(TreeConstruction, TheContentOfATemplateIsNotInTheDocument) {
  ExpectLinks({{"<template>" + kN + "</template>" + kX, {"x"}},
               {"<head><template>" + kN + "</template></head>" + kX, {"x"}},
               {"<template><template>" + kN + "</template>" + kN + "</template>" + kX, {"x"}},
               {"<template><div>" + kN + "</template>" + kX, {"x"}},
               {"<template>" + kN, {}},
               {"</template>" + kX, {"x"}},
               {"<template><tr><td>" + kN + "</td></tr></template>" + kX, {"x"}},
               {"<table><template>" + kN + "</template><td>" + kX, {"x"}},
               {"<template><table><td><a href=n></template>" + kX, {"x"}},
               {"<div><template></div>" + kN + "</template>" + kX, {"x"}},
               {"<template></body></html>" + kN + "</template>" + kX, {"x"}},
               {"<svg><template>" + kN + "</template></svg>" + kX, {"x"}},
               {"<template><svg><template>" + kN + "</template>" + kN, {}},
               {"<template><iframe src=n></iframe></template>" + kX, {"x"}}});
}

TEST(TreeConstruction, ATemplatesModeDecidesWhatOfItIsRead) {
  ExpectLinks({{"<template><col><textarea></template>" + kX, {"x"}},
               {"<template><textarea></template>" + kN + "</textarea></template>" + kX, {"x"}},
               {"<template><col><style></template>" + kX, {"x"}},
               {"<template><tr><style></template>" + kN + "</style></template>" + kX, {"x"}},
               {"<template><td><plaintext></template>" + kN, {}},
               {"<template><col><plaintext></template>" + kX, {"x"}}});
}

TEST(TreeConstruction, FramesStandInFramesets) {
  const std::string frame = "<frame src=f>";
  ExpectLinks({{"<frameset>" + frame + "</frameset>", {"f"}},
               {"<html><head></head><frameset>" + frame, {"f"}},
               {"<frameset><frameset>" + frame + "</frameset>" + frame, {"f", "f"}},
               {"<frameset>" + frame + "<noframes>" + kN + "</noframes>" + frame, {"f", "f"}},
               {"<frameset>" + frame + kN + "<div>" + kN + "</frameset>" + kN, {"f"}},
               {"<frameset></frameset>" + frame + "<noframes>" + kN + "</noframes>" + frame, {}},
               {"<frameset><script>" + frame + "</script></frameset>", {"f"}},
               {"<body>" + frame, {}},
               {frame, {}}});
}

TEST(TreeConstruction, AFramesetReplacesABodyInWhichNothingIsSeen) {
  const std::string set = "<frameset><frame src=f>";
  // What may come before.
  for (const std::string& before :
       {std::string(), std::string(" \n"), std::string("<p>"), kN, std::string("<div>") + kN,
        std::string("<b>"), std::string("<svg></svg>"), std::string("\0", 1),
        std::string("<input type=hidden>"), std::string("<param>"), std::string("<!-- x -->"),
        std::string("<p>&#32;&Tab;&NewLine;"), std::string("<title>x</title>"),
        std::string("<svg> </svg>"), std::string("<section>"), std::string("</p>"),
        std::string("<form>"), std::string("<option>")}) {
    ExpectLinks({{before + set, {"f"}}});
  }
  // What says no.
  for (const std::string before : {"x",
                                   "<body>",
                                   "<p>x",
                                   "&nbsp;",
                                   "<p>&#0;",
                                   "<p>&",
                                   "<p>&#32x",
                                   "<p>&#32;;",
                                   "<p>&amp;",
                                   "<br>",
                                   "</br>",
                                   "<img>",
                                   "<input>",
                                   "<input type=text>",
                                   "<hr>",
                                   "<table>",
                                   "<li>",
                                   "<dd>",
                                   "<pre>",
                                   "<button>",
                                   "<object>",
                                   "<select>",

                                   "<wbr>",
                                   "<embed>",
                                   "<textarea></textarea>",
                                   "<iframe></iframe>",
                                   "<xmp></xmp>",
                                   "<svg>x</svg>",
                                   "<svg><![CDATA[x]]></svg>",
                                   "<p><"}) {
    ExpectLinks({{before + set + kX, {"x"}}});
  }
}

TEST(TreeConstruction, WhatStandsInATableDirectlyIsMovedBeforeIt) {
  ExpectLinks({
      {"<table><td><a href=2></td></tr><a href=1></table><a href=3>", {"1", "2", "3"}},
      {"<a href=1><table><td><a href=2><table></table><a href=3></tr><a href=4></table>",
       {"1", "4", "2", "3"}},
      {"<table><a href=1><a href=2><td><a href=3></table>", {"1", "2", "3"}},
      {"<table><tr><td><a href=3></td><a href=1></tr><a href=2></table>", {"1", "2", "3"}},
      {"<table><caption><a href=2></caption><a href=1></table>", {"1", "2"}},
      {"<table><td><a href=2></td><tr><div><a href=1></div></table>", {"1", "2"}},
      {"<table><tr><td><a href=2></td></tr><tr><b><a href=1></b></table>", {"1", "2"}},
      {"<table><td><table><td><a href=3></td><tr><a href=2></table></td><tr><a href=1></table>",
       {"1", "2", "3"}},
      {"<table><td><table></table><a href=2></td><tr><a href=1>", {"1", "2"}},
      {"<table><td><a href=1></td></table><table><td><a href=3></td><tr><a href=2></table>",
       {"1", "2", "3"}},
      {"<table><td><a href=2></td><tr><iframe src=1></iframe></table>", {"1", "2"}},
      {"<table><tr><td><a href=2><table><tr><td><a href=3></table></table>", {"2", "3"}},
      {"<table><td><svg><desc><a href=2></svg></td><tr><svg><desc><a href=1></svg></table>",
       {"1", "2"}},
  });
}

TEST(TreeConstruction, TableStructureFollowsTheTags) {
  ExpectLinks(
      {{"<table><td><a href=1><td><a href=2><tr><a href=0>", {"0", "1", "2"}},
       {"<table><colgroup><col><a href=1><tr><td><a href=2>", {"1", "2"}},
       {"<table><caption><a href=2><tr><td><a href=3></td><a href=1>", {"1", "2", "3"}},
       {"<table><td><a href=1></table><a href=2>", {"1", "2"}},
       {"<table><td><a href=1></td><table><td><a href=2></td><tr><a href=0>", {"1", "0", "2"}},
       {"<table><tbody><tr><td><a href=1></tbody><a href=0>", {"0", "1"}},
       {"<table></td></tr></tbody><td><a href=1></caption></html><a href=2>", {"1", "2"}},
       {"<td><a href=1><tr><a href=2>", {"1", "2"}},
       {"<table><form><td><a href=1></form></table>", {"1"}},
       {"<table><td><a href=1></td><div><table><td><a href=2>", {"1", "2"}},
       {"<table><style><a href=n></style><td><a href=1>", {"1"}}});
}

TEST(TreeConstruction, MisnestedTagsLoseNoLink) {
  ExpectLinks({{"<a href=1><div><a href=2></div>", {"1", "2"}},
               {"<a href=1><p></a><a href=2></p>", {"1", "2"}},
               {"<b><a href=1><p></b></a><a href=2>", {"1", "2"}},
               {"<a href=1><nobr><a href=2><nobr></a><a href=3>", {"1", "2", "3"}},
               {"<a href=1><b><i><u><s><em><div></a><a href=2>", {"1", "2"}},
               {"<button><a href=1><button><a href=2></button>", {"1", "2"}},
               {"<a><svg><tr></a>" + kX, {"x"}},
               {"<a><div><svg></a>" + kX, {"x"}},
               {"<a><svg><desc></a>" + kX, {"x"}},
               {"<i><svg><g></i>" + kX, {"x"}},
               {"<i><div><svg><g></i>" + kX, {"x"}}});
}

TEST(TreeConstruction, LinksStandInSelects) {
  ExpectLinks({{"<select>" + kX + "</select>", {"x"}},
               {"<select><option>" + kX, {"x"}},
               {"<table><td><select><tr>" + kX + "</table>", {"x"}},
               {"<select><svg>" + kN + "<select>" + kN + "</select></svg>", {}},
               {"<select><svg><desc><input>" + kX, {"x"}},
               {"<select><svg><desc><select>" + kX, {"x"}},
               {"<div><select><svg></div>" + kN, {}}});
}

TEST(TreeConstruction, HeadAndBodyNeedNoTags) {
  ExpectLinks({{"</head>" + kX, {"x"}},
               {"<html><head><noscript>" + kX + "</noscript>", {"x"}},
               {"<head><noscript><style></noscript>" + kN + "</style></noscript>" + kX, {"x"}},
               {"<head><noscript><noscript></noscript>" + kX, {"x"}},
               {"<head></head><script></head>" + kN + "</script>" + kX, {"x"}},
               {"<body></body>" + kX, {"x"}},
               {"</html>" + kX, {"x"}},
               {"<body></body></html><p>" + kX + "<body>" + kX, {"x", "x"}},
               {"<head><head><title></head>" + kN + "</title>" + kX, {"x"}}});
}

// Elements deeper than 512 others count as empty ones: no link is lost.
TEST(TreeConstruction, DepthIsBounded) {
  std::string html;
  for (int i = 0; i < 2'000; ++i) html += "<div>";
  html += kX + "<svg>" + kX + "</svg><template>" + kX + "</template><table><col>" + kX;
  EXPECT_EQ(ScanPieces({html}).links.size(), 4u);
  html.clear();
  for (int i = 0; i < 2'000; ++i) html += "<table><tr><td>" + kX;
  for (int i = 0; i < 2'000; ++i) html += "</table>" + kX;
  EXPECT_EQ(ScanPieces({html}).links.size(), 4'000u);
}

}  // namespace
}  // namespace trawl::html

// The tokenizer's rules (HTML Standard 13.2.5), seen in the links that are found.
#include "worker/html/tokenizer.h"

#include "tests/worker/html/scan.h"

namespace trawl::html {
namespace {

using Texts = std::vector<std::string>;

TEST(Tokenizer, ReadsTagsWhateverTheirCaseAndBlanks) {
  ExpectLinks({{"<a href=x>", {"x"}},
               {"<A HREF=X>", {"X"}},
               {"<a\thref=x>", {"x"}},
               {"<a\nhref=x>", {"x"}},
               {"<a\fhref=x>", {"x"}},
               {"<a\rhref=x>", {"x"}},
               {"<a/href=x>", {"x"}},
               {"<a//href=x>", {"x"}},
               {"<a / href=x>", {"x"}},
               {"<a class=c href=x>", {"x"}},
               {"<ab href=x>", {}},
               {"<a\vhref=x>", {}},
               {"<a-b href=x>", {}},
               {std::string("<a\0 href=x>", 11), {}}});
}

TEST(Tokenizer, ReadsValuesQuotedOrNot) {
  ExpectLinks({{"<a href='x'>", {"x"}},
               {"<a href=\"x\">", {"x"}},
               {"<a href = 'x' >", {"x"}},
               {"<a href= x >", {"x"}},
               {"<a href\n=\nx>", {"x"}},
               {"<a href=x/>", {"x/"}},
               {"<a href=x />", {"x"}},
               {"<a href='x'/>", {"x"}},
               {"<a href='x'rel=y>", {"x"}},
               {"<a href=\"it's\">", {"it's"}},
               {"<a href='\"'>", {"\""}},
               {"<a href=a'b\"c=d`e<f>", {"a'b\"c=d`e<f"}},
               {"<a href=?a=b>", {"?a=b"}},
               {"<a href==x>", {"=x"}},
               {"<a href='>'>", {">"}},
               {"<a href='a\nb'>", {"a\nb"}}});
}

TEST(Tokenizer, AnAttributeWithoutValueHasAnEmptyOne) {
  ExpectLinks({{"<a href>", {""}},
               {"<a href class=c>", {""}},
               {"<a class href>", {""}},
               {"<a href=>", {""}},
               {"<a href= >", {""}},
               {"<a href/>", {""}},
               {"<a href=''>", {""}},
               {"<a class=c>", {}}});
}

TEST(Tokenizer, OfTwoAttributesOfOneNameTheFirstCounts) {
  ExpectLinks({{"<a href=x href=y>", {"x"}},
               {"<a href href=y>", {""}},
               {"<a href='x' HREF='y'>", {"x"}},
               {"<a class=c href=x rel=r href=y href>", {"x"}}});
}

TEST(Tokenizer, WhatIsInAValueIsNoMarkup) {
  ExpectLinks({{"<p title='>' class=\"<a href=n>\"><a href=x>", {"x"}},
               {"<p title='<a href=n>'>", {}},
               {"<p title=a'b><a href=x>", {"x"}},
               {"<p a\"b=c><a href=x>", {"x"}},
               {"<p 'a'><a href=x>", {"x"}},
               {"<p ='><a href=n>'><a href=x>", {"n", "x"}},
               {"<p = '><a href=x>", {"x"}},
               {"<p a= '><a href=n>'><a href=x>", {"x"}},
               {"<p a/='><a href=x>'>", {"x"}},
               {"<p a=b='><a href=x>'>", {"x"}},
               {"</p title='><a href=n>'><a href=x>", {"x"}}});
}

TEST(Tokenizer, AnEndOfTheDocumentInATagMeansNoTag) {
  ExpectLinks({{"<a href=x", {}},
               {"<a href='x", {}},
               {"<a href='x'", {}},
               {"<a href=x <a href=y>", {"x"}},
               {"<a href=x><p title='<a href=y>", {"x"}}});
}

TEST(Tokenizer, ALessThanSignThatBeginsNoTagIsText) {
  ExpectLinks({{"<3<a href=x>", {"x"}},
               {"< a href=n><a href=x>", {"x"}},
               {"<<a href=x>", {"x"}},
               {"</><a href=x>", {"x"}},
               {"<=<a href=x>", {"x"}}});
}

TEST(Tokenizer, SkipsComments) {
  ExpectLinks({{"<!-- <a href=n> --><a href=x>", {"x"}},
               {"<!--><a href=x>", {"x"}},
               {"<!---><a href=x>", {"x"}},
               {"<!----><a href=x>", {"x"}},
               {"<!-----><a href=x>", {"x"}},
               {"<!-- > -> --!><a href=x>", {"x"}},
               {"<!-- -- ><a href=n>--><a href=x>", {"x"}},
               {"<!-- --!<a href=n> --><a href=x>", {"x"}},
               {"<!-- --!-><a href=n>--><a href=x>", {"x"}},
               {"<!-- --!--><a href=x>", {"x"}},
               {"<!---!><a href=n>--><a href=x>", {"x"}},
               {"<!----!><a href=x>", {"x"}},
               {"<!-- ---><a href=x>", {"x"}},
               {"<!-- <!-- --><a href=x>", {"x"}},
               {"<!-- <!--><a href=x>", {"x"}},
               {"<!-- <a href=n>", {}}});
}

TEST(Tokenizer, SkipsWhatOnlyLooksLikeAComment) {
  ExpectLinks({{"<!><a href=x>", {"x"}},
               {"<!-><a href=x>", {"x"}},
               {"<!- <a href=x>-->", {}},
               {"<!doctype html><a href=x>", {"x"}},
               {"<!DOCTYPE html PUBLIC '>'><a href=x>", {"x"}},
               {"<!x '><a href=x>'>", {"x"}},
               {"<?php echo '<a href=n>' ?><a href=x>", {"x"}},
               {"<?xml version='1.0'?><a href=x>", {"x"}},
               {"</ a href=n><a href=x>", {"x"}},
               {"</3><a href=x>", {"x"}}});
}

TEST(Tokenizer, CdataIsASectionInForeignContentOnly) {
  ExpectLinks({{"<![CDATA[<a href=n>]]><a href=x>", {"x"}},
               {"<![CDATA[><a href=x>]]>", {"x"}},
               {"<svg><![CDATA[<a href=n></svg>]]></svg><a href=x>", {"x"}},
               {"<svg><![CDATA[]]]></svg><a href=x>", {"x"}},
               {"<svg><![CDATA[]] ></svg><a href=n>]]></svg><a href=x>", {"x"}},
               {"<svg><![cdata[></svg><a href=x>]]>", {"x"}},
               {"<svg><![CDATA ></svg><a href=x>", {"x"}},
               {"<svg><desc><p><![CDATA[><a href=x>", {"x"}},
               {"<math><![CDATA[<a href=n>", {}}});
}

TEST(Tokenizer, RawTextEndsWithItsOwnEndTagOnly) {
  for (const std::string name :
       {"style", "xmp", "iframe", "noembed", "noframes", "textarea", "title", "script"}) {
    const std::string begin = "<" + name + ">";
    const std::string end = "</" + name;
    ExpectLinks({{begin + "<a href=n>" + end + "><a href=x>", {"x"}},
                 {begin + "<a href=n>" + end + " a='>'><a href=x>", {"x"}},
                 {begin + end + "/><a href=x>", {"x"}},
                 {begin + end + "x><a href=n>" + end + "><a href=x>", {"x"}},
                 {begin + "</p><" + end + "><a href=x>", {"x"}},
                 {begin + "</" + end + "><a href=x>", {"x"}},
                 {begin + "< /" + name + "><a href=n>" + end + "\n><a href=x>", {"x"}},
                 {begin + "<" + name + "><a href=n>" + end + "><a href=x>", {"x"}},
                 {begin + "<!-- " + end + "><a href=x>", {"x"}},
                 {begin + "<a href=n>" + end, {}}});
  }
  ExpectLinks({{"<STYLE></Style><a href=x>", {"x"}}, {"<script/></script><a href=x>", {"x"}}});
}

TEST(Tokenizer, PlaintextNeverEnds) {
  ExpectLinks({{"<a href=x><plaintext><a href=n></plaintext><a href=n>", {"x"}}});
}

TEST(Tokenizer, AScriptInACommentHidesTheEndOfTheScript) {
  const std::string x = "<a href=x>";
  ExpectLinks({
      {"<script><!-- </script>" + x, {"x"}},
      {"<script><!-- <script> </script> --></script>" + x, {"x"}},
      {"<script><!-- <script> </script><a href=n> </script>" + x, {"x"}},
      {"<script><!-- <script> <a href=n> --> <a href=n></script>" + x, {"x"}},
      {"<script><!-- <script> </script>" + x, {}},
      {"<script><!-- <script/> </script>" + x, {}},
      {"<script><!-- <scriptx> </script>" + x, {"x"}},
      {"<script><!-- <SCRIPT> </SCRIPT> </script>" + x, {"x"}},
      {"<script><!-- <script> </scriptx> </script>" + x, {}},
      {"<script><!--> <script> </script>" + x, {"x"}},
      {"<script><!---> <script> </script>" + x, {"x"}},
      {"<script><!- <script> </script>" + x, {"x"}},
      {"<script><!-- - -- > <script> </script>" + x, {}},
      {"<script><!-- <script> - -- > </script>" + x, {}},
      {"<script><!-- <script> --- > </script>" + x, {}},
      {"<script><!-- <script> <</script> </script>" + x, {"x"}},
      {"<script><!-- <script> -->" + x + "</script>" + x, {"x"}},
      {"<script><!-- <</script>" + x, {"x"}},
      {"<script><! <script> </script>" + x, {"x"}},
  });
}

TEST(Tokenizer, ReplacesCharacterReferencesInValuesAndTitles) {
  EXPECT_EQ(Scan("<a href='?a&amp;b&copy=&copy;'>").links, Texts{"?a&b&copy=\xC2\xA9"});
  EXPECT_EQ(Scan("<a href=&#x78;&#121>").links, Texts{"xy"});
  EXPECT_EQ(Scan("<a href='x' rel='no&#102;ollow'>").nofollow_links, Texts{"x"});
  EXPECT_EQ(Scan("<title>a &amp;&copy= &lt;b></title>").titles, Texts{"a &\xC2\xA9= <b>"});
  EXPECT_EQ(Scan("<title>a</ti></title").titles, Texts{"a</ti></title"});
}

TEST(Tokenizer, AValueThatIsTooLongIsCutAndNoLink) {
  const std::string limit(Tokenizer::kMaxValueBytes, 'x');
  for (const std::string quote : {"", "'"}) {
    const std::string html = "<a href=" + quote + limit + quote + "><a href=" + quote + limit +
                             "y" + quote + "><a href=z>";
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < html.size(); at += 1000) pieces.push_back(html.substr(at, 1000));
    EXPECT_EQ(ScanPieces({html}).links, (Texts{limit, "z"}));
    EXPECT_EQ(ScanPieces(pieces).links, (Texts{limit, "z"}));
  }
}

}  // namespace
}  // namespace trawl::html

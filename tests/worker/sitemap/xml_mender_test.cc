#include "worker/sitemap/xml_mender.h"

#include <gtest/gtest.h>

#include <string>

namespace trawl {
namespace {

std::string Mended(std::string_view text, std::size_t piece_bytes = std::string_view::npos) {
  XmlMender mender;
  std::string xml;
  for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
    mender.Feed(text.substr(0, piece_bytes), xml);
  }
  mender.Finish(xml);
  return xml;
}

struct Case {
  std::string text;
  std::string mended;
};

void ExpectMended(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(Mended(c.text), "<r>" + c.mended) << c.text;
    EXPECT_EQ(Mended(c.text, 1), "<r>" + c.mended) << "byte by byte: " << c.text;
  }
}

TEST(XmlMender, LeavesWholeXmlAlone) {
  ExpectMended({
      {"<a><b>text</b><c d=\"e\" f='g'/></a>", "<a><b>text</b><c d=\"e\" f='g'/></a>"},
      {"<x:a xmlns:x=\"urn:x\">\n\t</x:a>", "<x:a xmlns:x=\"urn:x\">\n\t</x:a>"},
      {"<a>&amp;&lt;&gt;&quot;&apos;&#38;&#x26;</a>",
       "<a>&amp;&lt;&gt;&quot;&apos;&#38;&#x26;</a>"},
      {"<a b='1>0'>é</a>", "<a b='1&gt;0'>é</a>"},
  });
}

TEST(XmlMender, AnAmpersandThatBeginsNoReferenceStandsForItself) {
  ExpectMended({
      {"<a>x?b=1&c=2</a>", "<a>x?b=1&amp;c=2</a>"},
      {"<a>&</a>", "<a>&amp;</a>"},
      {"<a>& ;</a>", "<a>&amp; ;</a>"},
      {"<a>&&amp;</a>", "<a>&amp;&amp;</a>"},
      {"<a>&#;&#x;&#1f;&#xg;</a>", "<a>&amp;#;&amp;#x;&amp;#1f;&amp;#xg;</a>"},
      {"<a>&1;</a>", "<a>&amp;1;</a>"},
      {"<a>&b<c/></a>", "<a>&amp;b<c/></a>"},
      {"<a href='?b=1&c=2&amp;d'/>", "<a href='?b=1&amp;c=2&amp;d'/>"},
      {"<a>&" + std::string(40, 'n') + ";</a>", "<a>&amp;" + std::string(40, 'n') + ";</a>"},
  });
}

TEST(XmlMender, LeavesOutReferencesThatMeanNoCharacter) {
  ExpectMended({
      {"<!DOCTYPE a [<!ENTITY own 'x'>]><a>b&nbsp;c&own;&Amp;</a>", "<a>bc</a>"},
      {"<a>&#0;&#x1f;&#xD800;&#xFFFE;&#x110000;&#99999999999;</a>", "<a></a>"},
      {"<a>&#9;&#x20;&#xE9;&#65533;&#x10FFFF;</a>", "<a>&#9;&#x20;&#xE9;&#65533;&#x10FFFF;</a>"},
      {"<!DOCTYPE a []><a b='&own;c&#1;'/>", "<a b='c'/>"},
  });
}

TEST(XmlMender, AReferenceToAnEntityThatNobodyDeclaredIsText) {
  ExpectMended({
      {"<a>b&nbsp;c&own;&Amp;</a>", "<a>b&amp;nbsp;c&amp;own;&amp;Amp;</a>"},
      {"<!DOCTYPE a><a>?b=1&copy;=2</a>", "<a>?b=1&amp;copy;=2</a>"},
      {"<a b='&own;c&#1;'/>", "<a b='&amp;own;c'/>"},
  });
}

TEST(XmlMender, AnAngleThatBeginsNoTagStandsForItself) {
  ExpectMended({
      {"<a>1 < 2 <3 <> <é</a>", "<a>1 &lt; 2 &lt;3 &lt;&gt; &lt;é</a>"},
      {"<a><!></a>", "<a>&lt;!&gt;</a>"},
      {"<a></></a>", "<a>&lt;/&gt;</a>"},
      {"<a b='<c>'/>", "<a b='&lt;c&gt;'/>"},
  });
}

TEST(XmlMender, LeavesOutWhatIsNoTextAndNoElement) {
  ExpectMended({
      {"<?xml version='1.0'?><a/>", "<a/>"},
      {"<?xml version='1.0'><a/>", "<a/>"},
      {"<a><!-- <b> & -- > --></a>", "<a></a>"},
      {"<a><!----></a>", "<a></a>"},
      {"<!DOCTYPE a><a/>", "<a/>"},
      {"<!DOCTYPE a SYSTEM 'x' [<!ENTITY b \"c\"><!-- don't --> ] ><a>b</a>", "<a>b</a>"},
      {"<!DOCTYPE a [ x ] y ]><a/>", "<a/>"},
      {"<a>\x01\x1f</a>", "<a>  </a>"},
      {std::string("<a>\0</a>", 8), "<a> </a>"},
  });
}

TEST(XmlMender, WritesCDataAsText) {
  ExpectMended({
      {"<a><![CDATA[b&amp;<c>]]></a>", "<a>b&amp;amp;&lt;c&gt;</a>"},
      {"<a><![CDATA[]]]]></a>", "<a>]]</a>"},
      {"<a><![CDATA[]]></a>", "<a></a>"},
      {"<a><![CDAT[b]]></a>", "<a>&lt;![CDAT[b]]&gt;</a>"},
  });
}

TEST(XmlMender, BalancesTags) {
  ExpectMended({
      {"<a><b></a>", "<a><b></b></a>"},
      {"<a></b></a>", "<a></a>"},
      {"</a><a/></a>", "<a/>"},
      {"<a/><b/>", "<a/><b/>"},
      {"<a><a></a></a></a>", "<a><a></a></a>"},
      {"<a></a junk='1'>", "<a></a>"},
      {"<a>b</a<c/>", "<a>b</a><c/>"},
      {"<a <b>c</b>", "<b>c</b>"},
  });
}

TEST(XmlMender, ATagThatTheEndCutsOffEndsTheTextBeforeIt) {
  ExpectMended({
      {"<a><b>c</b", "<a><b>c</b></a>"},
      {"<a><b>c<", "<a><b>c</b></a>"},
      {"<a><b>c<![CDA", "<a><b>c</b></a>"},
      {"<a><b>c", "<a><b>c"},
      {"<a><b>c&am", "<a><b>c"},
      {"<a><b><![CDATA[cdef", "<a><b>cd"},
      {"<a><!-- b", "<a>"},
  });
}

TEST(XmlMender, LeavesOutATagThatIsTooLong) {
  const std::string longest(XmlMender::kMaxTagBytes - 10, 'x');
  const std::string too_long(XmlMender::kMaxTagBytes, 'x');
  ExpectMended({
      {"<a b='" + longest + "'/><c/>", "<a b='" + longest + "'/><c/>"},
      {"<a b='" + too_long + "'/><c/>", "xxxxxx'/&gt;<c/>"},
      {"<a b='><c/>" + too_long, "<c/>" + too_long},
  });
}

TEST(XmlMender, ClosesAllButTheOutermostBelowTheGreatestDepth) {
  std::string deep;
  for (std::size_t i = 0; i < XmlMender::kMaxDepth; ++i) deep += "<a>";
  std::string closed;
  for (std::size_t i = 1; i < XmlMender::kMaxDepth; ++i) closed += "</a>";
  ExpectMended({{deep + "<b>c</b></a>", deep + closed + "<b>c</b></a>"}});
}

}  // namespace
}  // namespace trawl

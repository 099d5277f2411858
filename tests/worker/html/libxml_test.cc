// The scanner against libxml2's HTML parser, over real pages: both find the same links, save where
// a rule of the HTML Standard that libxml2 does not have says otherwise.
#include <gtest/gtest.h>
#include <libxml/HTMLparser.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/real_pages.h"
#include "tests/worker/html/scan.h"

namespace trawl::html {
namespace {

using Links = std::vector<std::string>;

/// The attribute in which an element of that name links.
std::string_view LinkAttribute(std::string_view name) {
  if (name == "a" || name == "area") return "href";
  if (name == "iframe" || name == "frame") return "src";
  return {};
}

std::string_view Text(const xmlChar* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

void OnElement(void* links, const xmlChar* name, const xmlChar** attributes) {
  const std::string_view wanted = LinkAttribute(Text(name));
  if (wanted.empty()) return;
  for (; attributes && attributes[0]; attributes += 2) {
    if (Text(attributes[0]) != wanted) continue;
    static_cast<Links*>(links)->emplace_back(Text(attributes[1]));
    return;
  }
}

Links LinksOfLibxml(const std::string& html) {
  htmlSAXHandler sax{};
  sax.startElement = OnElement;
  Links links;
  const std::unique_ptr<htmlParserCtxt, decltype(&htmlFreeParserCtxt)> parser(
      htmlCreatePushParserCtxt(&sax, &links, nullptr, 0, nullptr, XML_CHAR_ENCODING_UTF8),
      &htmlFreeParserCtxt);
  htmlParseChunk(parser.get(), html.data(), static_cast<int>(html.size()), 0);
  htmlParseChunk(parser.get(), nullptr, 0, 1);
  return links;
}

/// The page with its tables taken for unknown elements, out of which nothing is moved.
std::string WithoutTables(std::string html) {
  for (const std::string_view tag : {"<table", "</table"}) {
    for (std::size_t at = html.find(tag); at != html.npos; at = html.find(tag, at)) {
      html[at + tag.size() - 1] = 'x';
    }
  }
  return html;
}

TEST(RealPages, AreThere) {
  EXPECT_TRUE(std::any_of(std::begin(kRealPages), std::end(kRealPages), [](const RealPages& pages) {
    return !PageFiles(pages).empty();
  })) << "install postgresql-doc-15, or nothing here is compared";
}

class LibxmlTest : public ::testing::TestWithParam<RealPages> {};

TEST_P(LibxmlTest, FindsTheSameLinksInRealPages) {
  const std::vector<std::filesystem::path> files = PageFiles(GetParam());
  if (files.empty()) GTEST_SKIP() << "not installed: " << GetParam().folder;
  std::size_t links = 0;
  std::size_t moved = 0;
  for (const std::filesystem::path& file : files) {
    const std::string html = ReadPage(file);
    const Links ours = ScanPieces({html}).links;
    const Links theirs = LinksOfLibxml(html);
    links += ours.size();
    if (ours == theirs) continue;
    // Foster parenting (13.2.6.1) moves what stands directly in a table before it.
    EXPECT_EQ(ScanPieces({WithoutTables(html)}).links, theirs) << file;
    Links sorted = ours;
    Links sorted_theirs = theirs;
    std::sort(sorted.begin(), sorted.end());
    std::sort(sorted_theirs.begin(), sorted_theirs.end());
    EXPECT_EQ(sorted, sorted_theirs) << file;
    ++moved;
  }
  EXPECT_GT(links, 10 * files.size()) << "or these are no pages";
  EXPECT_LT(moved, files.size() / 100) << "tables are written better than that";
}

INSTANTIATE_TEST_SUITE_P(, LibxmlTest, ::testing::ValuesIn(kRealPages),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace trawl::html

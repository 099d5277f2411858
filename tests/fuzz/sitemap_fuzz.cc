// A Content-Type, LF, a sitemap of any kind. What it lists is canonical, and the same however the
// file arrives.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "worker/sitemap_parser.h"

namespace trawl {
namespace {

Sitemap Parse(std::string_view content_type, std::string_view file, const Cuts& cuts) {
  static const Url url = Url::Parse("https://a.test/maps/sitemap.xml").value();
  SitemapParser parser(url, content_type);
  FeedPieces(file, cuts, [&](std::string_view piece) { parser.Feed(piece); });
  return parser.Finish();
}

std::string Text(const Sitemap& sitemap) {
  std::string text = sitemap.truncated ? "truncated\n" : "whole\n";
  for (const std::string& url : sitemap.urls) text += "url " + url + '\n';
  for (const std::string& url : sitemap.sitemaps) text += "sitemap " + url + '\n';
  return text;
}

void CheckUrls(const std::vector<std::string>& urls, std::string_view file) {
  std::set<std::string> seen;
  for (const std::string& text : urls) {
    const auto url = Url::Parse(text);
    Check(url.has_value() && url->text() == text, "a listed URL is canonical", {file, text});
    Check(seen.insert(text).second, "a URL is listed once", {file, text});
  }
}

}  // namespace

void FuzzOne(std::string_view input) {
  const std::string_view content_type = TakeLine(input);
  const Sitemap sitemap = Parse(content_type, input, {});
  CheckUrls(sitemap.urls, input);
  CheckUrls(sitemap.sitemaps, input);
  const std::string whole = Text(sitemap);
  for (const Cuts& cuts : WaysToCut(input)) {
    const std::string pieces = Text(Parse(content_type, input, cuts));
    Check(pieces == whole, "a sitemap is the same however it arrives",
          {content_type, input, whole, pieces});
  }
}

}  // namespace trawl

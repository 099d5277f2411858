// A Content-Type, LF, an HTML page. What is found in it is canonical, and the same
// however the page arrives.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "worker/charset.h"
#include "worker/link_extractor.h"

namespace trawl {
namespace {

constexpr std::string_view kAgent = "trawl/1.0";

PageLinks Extract(std::string_view type, std::string_view page, const Cuts& cuts) {
  static const Url base = Url::Parse("http://a.test/dir/page?query").value();
  LinkExtractor extractor(base, CharsetLabelOf(type), kAgent, FallbackEncodingOf(type));
  FeedPieces(page, cuts, [&](std::string_view piece) { extractor.Feed(piece); });
  return extractor.Finish();
}

std::string Text(const PageLinks& page) {
  std::string text = page.charset + '\n' + page.title + '\n';
  text += page.robots.noindex ? "noindex\n" : "index\n";
  text += page.robots.nofollow ? "nofollow\n" : "follow\n";
  text += page.refresh.value_or("none") + '\n';
  for (const std::string& link : page.links) text += "link " + link + '\n';
  for (const std::string& link : page.nofollow_links) text += "nofollow " + link + '\n';
  return text;
}

bool IsCanonical(const std::string& link) {
  const auto url = Url::Parse(link);
  return url.has_value() && url->text() == link;
}

void CheckLinks(const PageLinks& page, std::string_view html) {
  std::set<std::string> links;
  for (const std::string& link : page.links) {
    Check(IsCanonical(link), "a link is canonical", {html, link});
    Check(links.insert(link).second, "a link comes once", {html, link});
  }
  auto at = page.links.begin();
  for (const std::string& link : page.nofollow_links) {
    at = std::find(at, page.links.end(), link);
    Check(at != page.links.end(), "nofollow links are links, in their order", {html, link});
    ++at;
  }
  Check(!page.refresh || IsCanonical(*page.refresh), "a refresh target is canonical", {html});
}

void CheckTitle(const std::string& title, std::string_view html) {
  Check(ValidUtf8(title) == title && title.size() <= LinkExtractor::kMaxTitleBytes,
        "a title is bounded UTF-8", {html, title});
  Check(title.find_first_of("\t\n\f\r") == title.npos && title.find("  ") == title.npos &&
            !title.starts_with(' ') && !title.ends_with(' '),
        "a title's blanks are collapsed", {html, title});
}

}  // namespace

void FuzzOne(std::string_view input) {
  const std::string_view type = TakeLine(input);
  const PageLinks page = Extract(type, input, {});
  CheckLinks(page, input);
  CheckTitle(page.title, input);
  const std::string whole = Text(page);
  for (const Cuts& cuts : WaysToCut(input)) {
    const std::string pieces = Text(Extract(type, input, cuts));
    Check(pieces == whole, "a page is the same however it arrives", {type, input, whole, pieces});
  }
}

}  // namespace trawl

#include "worker/probe/decisions.h"

#include <boost/json.hpp>
#include <cmath>

#include "common/text.h"
#include "common/url.h"
#include "common/utf8.h"
#include "worker/charset.h"
#include "worker/link_extractor.h"
#include "worker/sitemap_parser.h"

namespace trawl {
namespace {

namespace json = boost::json;

/// As much of a URL as robots.txt is asked about. People leave the scheme out, or all but the path.
std::string TargetOf(std::string_view text) {
  Result<Url> url = Url::Parse(text);
  if (!url && text.starts_with("/")) url = Url::Parse("http://host.invalid" + std::string(text));
  if (!url) url = Url::Parse("http://" + std::string(text));
  return url ? std::string(url->target()) : "/";
}

json::value Seconds(std::optional<std::chrono::duration<double>> delay) {
  if (!delay) return nullptr;
  const double seconds = delay->count();
  // Whole numbers read better without an exponent.
  if (seconds == std::floor(seconds)) return static_cast<std::int64_t>(seconds);
  return seconds;
}

}  // namespace

json::object DecideUrl(const UrlRewrite& rewrite, const Question& question) {
  const std::string_view href = question.Text("href");
  const std::string_view base_text = question.TextIfAny("base").value_or("");
  Url base;
  if (!base_text.empty()) {
    const Result<Url> parsed = Url::Parse(base_text);
    if (!parsed && ForeignSchemeOf(base_text).empty()) return {{"url", nullptr}};
    if (parsed) base = *parsed;
  }
  const Result<Url> url = base.Resolve(href);
  if (!url) return {{"url", nullptr}};
  return {{"url", rewrite.Apply(*url).text()}};
}

json::object ExplainRobots(const Robots& robots, std::string_view target) {
  const Robots::Verdict verdict = robots.Explain(target);
  json::object answer{{"allowed", verdict.allowed}, {"rule", nullptr}};
  if (!verdict.rule.empty()) answer["rule"] = ValidUtf8(verdict.rule);
  answer["crawl_delay"] = Seconds(robots.crawl_delay());
  json::array sitemaps;
  for (const std::string& sitemap : robots.sitemaps()) sitemaps.emplace_back(ValidUtf8(sitemap));
  answer["sitemaps"] = std::move(sitemaps);
  return answer;
}

json::object DecideRobots(const Question& question) {
  const Robots robots = Robots::Parse(question.Bytes("robots"), question.Text("agent"));
  return ExplainRobots(robots, TargetOf(question.Text("url")));
}

json::object DecideLinks(const Question& question) {
  const Result<Url> page = Url::Parse(question.Text("base_url"));
  if (!page) throw BadQuestion("'base_url' is nothing that can be crawled");
  const std::optional<std::string> bytes = question.Base64IfAny("html_base64");
  const std::string_view content_type = question.TextIfAny("content_type").value_or("");
  LinkExtractor extractor(*page, bytes ? CharsetLabelOf(content_type) : "utf-8",
                          question.TextIfAny("agent").value_or("trawl"),
                          FallbackEncodingOf(content_type));
  extractor.Feed(bytes ? std::string_view(*bytes) : question.Text("html"));
  const PageLinks links = extractor.Finish();
  return {{"links", json::value_from(links.links)},
          {"title", links.title},
          {"charset", links.charset},
          {"nofollow", links.robots.nofollow},
          {"noindex", links.robots.noindex},
          {"nofollow_links", json::value_from(links.nofollow_links)},
          {"refresh", json::value_from(links.refresh)}};
}

json::object DecideSitemap(const Question& question) {
  const Result<Url> url = Url::Parse(question.Text("url"));
  if (!url) throw BadQuestion("'url' is nothing that can be crawled");
  SitemapParser parser(*url, question.TextIfAny("content_type").value_or(""));
  parser.Feed(question.Bytes("body"));
  const Sitemap sitemap = parser.Finish();
  return {{"urls", json::value_from(sitemap.urls)},
          {"sitemaps", json::value_from(sitemap.sitemaps)},
          {"truncated", sitemap.truncated}};
}

}  // namespace trawl

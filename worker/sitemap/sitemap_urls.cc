#include "worker/sitemap/sitemap_urls.h"

#include "common/text.h"

namespace trawl {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";

bool IsAbsolute(std::string_view text) {
  const std::string scheme = LowerCase(text.substr(0, 8));
  return scheme.starts_with("http:") || scheme.starts_with("https:");
}

/// Begins with a host in place of a scheme. "example.com" alone cannot be told from the name of a
/// file, so it has to be the sitemap's own host or a www one.
bool LacksScheme(std::string_view text, const Url& sitemap) {
  const std::string host = LowerCase(text.substr(0, text.find_first_of("/?#:")));
  return host.starts_with("www.") || host == sitemap.host();
}

}  // namespace

void SitemapUrls::AddReference(Kind kind, std::string_view reference) {
  reference = Trimmed(reference, kBlanks);
  // What begins with an "&" is an entity that was never declared, not the name of a file.
  if (reference.empty() || reference.starts_with('&')) return;
  if (!LacksScheme(reference, sitemap_)) return Add(kind, sitemap_.Resolve(reference));
  Add(kind, Url::Parse(std::string(sitemap_.scheme()) + "://" + std::string(reference)));
}

void SitemapUrls::AddLine(std::string_view line) {
  line = Trimmed(line, kBlanks);
  if (IsAbsolute(line) || LacksScheme(line, sitemap_)) AddReference(Kind::kUrl, line);
}

void SitemapUrls::Add(Kind kind, const Result<Url>& url) {
  if (!url || full()) return;
  const bool is_url = kind == Kind::kUrl;
  if (!(is_url ? seen_urls_ : seen_sitemaps_).insert(FingerprintOf(url->text())).second) return;
  url_bytes_ += url->text().size();
  if (found_.urls.size() + found_.sitemaps.size() >= SitemapParser::kMaxUrls ||
      url_bytes_ > SitemapParser::kMaxUrlBytes) {
    found_.truncated = true;
    return;
  }
  (is_url ? found_.urls : found_.sitemaps).push_back(url->text());
}

}  // namespace trawl

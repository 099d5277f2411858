// The URLs of one sitemap as they are found: resolved, each once, no more than the limits allow.
#pragma once

#include <string_view>
#include <unordered_set>

#include "common/fingerprint.h"
#include "worker/sitemap_parser.h"

namespace trawl {

class SitemapUrls {
 public:
  enum class Kind { kUrl, kSitemap };

  explicit SitemapUrls(Url sitemap) : sitemap_(std::move(sitemap)) {}

  /// A reference as written in XML; a relative one is resolved against the sitemap.
  void AddReference(Kind kind, std::string_view reference);
  /// A line of a text file: a URL or a host with a path, or else it is ignored.
  void AddLine(std::string_view line);

  bool full() const { return found_.truncated; }
  Sitemap Take() { return std::move(found_); }

 private:
  void Add(Kind kind, const Result<Url>& url);

  const Url sitemap_;
  Sitemap found_;
  std::size_t url_bytes_ = 0;
  std::unordered_set<Fingerprint> seen_urls_;
  std::unordered_set<Fingerprint> seen_sitemaps_;
};

}  // namespace trawl

// Finds the URLs that a sitemap lists while its bytes arrive. What it is, is told by its content,
// whatever its type or name say: the XML of sitemaps.org (urlset, sitemapindex), RSS 0.9 to 2.0,
// Atom, or text with a URL on each line; each as it is or gzipped, in any encoding of the Encoding
// Standard.
//
// Lenient as the field is, since sitemaps are never seen by a person: XML is mended (see
// xml_mender.h), namespaces may be wrong or missing, elements may lack their wrapper, and a host
// without a scheme gets the sitemap's. Whatever hosts and folders the URLs are of, they are listed:
// which of them a sitemap may speak for is not decided here. Alternates (xhtml:link), images,
// videos and enclosures are not pages of their own and not listed: the protocol wants an entry for
// each language.
//
// Bounded: reads kMaxBytes, keeps kMaxUrls and kMaxUrlBytes of them. Nothing is fetched, no entity
// is expanded.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/url.h"

namespace trawl {

struct Sitemap {
  std::vector<std::string> urls;      // canonical, in order, each once
  std::vector<std::string> sitemaps;  // those of an index, likewise
  bool truncated = false;  // a limit was reached, or the file is damaged: not all is listed
};

class SitemapParser {
 public:
  /// Decoded bytes that are read: the protocol's limit for a file.
  static constexpr std::size_t kMaxBytes = 50 * 1024 * 1024;
  /// URLs and sitemaps listed. The protocol allows 50,000; files in the wild have more.
  static constexpr std::size_t kMaxUrls = 250'000;
  static constexpr std::size_t kMaxUrlBytes = 32 * 1024 * 1024;

  /// `sitemap` is where it was fetched; `content_type` the header with its parameters.
  SitemapParser(Url sitemap, std::string_view content_type);
  ~SitemapParser();
  SitemapParser(const SitemapParser&) = delete;
  SitemapParser& operator=(const SitemapParser&) = delete;

  void Feed(std::string_view bytes);
  /// Takes no more: a limit was reached, or the file cannot be read further.
  bool done() const;
  /// The end of the file. Called once, last.
  Sitemap Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

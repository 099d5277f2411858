// The URLs of a sitemap or feed in XML, read by libxml2's push parser: no tree, no network, no
// entities but the predefined ones. See sitemap_parser.h for what counts.
#pragma once

#include <memory>
#include <string_view>

#include "worker/sitemap/sitemap_urls.h"

namespace trawl {

class SitemapXml {
 public:
  /// `urls` is borrowed and outlives the reader.
  explicit SitemapXml(SitemapUrls& urls);
  ~SitemapXml();

  /// Takes the next piece of a valid UTF-8 text without byte order mark.
  void Feed(std::string_view text);
  /// The end. A URL that the end cuts off does not count.
  void Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

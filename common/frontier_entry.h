// What the frontier keeps of an admitted URL, and what a lease hands to a worker. Its text is one
// line that a person can read in Redis; parts that have their default are left out from the end:
//
//     entry = url [SP referrer [SP attempt SP hops SP losses [SP sitemap]]]
//     referrer = url / "-"
#pragma once

#include <string>
#include <string_view>

#include "common/error.h"

namespace trawl {

/// Sitemaps below one another that are read: an index in an index is not allowed by the protocol,
/// but used.
inline constexpr int kMaxSitemapLevels = 3;

struct FrontierEntry {
  std::string url;       // canonical
  std::string referrer;  // the page that it was first admitted from; empty for a seed
  int attempt = 0;       // fetches that failed and were worth another try
  int hops = 0;          // redirects that led here in a row
  int losses = 0;        // leases that ended because their worker was lost
  int sitemap = 0;       // 0: a page; n: a sitemap, found through n - 1 other ones

  /// Where what it leads to is found, when it has that depth itself: what a sitemap lists has its
  /// own.
  int DepthOfLinks(int depth) const { return sitemap > 0 ? depth : depth + 1; }

  std::string Text() const;
  /// Error::kBadMessage when the text does not follow the grammar.
  static Result<FrontierEntry> Parse(std::string_view text);

  friend bool operator==(const FrontierEntry&, const FrontierEntry&) = default;
};

}  // namespace trawl

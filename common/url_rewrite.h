// What a crawl may do to canonical URLs when asked, so that a page that a site serves under many
// URLs is fetched once. Immutable after construction; pure.
//
// Parameters are the `&`-separated pieces of a query, and the `;`-separated ones after the last
// segment of a path ("/cart;jsessionid=1"). A name ends at the first "=". Names are compared
// without the case of ASCII letters. ASP.NET's sessions are segments of a path ("/(S(1))/cart").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/options.h"
#include "common/url.h"

namespace trawl {

class UrlRewrite {
 public:
  /// Does what `sort_query`, `strip_params` and `strip_names` of the options say. Sorting is by
  /// name; parameters of one name keep their order, and empty ones go.
  explicit UrlRewrite(const CrawlOptions& options);

  /// The URL itself, or the canonical URL that stands for it. Applying it again changes nothing.
  Url Apply(Url url) const;

 private:
  bool IsStripped(std::string_view parameter) const;
  std::string Path(std::string_view path) const;
  std::string Query(std::string_view query) const;

  bool sort_query_;
  bool strip_known_;
  std::vector<std::string> names_;  // a final `*` stands for any end
};

}  // namespace trawl

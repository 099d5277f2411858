// Sites for crawls: many pages whose links follow from a seed.
#pragma once

#include <cstdint>

#include "tests/support/test_site.h"

namespace trawl {

/// Fills the site with `pages` pages (at least 10) in several folders, joined by links of all
/// kinds: absolute, relative, with queries and fragments, by <base>, frames and meta refresh,
/// through redirects in a row, to missing pages and to other types. The first is "/index.html".
void FillSite(TestSite& site, int pages, std::uint64_t seed);

/// Fills it with the pages "/s/0", "/s/1", ..., each 20 ms late and with links to the next and to
/// 20 others: a fault in the middle of the crawl comes in the middle.
void FillSlowSite(TestSite& site, int pages);

}  // namespace trawl

// Limits on a single canonical URL, which tell the URLs of a crawler trap from those of pages:
// links that a site makes up without end grow longer, or say the same again and again. Pure; quick,
// as every link of every page passes here: linear in the URL's length, and without allocation.
#pragma once

#include <string_view>

#include "common/url.h"

namespace trawl {

/// 0: no limit.
struct UrlLimits {
  int bytes = 2'083;  // Internet Explorer's limit, which sites have kept to ever since
  /// Pieces of the path between its slashes; nothing behind the last slash is none.
  int path_segments = 40;
  /// How often a run of two or more segments may stand in a row; a single one may twice as often,
  /// as dates repeat one by chance ("/2011/11/11/"). Runs longer than kMaxRunSegments are not seen.
  int repeated_segments = 2;
  int query_params = 32;  // pieces of the query between its "&" that are not empty
};

inline constexpr int kMaxRunSegments = 32;

/// The first limit that the URL breaks: "url_length", "path_segments", "repeated_segments" or
/// "query_params". Empty: none.
std::string_view LimitBrokenBy(const Url& url, const UrlLimits& limits);

}  // namespace trawl

#include "common/url_traps.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace trawl {
namespace {

bool Exceeds(std::size_t count, int limit) {
  return limit > 0 && count > static_cast<std::size_t>(limit);
}

std::string_view LimitBrokenByPath(std::string_view path, const UrlLimits& limits) {
  constexpr std::size_t kMaxRun = kMaxRunSegments;
  const std::size_t times = static_cast<std::size_t>(limits.repeated_segments);
  std::array<std::string_view, kMaxRun> last;
  // [N - 1]: how many segments up to this one are each the same as the one N before. A run of N
  // segments stands K times in a row when they are (K - 1) * N.
  std::array<std::size_t, kMaxRun> same{};
  std::size_t count = 0;
  for (std::size_t begin = 1; begin < path.size(); ++count) {
    if (Exceeds(count + 1, limits.path_segments)) return "path_segments";
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    begin = end + 1;
    if (times == 0) continue;
    for (std::size_t run = 1; run <= std::min(count, kMaxRun); ++run) {
      std::size_t& same_as_before = same[run - 1];
      same_as_before = last[(count - run) % kMaxRun] == segment ? same_as_before + 1 : 0;
      if (same_as_before >= run * (run == 1 ? 2 * times : times)) return "repeated_segments";
    }
    last[count % kMaxRun] = segment;
  }
  return {};
}

std::size_t CountParams(std::string_view query) {
  std::size_t params = 0;
  char before = '&';
  for (char c : query) {
    if (before == '&' && c != '&') ++params;
    before = c;
  }
  return params;
}

}  // namespace

std::string_view LimitBrokenBy(const Url& url, const UrlLimits& limits) {
  if (Exceeds(url.text().size(), limits.bytes)) return "url_length";
  if (const auto limit = LimitBrokenByPath(url.path(), limits); !limit.empty()) return limit;
  std::string_view query = url.target().substr(url.path().size());
  if (!query.empty()) query.remove_prefix(1);
  if (Exceeds(CountParams(query), limits.query_params)) return "query_params";
  return {};
}

}  // namespace trawl

// robots.txt by RFC 9309. Pure: bytes in, verdicts out. Immutable once made, so any thread may ask.
//
// Beyond the RFC, because sites rely on it: the misspelt and colon-less lines that Google's parser
// accepts, Crawl-delay, and "Allow: /dir/index.html" also allowing "/dir/".
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/robots_rules.h"

namespace trawl {

/// The name that a User-Agent value, or a line that means one, begins with. Section 2.2.1 allows
/// letters, "-" and "_" only; digits and non-ASCII letters count here too, lest "Agent1" and
/// "Agent2" both shrink to "Agent". Empty when there is none. A part of `value`.
std::string_view ProductToken(std::string_view value);

class Robots {
 public:
  /// No rules: everything is allowed (a 4xx answer, section 2.3.1.3).
  static Robots AllowAll();
  /// Everything is forbidden for now (unreachable, section 2.3.1.4).
  static Robots DisallowAll();
  /// Rules for one crawler from a robots.txt of any bytes. `user_agent` is a product token or a
  /// whole User-Agent value, of which the leading product token counts; matched without case. Bytes
  /// after `kMaxBytes` are ignored, and so are the bytes of a line after `kMaxLineBytes`.
  static Robots Parse(std::string_view body, std::string_view user_agent);

  /// Section 2.5 asks for 500 KiB at least.
  static constexpr std::size_t kMaxBytes = std::size_t{512} * 1024;
  static constexpr std::size_t kMaxLineBytes = 16'664;  // as Google's parser
  /// A longer Crawl-delay counts as this, which any integer duration down to nanoseconds holds.
  static constexpr std::chrono::hours kMaxCrawlDelay{365 * 24};

  struct Verdict {
    bool allowed = true;
    /// The rule that decided, as "Allow: /x" or "Disallow: /y"; empty when none matched.
    std::string rule;
  };

  /// `target` is the path and query of a canonical URL. /robots.txt itself is always allowed.
  bool Allows(std::string_view target) const;
  Verdict Explain(std::string_view target) const;

  /// Crawl-delay of the group that applies, in seconds; not in the RFC, but widely used. The
  /// longest one if there are several.
  std::optional<std::chrono::duration<double>> crawl_delay() const { return crawl_delay_; }
  /// Sitemap lines of the whole file, as written.
  const std::vector<std::string>& sitemaps() const { return sitemaps_; }

 private:
  class Parser;

  /// The rule that decides; null when none matches.
  const RobotsRule* Match(std::string_view target) const;

  RobotsRules rules_;
  std::optional<std::chrono::duration<double>> crawl_delay_;
  std::vector<std::string> sitemaps_;
};

}  // namespace trawl

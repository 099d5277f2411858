// The Allow and Disallow lines that bind one crawler: which of them decides for a path (RFC 9309,
// sections 2.2.2 and 2.2.3). Immutable once made, so any thread may ask.
//
// A site may have thousands of lines, and each of its URLs asks. Patterns without wildcards are
// looked up; those with wildcards are tried one after the other, as far as they would win.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

struct RobotsRule {
  bool allow = false;
  std::string pattern;  // `*` is a wildcard, a final `$` the end, all else literal
  std::string path;     // as written, for people
};

class RobotsRules {
 public:
  RobotsRules() = default;
  explicit RobotsRules(std::vector<RobotsRule> rules);

  /// Octets of `target` that one question may search for what stands behind wildcards, all rules
  /// together: some 30 ms. A file that needs more is not meant for crawlers, and counts as
  /// Disallow.
  static constexpr std::size_t kMaxSearchBytes = std::size_t{8} * 1024 * 1024;

  /// The rule that decides for the path and query of a URL: of those that match the longest, and
  /// Allow before Disallow of the same length. Null when none matches.
  const RobotsRule* Find(std::string_view target) const;

 private:
  /// An index into `rules_`.
  using Rank = std::uint32_t;

  /// The first of the literal rules that match; rules_.size() when there is none. Both take a
  /// normalised target.
  Rank FindPrefix(std::string_view target) const;
  Rank FindWhole(std::string_view target) const;

  std::vector<RobotsRule> rules_;  // patterns normalised; the first one that matches decides
  // Rules without wildcards, in order of their literals, and those with, in order of precedence.
  std::vector<Rank> prefixes_;
  std::vector<Rank> wholes_;  // ended by `$`
  std::vector<Rank> wild_;
};

}  // namespace trawl

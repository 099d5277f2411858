// What a page says of itself to robots, in its head or its response's head. There is no standard;
// the words are those that the large search engines document. Pure.
#pragma once

#include <string_view>

namespace trawl {

struct RobotsDirectives {
  bool noindex = false;   // keep the row, mark it, and do not store the body
  bool nofollow = false;  // do not follow the page's links

  /// Directives of several places add up: the most restrictive counts.
  RobotsDirectives& operator|=(const RobotsDirectives& other) {
    noindex |= other.noindex;
    nofollow |= other.nofollow;
    return *this;
  }
  friend bool operator==(const RobotsDirectives&, const RobotsDirectives&) = default;
};

/// The `content` of a <meta> that NamesRobots(). Words are between commas or blanks, without case;
/// "none" is both directives, and what is unknown means nothing.
RobotsDirectives ParseRobotsMeta(std::string_view content);

/// X-Robots-Tag values, one a line (LF). The words are those of a <meta>, and the name of a crawler
/// with a colon restricts what follows on its line to that crawler, up to the next such name.
/// `user_agent` is a product token or a whole User-Agent.
RobotsDirectives ParseRobotsTag(std::string_view lines, std::string_view user_agent);

/// Whether a <meta> of that name speaks to this crawler: "robots" or its own product token.
bool NamesRobots(std::string_view meta_name, std::string_view user_agent);

}  // namespace trawl

// The content attribute of <meta http-equiv=refresh> ("5; url=next.html").
#pragma once

#include <optional>
#include <string_view>

namespace trawl {

struct Refresh {
  bool reloads = false;        // it names no target: the page itself, after a while
  std::string_view reference;  // of the target otherwise; part of the content
};

/// By the HTML Standard's shared declarative refresh steps; nothing when the content is not valid.
std::optional<Refresh> ParseRefresh(std::string_view content);

}  // namespace trawl

// Finds what a crawler wants in an HTML document while its bytes arrive: links (a[href],
// area[href], iframe[src], frame[src] and meta refresh), the title, the encoding and what the page
// says to robots. Links are those of a browser's document without scripts: canonical, resolved
// against the first <base href>, in document order, each once.
//
// Bounded: of links beyond a number that is given, or beyond kMaxLinkBytes of their text, only the
// mentions are counted; what html::LinkScanner ignores is not seen at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/robots_directives.h"
#include "common/url.h"
#include "worker/charset.h"

namespace trawl {

struct PageLinks {
  std::vector<std::string> links;  // rel=nofollow ones too; the refresh target is not among them
  std::vector<std::string> nofollow_links;  // those of `links` that occur with rel=nofollow only
  std::uint64_t left_out = 0;               // mentions of links beyond the limits
  std::optional<std::string> refresh;  // canonical target of a meta refresh; may be the page itself
  std::string title;                   // valid UTF-8, blanks collapsed; empty without one
  std::string charset;                 // the Encoding Standard's name in lower case
  RobotsDirectives robots;             // of all <meta> that speak to this crawler
};

class LinkExtractor {
 public:
  static constexpr std::size_t kMaxLinks = 100'000;
  static constexpr std::size_t kMaxLinkBytes = 32 * 1024 * 1024;
  static constexpr std::size_t kMaxTitleBytes = 4 * 1024;

  /// `charset_label` is that of the Content-Type header; empty: none. `user_agent`, a product token
  /// or a whole User-Agent, names the crawler that a <meta> may speak to. `fallback` is what the
  /// page is in when nothing tells. Of different links the first `max_links` are taken.
  LinkExtractor(Url page, std::string_view charset_label, std::string_view user_agent,
                Encoding fallback = Encoding::Windows1252(), std::size_t max_links = kMaxLinks);
  ~LinkExtractor();

  void Feed(std::string_view bytes);
  /// The end of the document. Called once, last.
  PageLinks Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

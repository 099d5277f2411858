// Finds what a crawler wants in an HTML document while its bytes arrive: links (a[href],
// area[href], iframe[src], frame[src] and meta refresh), the title and the charset. Links are
// canonical, resolved against the first <base href>, in document order, each once.
//
// Bounded: after kMaxLinks different references or kMaxReferenceBytes of them the rest is ignored,
// so is what follows a comment or script of more than 16 MiB, and of a tag or text what goes beyond
// 64 KiB.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/url.h"

namespace trawl {

struct PageLinks {
  std::vector<std::string> links;      // the refresh target not among them
  std::optional<std::string> refresh;  // canonical target of a meta refresh
  std::string title;                   // valid UTF-8, blanks collapsed; empty without one
  std::string charset;                 // lower case
};

class LinkExtractor {
 public:
  static constexpr std::size_t kMaxLinks = 250'000;
  static constexpr std::size_t kMaxReferenceBytes = 32 * 1024 * 1024;
  static constexpr std::size_t kMaxTitleBytes = 4 * 1024;

  /// `charset` is the label of the Content-Type header; empty: none.
  LinkExtractor(Url page, std::string_view charset);
  ~LinkExtractor();

  void Feed(std::string_view bytes);
  /// The end of the document. Called once, last.
  PageLinks Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The target of a meta refresh's content attribute ("5; url=next.html"), by the HTML Standard's
/// shared declarative refresh steps; nothing when it has none of its own or is not valid.
std::optional<std::string_view> RefreshTarget(std::string_view content);

}  // namespace trawl

// What html::LinkScanner finds in a document, however its bytes are cut.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "worker/html/link_scanner.h"

namespace trawl::html {

struct Scanned {
  std::vector<std::string> links;
  std::vector<std::string> nofollow_links;
  std::vector<std::string> bases;
  std::vector<std::string> titles;
  std::vector<std::string> metas;  // "name=content", "refresh=content"

  friend bool operator==(const Scanned&, const Scanned&) = default;
};

inline Scanned ScanPieces(const std::vector<std::string>& pieces) {
  LinkScanner scanner;
  for (const std::string& piece : pieces) scanner.Feed(piece);
  scanner.Finish();
  Scanned scanned;
  scanner.ForEach([&](LinkScanner::Kind kind, std::string_view text) {
    switch (kind) {
      case LinkScanner::Kind::kNofollowLink:
        scanned.nofollow_links.emplace_back(text);
        [[fallthrough]];
      case LinkScanner::Kind::kLink:
        scanned.links.emplace_back(text);
        break;
      case LinkScanner::Kind::kBase:
        scanned.bases.emplace_back(text);
        break;
      case LinkScanner::Kind::kTitle:
        scanned.titles.emplace_back(text);
        break;
    }
  });
  for (const LinkScanner::Meta& meta : scanner.metas()) {
    scanned.metas.push_back((meta.refreshes ? "refresh" : meta.name) + "=" + meta.content);
  }
  return scanned;
}

/// In one piece; and the same comes of every cut into two, and of its bytes one by one.
inline Scanned Scan(const std::string& html) {
  const Scanned whole = ScanPieces({html});
  for (std::size_t cut = 1; cut < html.size(); ++cut) {
    EXPECT_EQ(ScanPieces({html.substr(0, cut), html.substr(cut)}), whole)
        << html << "\ncut after " << html.substr(0, cut);
  }
  std::vector<std::string> bytes;
  for (const char byte : html) bytes.emplace_back(1, byte);
  EXPECT_EQ(ScanPieces(bytes), whole) << html << "\nbyte by byte";
  return whole;
}

struct ScanCase {
  std::string html;
  std::vector<std::string> links;
};

inline void ExpectLinks(const std::vector<ScanCase>& cases) {
  for (const auto& [html, links] : cases) EXPECT_EQ(Scan(html).links, links) << html;
}

}  // namespace trawl::html

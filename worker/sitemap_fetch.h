// One leased sitemap from its response to its report: lists its URLs and writes the row. Its type
// does not matter, as its content tells what it is. A sitemap that goes on after the limits of
// SitemapParser is fetched no further and counts as fetched with what came before; its row says so.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "common/fingerprint.h"
#include "worker/fetch_result.h"
#include "worker/page_fetch.h"
#include "worker/sitemap_parser.h"

namespace trawl {

class SitemapFetch : public FetchObserver {
 public:
  using Done = PageFetch::Done;

  /// `context` is borrowed and outlives the fetch.
  SitemapFetch(const PageContext& context, WorkItem item, Url url, Done done);

  static FetchRequest RequestFor(const PageContext& context, Url url);

  BodyWish OnHead(const ResponseHead& head) override;
  boost::system::error_code OnBody(std::string_view bytes) override;
  void OnDone(FetchOutcome outcome) override;

 private:
  const PageContext& context_;
  WorkItem item_;  // until it is done
  const Url url_;
  const std::chrono::system_clock::time_point fetched_at_;
  Done done_;
  BodyDigest digest_;
  std::optional<SitemapParser> parser_;  // once there is a body that may be a sitemap
};

}  // namespace trawl

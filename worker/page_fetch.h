// One leased URL from its response to its report: reads what is wanted of the body, finds the
// links, asks the page parser, and writes the row.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/fingerprint.h"
#include "common/robots_directives.h"
#include "proto/messages.h"
#include "worker/charset.h"
#include "worker/fetch_result.h"
#include "worker/http/fetcher.h"
#include "worker/link_extractor.h"
#include "worker/page_parser.h"
#include "worker/work_queue.h"

namespace trawl {

/// What all fetches of a worker share; outlives them.
struct PageContext {
  CrawlSettings settings;
  std::string worker;
  PageParser& parser;

  bool WantsType(std::string_view content_type) const;
  /// With the job's limits, and leave to reach a private address where the job gives it.
  FetchRequest RequestFor(Url url) const;
};

class PageFetch : public FetchObserver {
 public:
  /// Gets the item back.
  using Done = std::function<void(WorkItem item, PageResult result)>;

  /// `context` is borrowed and outlives the fetch.
  PageFetch(const PageContext& context, WorkItem item, Url url, Done done);

  BodyWish OnHead(const ResponseHead& head) override;
  boost::system::error_code OnBody(std::string_view bytes) override;
  void OnDone(FetchOutcome outcome) override;

 private:
  std::vector<std::string> LinksToFollow(PageLinks links) const;
  std::string Row(const FetchOutcome& outcome, const PageLinks& links) const;
  boost::json::object Fields(const ResponseHead& head, const PageLinks& links) const;

  const PageContext& context_;
  WorkItem item_;  // until it is done
  const Url url_;
  const std::chrono::system_clock::time_point fetched_at_;
  Done done_;
  bool wanted_ = false;
  BodyDigest digest_;
  std::optional<LinkExtractor> extractor_;
  RobotsDirectives directives_;         // what the page asks of robots, as far as the job obeys
  bool keeps_body_ = false;             // for a parser that wants it
  std::optional<PageDecoder> decoder_;  // of an HTML page
  std::string body_;
};

}  // namespace trawl

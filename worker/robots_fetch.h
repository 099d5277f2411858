// Fetches the robots.txt of an origin and says what RFC 9309, section 2.3.1, makes of the answer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/robots.h"
#include "common/url.h"
#include "proto/messages.h"
#include "worker/http/fetcher.h"
#include "worker/page_fetch.h"

namespace trawl {

struct RobotsResponse {
  enum class Kind {
    kRules,        // 2xx: `body` has them
    kAllowAll,     // 4xx without 429, a redirect to nowhere, or more redirects than are followed
    kUnavailable,  // 429, 5xx, or no whole answer: nothing may be fetched for now
  };
  Kind kind = Kind::kUnavailable;
  std::string body;  // kRules: at most Robots::kMaxBytes, the rest does not count
  // kUnavailable:
  Error reason = Error::kRobots;  // or why there was no answer at all
  std::string detail;             // for people
  bool permanent = false;         // another try has no better end

  /// What was asked, in order, and what came of it.
  struct Hop {
    Url url;
    FetchOutcome outcome;
  };
  std::vector<Hop> hops;
};

/// What may be fetched after this answer, for now.
Robots RulesOf(const RobotsResponse& response, std::string_view user_agent);

/// What the coordinator is told of it. A failure has the reason of the request only when the host
/// was never reached: else it is its robots.txt that is amiss.
RobotsReport ReportOf(std::string origin, RobotsResponse response);

/// RFC 9309, section 2.3.1.2.
inline constexpr int kMaxRobotsRedirects = 5;

/// Asks for the robots.txt of the origin of `url`, wherever redirects lead. `fetcher` and `context`
/// are borrowed and outlive the fetch. `on_sent` is that of each request.
void FetchRobots(Fetcher& fetcher, const PageContext& context, const Url& url,
                 std::function<void(RobotsResponse)> done, std::function<void()> on_sent = {});

}  // namespace trawl

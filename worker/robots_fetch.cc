#include "worker/robots_fetch.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "common/utf8.h"

namespace trawl {
namespace {

struct Callbacks {
  std::function<void(RobotsResponse)> done;
  std::function<void()> on_sent;
};

void FetchHop(Fetcher& fetcher, const PageContext& context, Url url, RobotsResponse response,
              Callbacks callbacks);

/// One request of the way to a robots.txt.
/// A part of the file (206), for which nobody asked, is none.
bool IsWhole(int status) { return IsSuccess(status) && status != 206; }

class RobotsHop : public FetchObserver {
 public:
  RobotsHop(Fetcher& fetcher, const PageContext& context, Url url, RobotsResponse response,
            Callbacks callbacks)
      : fetcher_(fetcher),
        context_(context),
        url_(std::move(url)),
        response_(std::move(response)),
        callbacks_(std::move(callbacks)) {}

  BodyWish OnHead(const ResponseHead& head) override {
    return IsWhole(head.status) ? BodyWish::kRead : BodyWish::kSkip;
  }

  boost::system::error_code OnBody(std::string_view bytes) override {
    response_.body += bytes.substr(0, Robots::kMaxBytes - response_.body.size());
    // What follows is ignored, so it need not be read.
    return response_.body.size() == Robots::kMaxBytes ? make_error_code(Error::kTooLarge)
                                                      : boost::system::error_code();
  }

  void OnDone(FetchOutcome outcome) override {
    const int status = outcome.head.status;
    response_.hops.push_back({url_, outcome});
    if (outcome.error && response_.body.size() < Robots::kMaxBytes) {
      Fail(outcome);
    } else if (IsWhole(status)) {
      response_.kind = RobotsResponse::Kind::kRules;
    } else if (status >= 300 && status < 400) {
      const Result<Url> next = url_.Resolve(outcome.head.location);
      if (!outcome.head.location.empty() && next &&
          response_.hops.size() <= static_cast<std::size_t>(kMaxRobotsRedirects)) {
        return FetchHop(fetcher_, context_, *next, std::move(response_), std::move(callbacks_));
      }
      response_.kind = RobotsResponse::Kind::kAllowAll;
    } else if (status >= 400 && status < 500 && status != 429) {
      response_.kind = RobotsResponse::Kind::kAllowAll;
    } else {
      response_.kind = RobotsResponse::Kind::kUnavailable;
      response_.detail = "robots.txt answered with HTTP status " + std::to_string(status);
    }
    callbacks_.done(std::move(response_));
  }

 private:
  void Fail(const FetchOutcome& outcome) {
    const bool ours = outcome.error.category() == ErrorCategory();
    response_.kind = RobotsResponse::Kind::kUnavailable;
    response_.reason = ours ? static_cast<Error>(outcome.error.value()) : Error::kRobots;
    response_.detail = "robots.txt: " + outcome.detail;
    response_.permanent = outcome.permanent;
    response_.body.clear();
  }

  Fetcher& fetcher_;
  const PageContext& context_;
  const Url url_;
  RobotsResponse response_;
  Callbacks callbacks_;
};

/// The hops share the time that one fetch has. A hop to the same host does not wait out its delay:
/// a redirect of robots.txt is part of the one answer that the whole host waits for.
void FetchHop(Fetcher& fetcher, const PageContext& context, Url url, RobotsResponse response,
              Callbacks callbacks) {
  FetchRequest request = context.RequestFor(url);
  for (const RobotsResponse::Hop& hop : response.hops) request.limits.total -= hop.outcome.elapsed;
  request.limits.total = std::max(request.limits.total, milliseconds(1));
  request.on_sent = callbacks.on_sent;
  request.accept = "text/plain,*/*;q=0.5";
  // The limit of pages is not one for robots.txt, of which reading stops at Robots::kMaxBytes.
  request.limits.body_bytes = std::numeric_limits<std::uint64_t>::max();
  auto observer = std::make_unique<RobotsHop>(fetcher, context, std::move(url), std::move(response),
                                              std::move(callbacks));
  fetcher.Start(std::move(request), std::move(observer));
}

}  // namespace

Robots RulesOf(const RobotsResponse& response, std::string_view user_agent) {
  switch (response.kind) {
    case RobotsResponse::Kind::kRules:
      return Robots::Parse(response.body, user_agent);
    case RobotsResponse::Kind::kAllowAll:
      return Robots::AllowAll();
    case RobotsResponse::Kind::kUnavailable:
      break;
  }
  return Robots::DisallowAll();
}

RobotsReport ReportOf(std::string origin, RobotsResponse response) {
  RobotsReport report;
  report.origin = std::move(origin);
  if (!response.hops.empty()) report.status = response.hops.back().outcome.head.status;
  switch (response.kind) {
    case RobotsResponse::Kind::kRules:
      report.result = RobotsFile{std::move(response.body)};
      break;
    case RobotsResponse::Kind::kAllowAll:
      report.result = RobotsAllowAll{};
      break;
    case RobotsResponse::Kind::kUnavailable:
      const bool reached =
          std::any_of(response.hops.begin(), response.hops.end(),
                      [](const auto& hop) { return !hop.outcome.remote_address.empty(); });
      // Details quote what a site has sent, which may be no text, or too long for a message.
      report.result = RobotsFailure{reached ? Error::kRobots : response.reason,
                                    std::string(CutUtf8(ValidUtf8(response.detail), kMaxTextBytes)),
                                    response.permanent && !reached};
      break;
  }
  return report;
}

void FetchRobots(Fetcher& fetcher, const PageContext& context, const Url& url,
                 std::function<void(RobotsResponse)> done, std::function<void()> on_sent) {
  // An origin is canonical, so this is too.
  const Url robots_url = Url::Parse(std::string(url.origin()) + "/robots.txt").value();
  FetchHop(fetcher, context, robots_url, {}, {std::move(done), std::move(on_sent)});
}

}  // namespace trawl

#include "worker/probe/fetch_probe.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "common/scope.h"
#include "common/url_rewrite.h"
#include "common/utf8.h"
#include "coordinator/report_rules.h"
#include "worker/host_cookies.h"
#include "worker/http/fetcher.h"
#include "worker/page_fetch.h"
#include "worker/probe/decisions.h"
#include "worker/robots_fetch.h"

namespace trawl {
namespace {

namespace json = boost::json;

/// Listens in on a page's fetch.
class Listener : public FetchObserver {
 public:
  Listener(std::unique_ptr<PageFetch> page, FetchOutcome& outcome)
      : page_(std::move(page)), outcome_(outcome) {}

  BodyWish OnHead(const ResponseHead& head) override { return page_->OnHead(head); }
  boost::system::error_code OnBody(std::string_view bytes) override { return page_->OnBody(bytes); }
  void OnDone(FetchOutcome outcome) override {
    outcome_ = outcome;
    page_->OnDone(std::move(outcome));
  }

 private:
  const std::unique_ptr<PageFetch> page_;
  FetchOutcome& outcome_;  // outlives the fetch
};

ReportRules RulesOf(const CrawlOptions& crawl) {
  std::string complaint;
  std::optional<Scope> scope = Scope::Make(crawl, complaint);
  if (!scope) throw std::invalid_argument(complaint);
  return ReportRules(crawl, std::move(*scope));
}

/// One request, as it went over the wire.
void Describe(const FetchOutcome& outcome, json::object& hop) {
  hop["status"] = nullptr;
  if (outcome.head.status != 0) hop["status"] = outcome.head.status;
  hop["address"] = nullptr;
  if (!outcome.remote_address.empty()) hop["address"] = outcome.remote_address;
  hop["elapsed_ms"] = outcome.elapsed.count();
  hop["wire_bytes"] = outcome.wire_bytes;
  if (outcome.error) hop["error"] = ValidUtf8(outcome.detail);
}

/// What became of a URL, in the words of the crawl's results.
void Describe(const Outcome& outcome, json::object& hop) {
  if (const auto* redirected = std::get_if<Redirected>(&outcome)) {
    hop["outcome"] = "redirected";
    hop["to"] = redirected->to;
  } else if (const auto* failed = std::get_if<Failed>(&outcome)) {
    hop["outcome"] = "failed";
    hop["reason"] = ReasonWord(failed->reason);
    hop["detail"] = ValidUtf8(failed->detail);
  } else {
    hop["outcome"] = "fetched";
  }
}

bool Answered(const Outcome& outcome) {
  const auto* failed = std::get_if<Failed>(&outcome);
  return failed == nullptr || failed->reason == Error::kHttpStatus ||
         failed->reason == Error::kContentType;
}

}  // namespace

class FetchProbe::Impl {
 public:
  explicit Impl(const ProbeOptions& options)
      : max_redirects_(static_cast<std::size_t>(options.crawl.max_hops)),
        rewrite_(options.crawl),
        rules_(RulesOf(options.crawl)),
        context_{rules_.settings(), "trawl-probe", parser_},
        fetcher_(io_, {.user_agent = options.crawl.user_agent,
                       .dns_servers = options.dns,
                       .ca_file = options.ca_file,
                       .insecure = options.crawl.insecure,
                       .proxy = ParseProxy(options.crawl.proxy)}) {}

  Report Fetch(Url url) {
    Report report;
    url = rewrite_.Apply(std::move(url));
    report.json["url"] = url.text();
    json::array hops;
    std::vector<Url> asked;
    for (;;) {
      json::object& hop = hops.emplace_back(json::object{{"url", url.text()}}).get_object();
      asked.push_back(url);
      PageResult result;
      if (const auto refusal = AskRobots(url, hop)) {
        result.outcome = *refusal;
      } else {
        result = FetchPage(url, hop);
      }
      Describe(result.outcome, hop);
      const auto* redirected = std::get_if<Redirected>(&result.outcome);
      std::optional<Url> next;
      if (redirected != nullptr) {
        hop["target"] = Follow(*redirected, asked, next);
      }
      if (next) {
        url = *next;
        continue;
      }
      Conclude(result, hop, report);
      break;
    }
    report.json["hops"] = std::move(hops);
    return report;
  }

 private:
  struct Known {
    RobotsResponse response;
    Robots rules;
  };

  void RunUntil(const bool& done) {
    io_.restart();
    while (!done && io_.run_one() > 0) {
    }
    if (!done) throw std::logic_error("nothing to wait for");
  }

  const Known& RobotsOf(const Url& url) {
    const std::string origin(url.origin());
    if (const auto found = robots_.find(origin); found != robots_.end()) return found->second;
    bool done = false;
    RobotsResponse response;
    FetchRobots(fetcher_, context_, url, [&](RobotsResponse answer) {
      response = std::move(answer);
      done = true;
    });
    RunUntil(done);
    Robots rules = RulesOf(response, context_.settings.user_agent);
    return robots_.emplace(origin, Known{std::move(response), std::move(rules)}).first->second;
  }

  /// Tells what robots.txt says; a failure when it forbids the URL.
  std::optional<Failed> AskRobots(const Url& url, json::object& hop) {
    hop["robots"] = nullptr;
    if (context_.settings.ignore_robots) return std::nullopt;
    const auto& [response, rules] = RobotsOf(url);
    json::object robots = ExplainRobots(rules, url.target());
    const bool allowed = robots["allowed"].as_bool();
    // Without a file there is no rule either.
    if (response.kind != RobotsResponse::Kind::kRules) robots["rule"] = nullptr;
    json::array requests;
    for (const RobotsResponse::Hop& asked : response.hops) {
      json::object request{{"url", asked.url.text()}};
      Describe(asked.outcome, request);
      requests.push_back(std::move(request));
    }
    robots["requests"] = std::move(requests);
    hop["robots"] = std::move(robots);
    if (allowed) return std::nullopt;
    const bool unavailable = response.kind == RobotsResponse::Kind::kUnavailable;
    return Failed{unavailable ? response.reason : Error::kRobots,
                  unavailable ? response.detail : "robots.txt does not allow it", 0};
  }

  PageResult FetchPage(const Url& url, json::object& hop) {
    bool done = false;
    PageResult result;
    FetchOutcome outcome;
    WorkItem item;
    item.entry.url = url.text();
    auto page = std::make_unique<PageFetch>(context_, std::move(item), url,
                                            [&](const WorkItem&, PageResult got) {
                                              result = std::move(got);
                                              done = true;
                                            });
    FetchRequest request = context_.RequestFor(url);
    std::unique_ptr<FetchObserver> observer = std::make_unique<Listener>(std::move(page), outcome);
    if (context_.settings.cookies) {
      observer = cookies_.Carry(std::string(url.authority()), request, std::move(observer));
    }
    fetcher_.Start(std::move(request), std::move(observer));
    RunUntil(done);
    Describe(outcome, hop);
    return result;
  }

  /// What a crawl without scope makes of a redirect's target, and the target if it is fetched.
  std::string_view Follow(const Redirected& redirected, const std::vector<Url>& asked,
                          std::optional<Url>& next) const {
    const Result<Url> parsed = Url::Parse(redirected.to);
    if (!redirected.crawlable || !parsed) return "malformed";
    const Url target = rewrite_.Apply(*parsed);
    if (asked.size() > max_redirects_) return "too_many";
    if (!rules_.MayReach(target)) return "address";
    if (std::find(asked.begin(), asked.end(), target) != asked.end()) return "seen";
    next = target;
    return "admitted";
  }

  static void Conclude(const PageResult& result, const json::object& last, Report& report) {
    for (const char* key : {"outcome", "target", "reason", "detail", "status"}) {
      if (const json::value* value = last.if_contains(key)) report.json[key] = *value;
    }
    if (!result.row.empty()) {
      const json::value row = json::parse(result.row);
      for (const auto& [key, value] : row.as_object()) {
        if (key == "url" || key == "depth" || key == "referrer" || key == "worker") continue;
        report.json[key] = value;
      }
    }
    report.answered = Answered(result.outcome);
  }

  const std::size_t max_redirects_;
  const UrlRewrite rewrite_;
  const ReportRules rules_;
  boost::asio::io_context io_{1};
  TitleParser parser_;
  PageContext context_;
  Fetcher fetcher_;
  HostCookies cookies_;
  std::map<std::string, Known> robots_;  // by origin
};

FetchProbe::FetchProbe(const ProbeOptions& options) : impl_(std::make_unique<Impl>(options)) {}
FetchProbe::~FetchProbe() = default;
FetchProbe::Report FetchProbe::Fetch(const Url& url) { return impl_->Fetch(url); }

}  // namespace trawl

#include "worker/robots_cache.h"

#include <limits>

namespace trawl {
namespace {

constexpr milliseconds kKeepRules = std::chrono::hours(24);
/// How long an origin counts as unreachable before it is asked again.
constexpr milliseconds kKeepFailure = std::chrono::minutes(1);
constexpr int kMaxHops = 5;  // RFC 9309, section 2.3.1.2

/// What a fetch of robots.txt led to: rules, a failure, or another place to look.
struct Answer {
  RobotsCache::Entry entry;
  milliseconds keep = kKeepRules;
  std::string redirect;
};

class RobotsFetch : public FetchObserver {
 public:
  RobotsFetch(std::string user_agent, std::function<void(Answer)> done)
      : user_agent_(std::move(user_agent)), done_(std::move(done)) {}

  BodyWish OnHead(const ResponseHead& head) override {
    return head.status >= 200 && head.status < 300 ? BodyWish::kRead : BodyWish::kSkip;
  }

  boost::system::error_code OnBody(std::string_view bytes) override {
    body_ += bytes.substr(0, Robots::kMaxBytes - body_.size());
    // What follows is ignored, so it need not be read.
    return body_.size() == Robots::kMaxBytes ? make_error_code(Error::kTooLarge)
                                             : boost::system::error_code();
  }

  void OnDone(FetchOutcome outcome) override {
    const int status = outcome.head.status;
    const bool whole = !outcome.error || body_.size() == Robots::kMaxBytes;
    Answer answer;
    if (!whole) {
      const bool ours = outcome.error.category() == ErrorCategory();
      answer.entry = {Robots::DisallowAll(),
                      ours ? static_cast<Error>(outcome.error.value()) : Error::kRobots,
                      "robots.txt: " + outcome.detail};
      answer.keep = kKeepFailure;
    } else if (status >= 200 && status < 300) {
      answer.entry = {Robots::Parse(body_, user_agent_), Error::kRobots,
                      "robots.txt does not allow it"};
    } else if (status >= 300 && status < 400) {
      answer.redirect = outcome.head.location;
      answer.entry = {Robots::AllowAll(), Error::kRobots, {}};
    } else if (status >= 400 && status < 500 && status != 429) {
      answer.entry = {Robots::AllowAll(), Error::kRobots, {}};
    } else {
      answer.entry = {Robots::DisallowAll(), Error::kRobots,
                      "robots.txt answered with HTTP status " + std::to_string(status)};
      answer.keep = kKeepFailure;
    }
    done_(std::move(answer));
  }

 private:
  const std::string user_agent_;
  std::function<void(Answer)> done_;
  std::string body_;
};

std::string RobotsUrl(const Url& url) { return std::string(url.origin()) + "/robots.txt"; }

}  // namespace

RobotsCache::RobotsCache(Fetcher& fetcher, const PageContext& context)
    : fetcher_(fetcher), context_(context) {}

const RobotsCache::Entry* RobotsCache::Find(const Url& url, TimePoint now) {
  const auto found = origins_.find(std::string(url.origin()));
  if (found == origins_.end() || found->second.until <= now) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return &found->second.entry;
}

void RobotsCache::Ask(const Url& url, std::function<void(const Entry&)> done) {
  const Result<Url> robots_url = Url::Parse(RobotsUrl(url));
  if (!robots_url) {  // cannot be, as the origin is canonical
    return done(Keep(std::string(url.origin()),
                     {Robots::DisallowAll(), Error::kRobots, "no robots.txt for this origin"},
                     kKeepFailure));
  }
  Fetch(*robots_url, std::string(url.origin()), 0, std::move(done));
}

void RobotsCache::Fetch(Url robots_url, std::string origin, int hops,
                        std::function<void(const Entry&)> done) {
  FetchRequest request = context_.RequestFor(robots_url);
  request.accept = "text/plain,*/*;q=0.5";
  // The limit of pages is not one for robots.txt, of which reading stops at Robots::kMaxBytes.
  request.limits.body_bytes = std::numeric_limits<std::uint64_t>::max();
  auto observer = std::make_unique<RobotsFetch>(
      context_.settings.user_agent,
      [this, robots_url, origin, hops, done = std::move(done)](Answer answer) {
        const Result<Url> next = robots_url.Resolve(answer.redirect);
        if (!answer.redirect.empty() && next && hops < kMaxHops) {
          return Fetch(*next, origin, hops + 1, done);
        }
        done(Keep(origin, std::move(answer.entry), answer.keep));
      });
  fetcher_.Start(std::move(request), std::move(observer));
}

const RobotsCache::Entry& RobotsCache::Keep(const std::string& origin, Entry entry,
                                            milliseconds age) {
  const auto found = origins_.find(origin);
  if (found != origins_.end()) {
    uses_.erase(found->second.use);
    origins_.erase(found);
  }
  if (origins_.size() >= kMaxOrigins) {
    origins_.erase(uses_.back());
    uses_.pop_back();
  }
  uses_.push_front(origin);
  const auto now = std::chrono::steady_clock::now();
  return origins_.emplace(origin, Kept{std::move(entry), now + age, uses_.begin()})
      .first->second.entry;
}

}  // namespace trawl

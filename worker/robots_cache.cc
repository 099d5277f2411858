#include "worker/robots_cache.h"

#include "worker/robots_fetch.h"

namespace trawl {
namespace {

constexpr milliseconds kKeepRules = std::chrono::hours(24);
/// How long an origin counts as unreachable before it is asked again.
constexpr milliseconds kKeepFailure = std::chrono::minutes(1);

RobotsCache::Entry EntryOf(RobotsResponse response, std::string_view user_agent) {
  Robots rules = RulesOf(response, user_agent);
  if (response.kind != RobotsResponse::Kind::kUnavailable) {
    return {std::move(rules), Error::kRobots, "robots.txt does not allow it"};
  }
  return {std::move(rules), response.reason, std::move(response.detail)};
}

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
  FetchRobots(
      fetcher_, context_, url,
      [this, origin = std::string(url.origin()), done = std::move(done)](RobotsResponse response) {
        const bool failed = response.kind == RobotsResponse::Kind::kUnavailable;
        Entry entry = EntryOf(std::move(response), context_.settings.user_agent);
        done(Keep(origin, std::move(entry), failed ? kKeepFailure : kKeepRules));
      });
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

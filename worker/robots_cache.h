// The robots.txt of each origin, fetched once and kept for a day. Bounded: beyond kMaxOrigins the
// longest unused one is forgotten. Lives on the loop's thread.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <unordered_map>

#include "common/clock.h"
#include "common/robots.h"
#include "common/url.h"
#include "worker/http/fetcher.h"
#include "worker/page_fetch.h"

namespace trawl {

class RobotsCache {
 public:
  static constexpr std::size_t kMaxOrigins = 10'000;

  /// What is known of an origin.
  struct Entry {
    Robots rules;
    /// kRobots, or what went wrong when robots.txt could not be had: then nothing may be fetched,
    /// and this is the reason.
    Error reason = Error::kRobots;
    std::string detail;

    bool Allows(const Url& url) const { return rules.Allows(url.target()); }
  };

  /// All are borrowed and outlive the cache.
  RobotsCache(Fetcher& fetcher, const PageContext& context);

  /// Nullptr when robots.txt of the URL's origin has to be asked for. Valid until the next call.
  const Entry* Find(const Url& url, TimePoint now);

  /// Asks the origin of the URL; then Find() has an answer and `done` is called.
  void Ask(const Url& url, std::function<void(const Entry&)> done);

 private:
  struct Kept {
    Entry entry;
    TimePoint until;
    std::list<std::string>::iterator use;
  };

  const Entry& Keep(const std::string& origin, Entry entry, milliseconds age);

  Fetcher& fetcher_;
  const PageContext& context_;
  std::unordered_map<std::string, Kept> origins_;
  std::list<std::string> uses_;  // latest first
};

}  // namespace trawl

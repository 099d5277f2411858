// Whole crawls of random webs, in virtual time, against a breadth-first search.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "tests/support/simulated_crawl.h"

namespace trawl {
namespace {

/// Longer than any shortest path of a RandomWeb.
constexpr int kNoDepthLimit = 1'000;

/// TRAWL_SIMULATION_SEED replays the one seed of a failure.
bool IsWanted(std::uint64_t seed) {
  static const char* const only = std::getenv("TRAWL_SIMULATION_SEED");
  return only == nullptr || std::to_string(seed) == only;
}

/// Crawls the random web of each seed and compares pages and depths; the seed of a failure is
/// shown. Without a depth, one is drawn for each web. `moves`: where SimulatedCrawl's are added.
void CrawlManyWebs(std::uint64_t first_seed, int webs, SimulatedFaults most, RoundMode rounds,
                   std::optional<int> depth = {}, std::map<Admission::Was, int>* moves = nullptr) {
  for (std::uint64_t seed = first_seed; seed < first_seed + webs; ++seed) {
    if (!IsWanted(seed)) continue;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto draw = [&](int least, int greatest) {
      return std::uniform_int_distribution<int>(least, greatest)(random);
    };
    const RandomWeb web = RandomWeb::Make(random);
    CoordinatorOptions options;
    options.job = "simulated";
    options.lease_timeout = milliseconds(4'000);
    options.crawl.seeds = web.seeds;
    options.crawl.depth = depth ? *depth : draw(0, 6);
    options.crawl.scope = ScopeKind::kAny;
    options.crawl.rounds = rounds;
    options.crawl.max_hops = 100;
    options.crawl.host_connections = draw(0, 3) > 0 ? draw(1, 6) : draw(7, 40);
    options.crawl.host_delay = milliseconds(draw(0, 1) * 20);
    options.crawl.robots_retries = RandomWeb::kMostRobotsFailures + draw(0, 1);
    options.crawl.robots_retry_delay = milliseconds(draw(0, 3) * 200);
    options.crawl.sitemaps = draw(0, 1) == 1;
    options.crawl.retries = draw(0, RandomWeb::kMostFailures);
    options.crawl.retry_delay = milliseconds(draw(0, 3) * 100);
    const int retries = options.crawl.retries;
    const SimulatedFaults faults{draw(0, most.kills),
                                 draw(0, most.cuts),
                                 draw(0, most.restarts),
                                 draw(0, most.pauses),
                                 draw(0, most.store_losses),
                                 draw(0, most.lost_in_thousand),
                                 draw(0, most.repeated_in_thousand)};

    SimulatedCrawl crawl(seed, options, web, faults);
    ASSERT_TRUE(crawl.Run()) << crawl.violation();
    if (moves) {
      for (const auto& [was, count] : crawl.moves()) (*moves)[was] += count;
    }

    std::map<std::string, int> wanted =
        web.Depths(options.crawl.depth, options.crawl.sitemaps, retries);
    const auto forbidden = static_cast<std::uint64_t>(std::count_if(
        wanted.begin(), wanted.end(), [&](const auto& url) { return web.IsForbidden(url.first); }));
    std::erase_if(wanted, [&](const auto& url) { return !web.IsPage(url.first, retries); });
    std::map<std::string, int> crawled;
    for (const SimulatedCrawl::Row& row : crawl.Pages()) {
      ASSERT_TRUE(crawled.emplace(row.url, row.depth).second) << row.url << " came twice";
    }
    const auto stats = crawl.store().stats();
    const auto stat = [&](const char* name) { return stats.contains(name) ? stats.at(name) : 0; };
    if (rounds == RoundMode::kExact) {
      ASSERT_EQ(crawled, wanted);
      ASSERT_EQ(stat("failed:robots"), forbidden);
    } else {
      // A page may be found on a longer way first, so near the limit some may stay out of reach.
      for (const auto& [url, found_at] : crawled) {
        ASSERT_TRUE(wanted.contains(url)) << url;
        ASSERT_LE(wanted[url], found_at) << url;
        ASSERT_LE(found_at, options.crawl.depth) << url;
      }
      if (depth == kNoDepthLimit) {
        ASSERT_EQ(crawled.size(), wanted.size());
      }
    }
    ASSERT_EQ(stat("admitted"), stat("fetched") + stat("redirected") + stat("failed"));
    ASSERT_EQ(stat("fetched"), crawled.size());
    ASSERT_EQ(crawl.store().job().at("state"), "finished");
    for (const auto& [origin, fetches] : crawl.robots_fetches()) {
      if (!faults.none()) break;
      const std::string host(AuthorityOf(origin + "/"));
      const int needed = std::min(web.robots_failures.at(host), options.crawl.robots_retries) + 1;
      ASSERT_GE(fetches, needed) << origin;
      // One that is under way is in vain when the host asks for fewer requests meanwhile.
      if (!web.MayBeOverloaded(host)) {
        ASSERT_EQ(fetches, needed) << origin;
      }
    }
  }
}

TEST(SimulatedCrawl, FetchesNoMorePagesOfAHostThanItMayHave) {
  for (std::uint64_t seed = 500'001; seed < 501'001; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const RandomWeb web = RandomWeb::Make(random);
    CoordinatorOptions options;
    options.job = "simulated";
    options.lease_timeout = milliseconds(4'000);
    options.crawl.seeds = web.seeds;
    options.crawl.depth = kNoDepthLimit;
    options.crawl.scope = ScopeKind::kAny;
    options.crawl.host_delay = milliseconds(0);
    options.crawl.max_pages_per_host = std::uniform_int_distribution<int>(1, 8)(random);
    SimulatedCrawl crawl(seed, options, web, {.kills = 1, .cuts = 1, .restarts = 1});
    ASSERT_TRUE(crawl.Run()) << crawl.violation();
    std::map<std::string, std::uint64_t> pages;
    for (const SimulatedCrawl::Row& row : crawl.Pages()) ++pages[std::string(AuthorityOf(row.url))];
    for (const auto& [host, count] : pages) {
      ASSERT_LE(count, options.crawl.max_pages_per_host) << host;
    }
    const auto stats = crawl.store().stats();
    ASSERT_EQ(stats.at("admitted"),
              stats.at("fetched") + stats.at("redirected") + stats.at("failed"));
    std::map<std::string, std::uint64_t> reachable;
    for (const auto& [url, depth] : web.Depths(kNoDepthLimit, false, options.crawl.retries)) {
      reachable[std::string(AuthorityOf(url))] += web.IsPage(url, options.crawl.retries) ? 1 : 0;
    }
    if (stats.contains("dropped:pages_per_host")) continue;
    ASSERT_EQ(stats.at("fetched"),
              std::accumulate(reachable.begin(), reachable.end(), std::uint64_t{0},
                              [](auto sum, const auto& host) { return sum + host.second; }));
  }
}

TEST(SimulatedCrawl, GoesDeeperFromWhereItEndedAsIfItHadNot) {
  for (std::uint64_t seed = 600'001; seed < 602'001; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto draw = [&](int least, int greatest) {
      return std::uniform_int_distribution<int>(least, greatest)(random);
    };
    const RandomWeb web = RandomWeb::Make(random);
    CoordinatorOptions options;
    options.job = "simulated";
    options.lease_timeout = milliseconds(4'000);
    options.crawl.seeds = web.seeds;
    options.crawl.depth = draw(0, 3);
    options.crawl.scope = ScopeKind::kAny;
    options.crawl.max_hops = 100;
    options.crawl.host_delay = milliseconds(0);
    options.crawl.robots_retries = RandomWeb::kMostRobotsFailures;
    options.crawl.robots_retry_delay = milliseconds(200);
    options.crawl.sitemaps = draw(0, 1) == 1;
    SimulatedCrawl crawl(seed, options, web,
                         {.kills = draw(0, 1), .restarts = draw(0, 2), .store_losses = draw(0, 2)});
    for (int times = draw(1, 3); times >= 0; --times) {
      if (times > 0 && draw(0, 1) == 1) {  // cut short by a kill
        crawl.Run(milliseconds(draw(0, 5'000)));
        ASSERT_EQ(crawl.violation(), "");
        options.crawl.depth += draw(0, 3);
        crawl.Resume(options);
        continue;
      }
      ASSERT_TRUE(crawl.Run()) << crawl.violation();
      std::map<std::string, int> wanted =
          web.Depths(options.crawl.depth, options.crawl.sitemaps, options.crawl.retries);
      std::erase_if(wanted,
                    [&](const auto& url) { return !web.IsPage(url.first, options.crawl.retries); });
      std::map<std::string, int> crawled;
      for (const SimulatedCrawl::Row& row : crawl.Pages()) {
        ASSERT_TRUE(crawled.emplace(row.url, row.depth).second) << row.url << " came twice";
      }
      ASSERT_EQ(crawled, wanted) << "depth " << options.crawl.depth;
      const auto& stats = crawl.store().stats();
      ASSERT_EQ(stats.at("admitted"),
                stats.at("fetched") + stats.at("redirected") + stats.at("failed"));
      if (times == 0) break;
      options.crawl.depth += draw(0, 3);
      crawl.Resume(options);
    }
  }
}

TEST(SimulatedCrawl, FetchesWhatABreadthFirstSearchDoesAtTheSameDepths) {
  std::map<Admission::Was, int> moves;
  CrawlManyWebs(1, 3'000, {}, RoundMode::kExact, {}, &moves);
  if (std::getenv("TRAWL_SIMULATION_SEED")) return;
  for (const Admission::Was was :
       {Admission::Was::kWaiting, Admission::Was::kLeased, Admission::Was::kDelayed,
        Admission::Was::kFetched, Admission::Was::kRedirected, Admission::Was::kFailed}) {
    EXPECT_GT(moves[was], 0) << "rounds have not overlapped so: " << static_cast<int>(was);
  }
}

TEST(SimulatedCrawl, LosesNothingWhenWorkersDieOrAreCutOff) {
  CrawlManyWebs(100'001, 2'000, {.kills = 1, .cuts = 1}, RoundMode::kExact);
}

TEST(SimulatedCrawl, LosesNothingWhenTheCoordinatorIsStartedAgain) {
  CrawlManyWebs(200'001, 2'000, {.kills = 1, .cuts = 1, .restarts = 2, .pauses = 1},
                RoundMode::kExact);
}

TEST(SimulatedCrawl, LosesNothingWhateverFailsAtAnyMessageAndAnyCallOfTheStore) {
  CrawlManyWebs(700'001, 4'000,
                {.kills = 1,  // with the cut two losses: the third would end a URL
                 .cuts = 1,
                 .restarts = 2,
                 .pauses = 1,
                 .store_losses = 4,
                 .lost_in_thousand = 30,
                 .repeated_in_thousand = 100},
                RoundMode::kExact);
}

TEST(SimulatedCrawl, FindsEveryPageInFreeModeToo) {
  CrawlManyWebs(300'001, 1'000, {.kills = 1, .cuts = 1, .restarts = 1, .store_losses = 1},
                RoundMode::kFree, kNoDepthLimit);
}

TEST(SimulatedCrawl, KeepsTheDepthLimitInFreeMode) {
  CrawlManyWebs(400'001, 1'000, {.kills = 1}, RoundMode::kFree);
}

}  // namespace
}  // namespace trawl

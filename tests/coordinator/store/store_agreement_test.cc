// Both implementations of coordinator/store/store.h do the same, whatever is asked of them.

#include <algorithm>
#include <random>

#include "tests/coordinator/store/store_fixture.h"

namespace trawl {
namespace {

class RandomSteps {
 public:
  explicit RandomSteps(unsigned seed) : random_(seed) {}

  Step Next() {
    switch (Pick(17)) {
      case 0:
        return AdmitStep{Pick(4), Some(5), Some(3), Pick(2) ? "" : "http://r/robots.txt",
                         SomeDomains()};
      case 1:
      case 2:
      case 3:
        return LeaseStep{++last_lease_ - (Pick(8) == 0),
                         "w",
                         HostName(Pick(kHosts)),
                         Pick(open_ + 3),
                         Pick(5),
                         1 + Pick(3)};
      case 4:
        return ExpireStep{RecentLease(), Pick(3) > 0};
      case 15:
        return WakeStep{kNoon + milliseconds(Pick(kLongestDelay)), 1 + Pick(9), Pick(9) == 0};
      case 16:
        return GiveUpStep{HostName(Pick(kHosts)), Pick(open_ + 2),
                          static_cast<std::uint64_t>(Pick(3)), Error::kTimeout};
      case 14:
        return SetLimitsStep{static_cast<std::uint64_t>(Pick(2) * (8 + Pick(20))),
                             static_cast<std::uint64_t>(Pick(4))};
      case 5:
        if (Pick(6) > 0) return ReadControlStep{};
        return OpenRoundStep{open_ = std::max(open_, Pick(5))};
      case 6:
        return ReadOutboxStep{static_cast<std::uint64_t>(Pick(40)), Pick(30)};
      case 7:
        return SaveJobStep{{{"state", std::to_string(Pick(3))}}};
      case 8:
        return ReadRobotsStep{"http://" + HostName(Pick(kHosts)), kNoon + SomeHours()};
      case 9:
        return KeepRobotsStep{"http://" + HostName(Pick(kHosts)), RobotsRecords()[Pick(4)],
                              kNoon + SomeHours()};
      default:
        return RandomAccept();
    }
  }

 private:
  static constexpr int kHosts = 4;
  static constexpr int kLongestDelay = 1'000'000'000;  // so that no two are equal

  int Pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  static std::string HostName(int host) { return "host" + std::to_string(host); }
  LeaseId RecentLease() { return last_lease_ - std::min<LeaseId>(last_lease_, Pick(6)); }

  std::chrono::hours SomeHours() { return std::chrono::hours(20 + Pick(4)); }

  Candidate One() {
    return Offer("http://" + HostName(Pick(kHosts)) + '/' + std::to_string(Pick(40)));
  }
  std::vector<Candidate> Some(int below) {
    std::vector<Candidate> some(Pick(below));
    for (Candidate& candidate : some) candidate = One();
    return some;
  }

  AcceptStep RandomAccept() {
    AcceptStep step{RecentLease(), Pick(5), Some(6), RandomEnding()};
    step.is_sitemap = Pick(3) == 0;
    if (Pick(3) == 0) step.beyond = Some(4);
    if (step.is_sitemap) step.sitemaps = Some(3);
    if (Pick(3) == 0) step.drops["scope"] = Pick(9);
    step.domains = SomeDomains();
    step.now = kNoon;
    if (Pick(4) == 0) step.pause = milliseconds(Pick(kLongestDelay));
    return step;
  }

  Domains SomeDomains() {
    Domains domains;
    for (int hosts = Pick(kHosts); hosts > 0; --hosts) domains[HostName(Pick(kHosts))] = "domain";
    return domains;
  }

  std::optional<Ending> RandomEnding() {
    if (Pick(5) == 0) return std::nullopt;
    Ending ending = Ended(static_cast<Ending::Kind>(Pick(5)), "row " + std::to_string(Pick(100)));
    ending.reason = Pick(2) ? Error::kDns : Error::kTls;
    ending.body_bytes = Pick(1000);
    ending.links = Pick(9);
    ending.delay = milliseconds(Pick(kLongestDelay));
    if (ending.kind != Ending::Kind::kRedirected) return ending;
    if (Pick(4) > 0) {
      ending.target = One();
      ending.target_hops = Pick(3);
    } else {
      ending.refusal = "scope";
    }
    return ending;
  }

  std::mt19937 random_;
  LeaseId last_lease_ = 0;
  int open_ = 0;
};

class RandomCrawl : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCrawl, testing::Range(1u, 21u));

TEST_P(RandomCrawl, GoesAlikeInMemoryAndInRedis) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  MemoryBackend memory_backend;
  RedisBackend redis_backend;
  StoreUser memory(memory_backend);
  StoreUser redis(redis_backend);
  memory.Open();
  redis.Open();
  RandomSteps steps(GetParam());
  for (int i = 0; i < 60; ++i) {
    std::vector<Step> together;
    for (int n = 0; n < 5; ++n) together.push_back(steps.Next());
    const std::vector<Result<Reply>> replies = redis.Apply(together);
    for (std::size_t n = 0; n < together.size(); ++n) {
      ASSERT_EQ(Text(replies[n]), Text(memory.Apply(together[n])))
          << "step " << i << '.' << n << ", alternative " << together[n].index();
    }
    if (i % 3 != 2) continue;
    const Snapshot snapshot = redis.Open();
    ASSERT_EQ(Text(snapshot), Text(memory.Open())) << "after step " << i;
    ExpectBalance(snapshot);
  }
}

}  // namespace
}  // namespace trawl

// The step that the coordinator takes for each URL, without the store: a URL is added to its host
// queue, leased with others and ended, over many hosts that take turns.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "coordinator/frontier.h"

namespace trawl {
namespace {

constexpr int kUrlsPerHost = 8;
constexpr int kNoLimit = 1'000;

void FrontierStep(benchmark::State& state) {
  const auto hosts = static_cast<std::size_t>(state.range(0));
  const milliseconds delay(state.range(1));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < hosts; ++i)
    names.push_back("www.host-" + std::to_string(i) + ".test");
  Frontier frontier(RoundMode::kExact, {2, delay});
  for (const std::string& host : names) frontier.Probed(host, milliseconds(0));
  TimePoint now = TimePoint() + std::chrono::hours(1);
  std::int64_t urls = 0;
  for (auto _ : state) {
    for (const std::string& host : names) {
      for (int i = 0; i < kUrlsPerHost; ++i) frontier.Add(host, 0);
    }
    while (const auto grant = frontier.Lease(1, kNoLimit, now)) {
      frontier.At(grant->host).HeldBy("worker");
      for (int left = grant->terms.count; left > 0; --left) {
        frontier.At(grant->host).Requested(now);
        const int freed = left <= grant->terms.connections ? 1 : 0;
        frontier.Release(grant->host, freed, left == 1);
        ++urls;
      }
    }
    now += milliseconds(1'000);
  }
  state.SetItemsProcessed(urls);
  if (frontier.waiting() > 0) state.SkipWithError("URLs were left");
}

BENCHMARK(FrontierStep)
    ->ArgNames({"hosts", "delay_ms"})
    ->Args({1, 0})
    ->Args({1'000, 0})
    ->Args({1'000, 250})
    ->Args({100'000, 250});

}  // namespace
}  // namespace trawl

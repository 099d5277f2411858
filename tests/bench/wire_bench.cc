// How fast messages become bytes and bytes checked messages: every URL passes here several times.
#include <benchmark/benchmark.h>

#include <string>

#include "proto/messages.h"

namespace trawl {
namespace {

constexpr int kReports = 30;  // that travel together
constexpr int kEntries = 200;

std::string UrlOf(int number) {
  return "http://www.example.org/docs/current/page-" + std::to_string(number) + ".html";
}

Reports SomeReports(int links) {
  Reports reports;
  for (int i = 0; i < kReports; ++i) {
    Report report;
    report.sequence = i + 1;
    report.lease_id = (std::uint64_t{1} << 40) + 1;
    report.index = i;
    report.entry = {UrlOf(i), UrlOf(0)};
    for (int link = 0; link < links; ++link) report.links.push_back(UrlOf(1'000 * i + link));
    report.outcome = Fetched{14'000, static_cast<std::uint64_t>(links), 0};
    report.elapsed = milliseconds(3);
    reports.reports.push_back(std::move(report));
  }
  return reports;
}

Lease SomeLease() {
  Lease lease;
  lease.lease_id = 1;
  lease.host = "www.example.org";
  for (int i = 0; i < kEntries; ++i) lease.entries.push_back({UrlOf(i), UrlOf(0)});
  return lease;
}

void EncodeReports(benchmark::State& state) {
  const ToCoordinator message = SomeReports(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(Encode(message));
  state.SetItemsProcessed(state.iterations() * kReports);
}
BENCHMARK(EncodeReports)->ArgName("links")->Arg(0)->Arg(10)->Arg(100);

void DecodeReports(benchmark::State& state) {
  const std::string bytes = Encode(ToCoordinator(SomeReports(static_cast<int>(state.range(0)))));
  for (auto _ : state) benchmark::DoNotOptimize(DecodeToCoordinator(bytes));
  state.SetItemsProcessed(state.iterations() * kReports);
}
BENCHMARK(DecodeReports)->ArgName("links")->Arg(0)->Arg(10)->Arg(100);

void EncodeLease(benchmark::State& state) {
  const ToWorker message = SomeLease();
  for (auto _ : state) benchmark::DoNotOptimize(Encode(message));
  state.SetItemsProcessed(state.iterations() * kEntries);
}
BENCHMARK(EncodeLease);

void DecodeLease(benchmark::State& state) {
  const std::string bytes = Encode(ToWorker(SomeLease()));
  for (auto _ : state) benchmark::DoNotOptimize(DecodeToWorker(bytes));
  state.SetItemsProcessed(state.iterations() * kEntries);
}
BENCHMARK(DecodeLease);

}  // namespace
}  // namespace trawl

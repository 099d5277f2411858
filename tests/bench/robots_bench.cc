// How fast a robots.txt answers: each URL of its host asks once.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <vector>

#include "common/robots.h"

namespace trawl {
namespace {

// A body as long as is read, of the lines that `rule` makes from 0, 1, 2 ...
template <class Rule>
std::string Body(Rule rule) {
  std::string body = "User-agent: *\n";
  for (std::size_t i = 0; body.size() < Robots::kMaxBytes - 100; ++i) body += rule(i);
  return body;
}

std::string Number(std::size_t i) { return std::to_string(i * 7919 % 100000); }

// As shops and wikis have it: thousands of folders and pages, now and then one allowed again.
std::string Folders() {
  return Body([](std::size_t i) {
    const char* const allow = i % 8 == 0 ? "Allow" : "Disallow";
    return std::string(allow) + ": /section-" + std::to_string(i % 97) + "/item-" + Number(i) +
           "/\n";
  });
}

// Each of a few thousand with wildcards, which have no literal start to look them up by.
std::string Wildcards() {
  return Body([](std::size_t i) { return "Disallow: /*/" + Number(i) + "/*.pdf$\n"; });
}

// One rule in twenty has wildcards.
std::string Mixed() {
  return Body([](std::size_t i) {
    if (i % 20 == 0) return "Disallow: /*?*session" + Number(i) + "=\n";
    return "Disallow: /section-" + std::to_string(i % 97) + "/item-" + Number(i) + "/\n";
  });
}

// Made to be slow: all begin alike, and each wildcard finds places to go on from.
std::string Hostile() {
  return Body([](std::size_t i) { return "Disallow: /a*a*a*a*a*a*a*a*a*b" + Number(i) + "\n"; });
}

void Parse(benchmark::State& state, std::string (*body)()) {
  const std::string text = body();
  for (auto _ : state) benchmark::DoNotOptimize(Robots::Parse(text, "trawl"));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void Allows(benchmark::State& state, std::string (*body)(), const std::string& target) {
  const Robots robots = Robots::Parse(body(), "trawl");
  for (auto _ : state) benchmark::DoNotOptimize(robots.Allows(target));
}

const std::string kPage = "/section-12/item-90210-with-a-name/reviews.html?page=2&sort=newest";
const std::string kBlocked = "/section-1/item-7919/reviews.html?page=2&sort=newest";
const std::string kEscaped = "/section-12/%E4%BD%A0%E5%A5%BD/item%20with%20escapes.html?q=%7e";
const std::string kManyAs = "/" + std::string(2000, 'a');

BENCHMARK_CAPTURE(Parse, folders, Folders);
BENCHMARK_CAPTURE(Parse, wildcards, Wildcards);
BENCHMARK_CAPTURE(Parse, hostile, Hostile);
BENCHMARK_CAPTURE(Allows, folders_no_rule, Folders, kPage);
BENCHMARK_CAPTURE(Allows, folders_rule, Folders, kBlocked);
BENCHMARK_CAPTURE(Allows, folders_escapes, Folders, kEscaped);
BENCHMARK_CAPTURE(Allows, mixed, Mixed, kPage);
BENCHMARK_CAPTURE(Allows, wildcards, Wildcards, kPage);
BENCHMARK_CAPTURE(Allows, hostile, Hostile, kManyAs);

}  // namespace
}  // namespace trawl

// How fast references become canonical URLs: each link of each page passes here.
#include <benchmark/benchmark.h>

#include <string_view>

#include "common/url.h"

namespace trawl {
namespace {

constexpr std::string_view kBase = "https://www.example.org/docs/current/tutorial/index.html";

struct Reference {
  const char* name;
  std::string_view text;
};

// Each of about 80 bytes, but for the short ones.
constexpr Reference kReferences[] = {
    {"absolute", "https://www.example.org/docs/current/reference/functions-aggregate.html?tab=2&x"},
    {"absolute_elsewhere",
     "http://blog.example.com/2026/01/an-article-with-a-name-in-words/comments.html?p=2"},
    {"upper_case_host",
     "https://WWW.Example.ORG/docs/current/reference/functions-aggregate.html?tab=2&x=1"},
    {"root_relative",
     "/docs/current/reference/functions-aggregate/with-a-rather-long-name.html?tab=2&xy"},
    {"path_relative",
     "functions-aggregate/with-a-rather-long-name/of-a-page-in-a-folder.html?tab=2&x=12"},
    {"parent", "../../old/functions-aggregate/with-a-rather-long-name/of-a-page-in-a/index.html?t"},
    {"fragment_only", "#section-2"},
    {"short", "sql-select.html"},
    {"escapes",
     "/docs/current/%e4%bd%a0%e5%a5%bd/a%20name%2dwith%20escapes/index.html?q=a%2fb&r=%7e"},
    {"utf8_path",
     "/docs/current/\xE4\xBD\xA0\xE5\xA5\xBD/einf\xC3\xBChrung/index.html?q=gr\xC3\xBC\xC3\x9F"
     "e&page=2&x"},
    {"idn_host",
     "https://b\xC3\xBC"
     "cher.example/docs/current/reference/functions-aggregate.html?tab=2"},
    {"ace_host",
     "https://xn--bcher-kva.example/docs/current/reference/functions-aggregate.html?t=2"},
};

void Resolve(benchmark::State& state, Reference reference) {
  const Url base = Url::Parse(kBase).value();
  for (auto _ : state) benchmark::DoNotOptimize(base.Resolve(reference.text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * reference.text.size()));
}

const bool kRegistered = [] {
  for (const Reference& reference : kReferences) {
    benchmark::RegisterBenchmark(("Resolve/" + std::string(reference.name)).c_str(), Resolve,
                                 reference);
  }
  return true;
}();

}  // namespace
}  // namespace trawl

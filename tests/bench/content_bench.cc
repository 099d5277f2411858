// How fast content codings are undone. Bytes a second are those of the decoded pages.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/support/test_page.h"
#include "worker/http/content_decoder.h"

namespace trawl {
namespace {

constexpr std::size_t kChunkBytes = 16 * 1024;  // as from a socket

/// A page of 39 kB, with words that differ enough to be no feast for a coding.
std::string SomePage() {
  std::string page = "<!DOCTYPE html><html><body>";
  for (std::uint32_t i = 1; page.size() < 39'000; ++i) {
    page += "<p><a href=\"page-" + std::to_string(i * 2'654'435'761u) + ".html\">Section " +
            std::to_string(i) + "</a> tells what the function of that number returns.</p>\n";
  }
  return page;
}

void Decode(benchmark::State& state, std::string_view coding, const std::string& encoded) {
  ContentDecoder decoder;
  std::uint64_t decoded = 0;
  const ContentDecoder::Sink sink = [&](std::string_view bytes) {
    decoded += bytes.size();
    return boost::system::error_code();
  };
  for (auto _ : state) {
    bool well = !decoder.Start(coding, 1 << 20);
    for (std::string_view rest = encoded; well && !rest.empty();) {
      well = !decoder.Write(rest.substr(0, kChunkBytes), sink);
      rest.remove_prefix(std::min(kChunkBytes, rest.size()));
    }
    if (!well || decoder.Finish()) return state.SkipWithError("the body was not decoded");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(decoded));
}

const bool kRegistered = [] {
  const std::string page = SomePage();
  const struct {
    const char* name;
    const char* coding;
    std::string body;
  } kBodies[] = {
      {"identity", "", page},
      {"gzip", "gzip", Encode(Coding::kGzip, page)},
      {"br", "br", Encode(Coding::kBrotli, page)},
      {"zstd", "zstd", Encode(Coding::kZstd, page)},
  };
  for (const auto& [name, coding, body] : kBodies) {
    benchmark::RegisterBenchmark((std::string("Decode/") + name).c_str(), Decode, coding, body);
  }
  return true;
}();

}  // namespace
}  // namespace trawl

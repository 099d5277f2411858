#include "tests/fuzz/fuzz.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "common/fingerprint.h"

namespace trawl {
namespace {

/// Single cuts that are tried of one input.
constexpr std::size_t kMaxSingleCuts = 16;

void Print(std::string_view bytes) {
  for (const unsigned char c : bytes) {
    std::fprintf(stderr, c >= 0x20 && c < 0x7F && c != '\\' ? "%c" : "\\x%02X", c);
  }
}

}  // namespace

void Check(bool holds, std::string_view rule, std::initializer_list<std::string_view> values) {
  if (holds) return;
  Print(rule);
  for (const std::string_view value : values) {
    std::fputs("\n  \"", stderr);
    Print(value);
    std::fputc('"', stderr);
  }
  std::fputc('\n', stderr);
  std::abort();
}

std::string_view TakeLine(std::string_view& input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return line;
}

std::vector<Cuts> WaysToCut(std::string_view input) {
  std::vector<Cuts> ways;
  // Not the standard's distributions, which differ between libraries.
  std::mt19937_64 random(static_cast<std::uint64_t>(FingerprintOf(input)));
  Cuts& bytes = ways.emplace_back();
  for (std::size_t at = 1; at < input.size(); ++at) bytes.push_back(at);

  const std::size_t places = input.size() + 1;
  for (std::size_t i = 0; i < std::min(places, kMaxSingleCuts); ++i) {
    ways.push_back({places <= kMaxSingleCuts ? i : random() % places});
  }
  for (const std::size_t cuts : {std::size_t{3}, input.size() / 16, input.size() / 3}) {
    Cuts& way = ways.emplace_back();
    for (std::size_t i = 0; i < cuts; ++i) way.push_back(random() % places);
    std::sort(way.begin(), way.end());
  }
  return ways;
}

void FeedPieces(std::string_view input, const Cuts& cuts,
                const std::function<void(std::string_view piece)>& feed) {
  const auto feed_copy = [&](std::size_t begin, std::size_t end) {
    const std::size_t size = end - begin;
    const auto copy = std::make_unique<char[]>(size);
    std::copy_n(input.data() + begin, size, copy.get());
    feed({copy.get(), size});
  };
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    feed_copy(begin, cut);
    begin = cut;
  }
  feed_copy(begin, input.size());
}

}  // namespace trawl

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trawl::FuzzOne({reinterpret_cast<const char*>(data), size});
  return 0;
}

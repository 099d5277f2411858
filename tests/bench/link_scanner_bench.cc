// Links of real pages. Bytes a second are those of the pages.
#include <benchmark/benchmark.h>
#include <libxml/HTMLparser.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/real_pages.h"
#include "worker/html/link_scanner.h"
#include "worker/link_extractor.h"

namespace trawl {
namespace {

constexpr std::size_t kChunkBytes = 16 * 1024;  // as from a socket
constexpr std::size_t kMaxBytes = 64 * 1024 * 1024;

const std::vector<std::string>& Read(const RealPages& from) {
  static std::vector<std::string> pages;
  static const char* read = nullptr;
  if (read == from.name) return pages;
  read = from.name;
  pages.clear();
  std::size_t bytes = 0;
  for (const std::filesystem::path& file : PageFiles(from)) {
    pages.push_back(ReadPage(file));
    bytes += pages.back().size();
    if (bytes > kMaxBytes) break;
  }
  return pages;
}

template <class Feed>
void FeedChunks(std::string_view page, Feed feed) {
  for (; !page.empty(); page.remove_prefix(std::min(kChunkBytes, page.size()))) {
    feed(page.substr(0, kChunkBytes));
  }
}

template <class ScanPage>
void ScanAll(benchmark::State& state, const RealPages& from, ScanPage scan_page) {
  const std::vector<std::string>& pages = Read(from);
  if (pages.empty()) {
    state.SkipWithError("no such pages are installed");
    return;
  }
  std::size_t bytes = 0;
  std::size_t links = 0;
  for (auto _ : state) {
    for (const std::string& page : pages) {
      links += scan_page(page);
      bytes += page.size();
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["links"] =
      benchmark::Counter(static_cast<double>(links), benchmark::Counter::kAvgIterations);
}

void Scanner(benchmark::State& state, const RealPages& from) {
  ScanAll(state, from, [](const std::string& page) {
    html::LinkScanner scanner;
    FeedChunks(page, [&](std::string_view chunk) { scanner.Feed(chunk); });
    scanner.Finish();
    std::size_t links = 0;
    scanner.ForEach([&](html::LinkScanner::Kind kind, std::string_view) {
      links +=
          kind == html::LinkScanner::Kind::kLink || kind == html::LinkScanner::Kind::kNofollowLink;
    });
    return links;
  });
}

void Extractor(benchmark::State& state, const RealPages& from) {
  const Url url = Url::Parse("http://docs.test/html/page.html").value();
  ScanAll(state, from, [&](const std::string& page) {
    LinkExtractor extractor(url, "utf-8", "trawl");
    FeedChunks(page, [&](std::string_view chunk) { extractor.Feed(chunk); });
    return extractor.Finish().links.size();
  });
}

void LibxmlSax(benchmark::State& state, const RealPages& from) {
  htmlSAXHandler sax{};
  sax.startElement = [](void* links, const xmlChar* name, const xmlChar** attributes) {
    if (name[0] != 'a' || name[1] != '\0') return;
    for (; attributes && attributes[0]; attributes += 2) {
      if (xmlStrEqual(attributes[0], reinterpret_cast<const xmlChar*>("href"))) {
        ++*static_cast<std::size_t*>(links);
      }
    }
  };
  ScanAll(state, from, [&](const std::string& page) {
    std::size_t links = 0;
    const std::unique_ptr<htmlParserCtxt, decltype(&htmlFreeParserCtxt)> parser(
        htmlCreatePushParserCtxt(&sax, &links, nullptr, 0, nullptr, XML_CHAR_ENCODING_UTF8),
        &htmlFreeParserCtxt);
    FeedChunks(page, [&](std::string_view chunk) {
      htmlParseChunk(parser.get(), chunk.data(), static_cast<int>(chunk.size()), 0);
    });
    htmlParseChunk(parser.get(), nullptr, 0, 1);
    return links;
  });
}

const bool kRegistered = [] {
  const struct {
    const char* name;
    void (*run)(benchmark::State&, const RealPages&);
  } kFinders[] = {{"Scanner/", Scanner}, {"Extractor/", Extractor}, {"LibxmlSax/", LibxmlSax}};
  for (const RealPages& from : kRealPages) {
    for (const auto& [name, run] : kFinders) {
      benchmark::RegisterBenchmark((name + std::string(from.name)).c_str(), run, from)
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace trawl

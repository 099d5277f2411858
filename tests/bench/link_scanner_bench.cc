// Links of real pages: the HTML of three documentation packages of Debian, each as far as it is
// installed. Bytes a second are those of the pages.
#include <benchmark/benchmark.h>
#include <libxml/HTMLparser.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "worker/html/link_scanner.h"
#include "worker/link_extractor.h"

namespace trawl {
namespace {

constexpr std::size_t kChunkBytes = 16 * 1024;  // as from a socket
constexpr std::size_t kMaxBytes = 64 * 1024 * 1024;

const std::vector<std::string>& Pages(const std::string& folder) {
  static std::vector<std::string> pages;
  static std::string read;
  if (read == folder) return pages;
  read = folder;
  pages.clear();
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file() && entry.path().extension() == ".html") files.push_back(entry);
  }
  std::sort(files.begin(), files.end());
  std::size_t bytes = 0;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    pages.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
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
void ScanAll(benchmark::State& state, const std::string& folder, ScanPage scan_page) {
  const std::vector<std::string>& pages = Pages(folder);
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

void Scanner(benchmark::State& state, const std::string& folder) {
  ScanAll(state, folder, [](const std::string& page) {
    html::LinkScanner scanner;
    FeedChunks(page, [&](std::string_view chunk) { scanner.Feed(chunk); });
    scanner.Finish();
    std::size_t links = 0;
    scanner.ForEach([&](html::LinkScanner::Kind kind, std::string_view) {
      links += kind == html::LinkScanner::Kind::kLink;
    });
    return links;
  });
}

void Extractor(benchmark::State& state, const std::string& folder) {
  const Url url = Url::Parse("http://docs.test/html/page.html").value();
  ScanAll(state, folder, [&](const std::string& page) {
    LinkExtractor extractor(url, "utf-8", "trawl");
    FeedChunks(page, [&](std::string_view chunk) { extractor.Feed(chunk); });
    return extractor.Finish().links.size();
  });
}

void LibxmlSax(benchmark::State& state, const std::string& folder) {
  htmlSAXHandler sax{};
  sax.startElement = [](void* links, const xmlChar* name, const xmlChar** attributes) {
    if (name[0] != 'a' || name[1] != '\0') return;
    for (; attributes && attributes[0]; attributes += 2) {
      if (xmlStrEqual(attributes[0], reinterpret_cast<const xmlChar*>("href"))) {
        ++*static_cast<std::size_t*>(links);
      }
    }
  };
  ScanAll(state, folder, [&](const std::string& page) {
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

constexpr char kPostgresql[] = "/usr/share/doc/postgresql-doc-15/html";
constexpr char kCppreference[] = "/usr/share/cppreference/doc/html";
constexpr char kPython[] = "/usr/share/doc/python3.11-doc/html";

BENCHMARK_CAPTURE(Scanner, postgresql, kPostgresql)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Extractor, postgresql, kPostgresql)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(LibxmlSax, postgresql, kPostgresql)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Scanner, cppreference, kCppreference)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Extractor, cppreference, kCppreference)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(LibxmlSax, cppreference, kCppreference)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Scanner, python, kPython)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Extractor, python, kPython)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(LibxmlSax, python, kPython)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trawl

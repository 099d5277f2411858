#include <iostream>
#include <string_view>

#include "coordinator/results/exporter.h"

int main(int argc, char** argv) {
  constexpr std::string_view kUsage =
      "usage: trawl-export DIR\n"
      "Makes pages.jsonl, redirects.jsonl and errors.jsonl in DIR from the rows in DIR/parts.\n";
  const std::string_view argument = argc == 2 ? argv[1] : "";
  if (argument == "--help") {
    std::cout << kUsage;
    return 0;
  }
  if (argument == "--version") {
    std::cout << TRAWL_VERSION "\n";
    return 0;
  }
  if (argc != 2 || argument.starts_with("-")) {
    std::cerr << "trawl-export: name one folder of results (see --help)\n";
    return 2;
  }
  try {
    const trawl::ExportCounts counts = trawl::ExportRows(argv[1]);
    std::cout << "results in " << argv[1] << ": pages.jsonl (" << counts.pages
              << "), redirects.jsonl (" << counts.redirects << "), errors.jsonl (" << counts.errors
              << ")\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "trawl-export: " << error.what() << "\n";
    return 1;
  }
}

// The pages of Debian's documentation packages, as far as they are installed: HTML as people and
// their tools write it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

namespace trawl {

struct RealPages {
  const char* name;
  const char* folder;
};

inline constexpr RealPages kRealPages[] = {
    {"postgresql", "/usr/share/doc/postgresql-doc-15/html"},
    {"cppreference", "/usr/share/cppreference/doc/html"},
    {"python", "/usr/share/doc/python3.11-doc/html"},
};

/// Sorted; empty when the package is not installed.
inline std::vector<std::filesystem::path> PageFiles(const RealPages& pages) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(pages.folder, error)) {
    if (entry.is_regular_file() && entry.path().extension() == ".html") files.push_back(entry);
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline std::string ReadPage(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace trawl

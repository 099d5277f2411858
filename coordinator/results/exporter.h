// Makes pages.jsonl, redirects.jsonl and errors.jsonl of a job from its part files: every URL that
// ended, once. part_files.h tells what is read. Memory is bounded, however many rows there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace trawl {

struct ExportCounts {
  std::uint64_t pages = 0;
  std::uint64_t redirects = 0;
  std::uint64_t errors = 0;
  std::uint64_t refused = 0;   // rows that did not count
  std::uint64_t repeated = 0;  // rows of pages that have a later one
};

/// What is held in memory is about three times as much.
inline constexpr std::size_t kExportSortBytes = 64 * 1024 * 1024;

/// Replaces the three files in `out`, each whole or not at all. Throws std::exception, with the
/// path in its text, when a file cannot be read or written.
ExportCounts ExportRows(const std::filesystem::path& out,
                        std::size_t sort_bytes = kExportSortBytes);

}  // namespace trawl

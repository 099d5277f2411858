// Makes pages.jsonl, redirects.jsonl and errors.jsonl of a job from its part files: every URL that
// ended, once.
//
// Part files, in the folder `parts`:
//
//     pages-WORKER.jsonl  line = lease SP index SP row LF        rows of one worker
//     outbox-EPOCH.log    line = number SP item LF               items of Store's outbox
//
// A worker's row counts unless the outbox refused (lease, index). Outbox items are numbered over
// all epochs; one that was written twice, before and after a crash, counts once. A line without its
// end was torn by a crash and does not count: its report was never sent, or it will be written
// again.
#pragma once

#include <cstdint>
#include <filesystem>

namespace trawl {

struct ExportCounts {
  std::uint64_t pages = 0;
  std::uint64_t redirects = 0;
  std::uint64_t errors = 0;
  std::uint64_t refused = 0;  // rows that did not count
};

/// Replaces the three files in `out`, each whole or not at all. Throws std::exception, with the
/// path in its text, when a file cannot be read or written.
ExportCounts ExportRows(const std::filesystem::path& out);

}  // namespace trawl

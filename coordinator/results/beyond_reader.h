// Reads what a crawl has found deeper than it went from the coordinator's part files, some at a
// time. See store.h, "beyond".
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <vector>

#include "coordinator/results/part_files.h"

namespace trawl {

class BeyondReader {
 public:
  explicit BeyondReader(const std::filesystem::path& out) : parts_(PartFiles(out, "outbox-")) {}

  /// The links of the next pages that were found at depths in (depth, greatest]. Reads `lines`
  /// lines at most, so that it does not take long; done() tells whether there are more. Throws
  /// std::system_error with the path when a file cannot be read.
  std::vector<FoundBeyond> Next(int depth, int greatest, std::size_t lines);
  bool done() const { return next_part_ == parts_.size() && !file_.is_open(); }

 private:
  bool OpenNext();

  const std::vector<std::filesystem::path> parts_;
  std::size_t next_part_ = 0;
  std::ifstream file_;
};

}  // namespace trawl

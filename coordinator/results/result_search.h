// Finds what a URL came to in the results of a job, finished or not.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace trawl {

struct UrlEnding {
  enum class Kind { kFetched, kRedirected, kFailed };
  Kind kind = Kind::kFetched;
  std::string row;  // of the file of its kind, as the exporter writes it
};

/// Reads the part files in `out`, or the exported files where parts do not have it; line by line,
/// so that memory does not grow with them. Nothing when the URL has no row (yet). Throws
/// std::system_error with the path when a file cannot be read.
std::optional<UrlEnding> FindEnding(const std::filesystem::path& out,
                                    std::string_view canonical_url);

}  // namespace trawl

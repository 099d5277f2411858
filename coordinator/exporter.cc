#include "coordinator/exporter.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>
#include <unordered_set>
#include <vector>

#include "common/text.h"
#include "coordinator/result_rows.h"

namespace trawl {
namespace {

namespace fs = std::filesystem;

struct LeasedUrl {
  std::uint64_t lease = 0;
  int index = 0;
  friend bool operator==(const LeasedUrl&, const LeasedUrl&) = default;
};

struct HashLeasedUrl {
  std::size_t operator()(const LeasedUrl& url) const {
    return std::hash<std::uint64_t>()(url.lease * 1'009 + static_cast<std::uint64_t>(url.index));
  }
};

/// A result file that appears under its name only when it is complete.
class ResultFile {
 public:
  explicit ResultFile(fs::path path)
      : path_(std::move(path)), draft_(path_.string() + ".new"), file_(draft_, std::ios::binary) {
    Check();
  }

  void Write(std::string_view row) {
    file_ << row << '\n';
    ++rows_;
  }

  std::uint64_t Publish() {
    file_.close();
    Check();
    fs::rename(draft_, path_);
    return rows_;
  }

 private:
  void Check() const {
    if (!file_) {
      throw std::system_error(errno, std::generic_category(), "cannot write " + draft_.string());
    }
  }

  const fs::path path_;
  const fs::path draft_;
  std::ofstream file_;
  std::uint64_t rows_ = 0;
};

/// Calls `take` with each whole line of a file.
template <class Take>
void ForEachLine(const fs::path& path, Take take) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw std::system_error(errno, std::generic_category(), "cannot read " + path.string());
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) return;  // no line end: torn
    take(std::string_view(line));
  }
}

/// The part files whose names begin so, in the order of their names.
std::vector<fs::path> Parts(const fs::path& out, std::string_view prefix) {
  std::vector<fs::path> parts;
  for (const fs::directory_entry& entry : fs::directory_iterator(out / "parts")) {
    if (entry.path().filename().string().starts_with(prefix)) parts.push_back(entry.path());
  }
  std::sort(parts.begin(), parts.end());
  return parts;
}

class Exporter {
 public:
  explicit Exporter(const fs::path& out)
      : out_(out),
        pages_(out / "pages.jsonl"),
        redirects_(out / "redirects.jsonl"),
        errors_(out / "errors.jsonl") {}

  ExportCounts Run() {
    for (const fs::path& part : Parts(out_, "outbox-")) {
      ForEachLine(part, [this](std::string_view line) { TakeOutboxLine(line); });
    }
    for (const fs::path& part : Parts(out_, "pages-")) {
      ForEachLine(part, [this](std::string_view line) { TakePageLine(line); });
    }
    counts_.pages = pages_.Publish();
    counts_.redirects = redirects_.Publish();
    counts_.errors = errors_.Publish();
    return counts_;
  }

 private:
  void TakeOutboxLine(std::string_view line) {
    std::uint64_t number = 0;
    if (!TakeNumber(line, number) || number < next_item_) return;
    next_item_ = number + 1;
    const std::string_view kind = TakeWord(line);
    if (kind == "failed") {
      errors_.Write(line);
    } else if (kind == "redirected") {
      const std::string_view outcome = TakeWord(line);
      redirects_.Write(RedirectRowWith(line, outcome));
    } else if (kind == "lost") {
      int depth = 0;
      if (!TakeNumber(line, depth)) return;
      if (const auto entry = FrontierEntry::Parse(line)) {
        errors_.Write(WorkerLostRow(*entry, depth));
      }
    } else if (kind == "refused") {
      LeasedUrl url;
      if (TakeNumber(line, url.lease) && TakeNumber(line, url.index)) refused_.insert(url);
    }
  }

  void TakePageLine(std::string_view line) {
    LeasedUrl url;
    if (!TakeNumber(line, url.lease) || !TakeNumber(line, url.index)) return;
    if (refused_.contains(url)) {
      ++counts_.refused;
    } else {
      pages_.Write(line);
    }
  }

  const fs::path out_;
  ResultFile pages_;
  ResultFile redirects_;
  ResultFile errors_;
  std::unordered_set<LeasedUrl, HashLeasedUrl> refused_;
  std::uint64_t next_item_ = 0;
  ExportCounts counts_;
};

}  // namespace

ExportCounts ExportRows(const fs::path& out) {
  if (!fs::is_directory(out / "parts")) {
    throw std::runtime_error("no results in " + out.string() + ": it has no folder 'parts'");
  }
  return Exporter(out).Run();
}

}  // namespace trawl

#include "coordinator/exporter.h"

#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_set>
#include <variant>

#include "coordinator/part_files.h"
#include "coordinator/result_rows.h"

namespace trawl {
namespace {

namespace fs = std::filesystem;

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

class Exporter {
 public:
  explicit Exporter(const fs::path& out)
      : out_(out),
        pages_(out / "pages.jsonl"),
        redirects_(out / "redirects.jsonl"),
        errors_(out / "errors.jsonl") {}

  ExportCounts Run() {
    for (const fs::path& part : PartFiles(out_, "outbox-")) {
      ForEachLine(part, [this](std::string_view line) { TakeOutboxLine(line); });
    }
    for (const fs::path& part : PartFiles(out_, "pages-")) {
      ForEachLine(part, [this](std::string_view line) { TakePageLine(line); });
    }
    counts_.pages = pages_.Publish();
    counts_.redirects = redirects_.Publish();
    counts_.errors = errors_.Publish();
    return counts_;
  }

 private:
  void TakeOutboxLine(std::string_view line) {
    const std::optional<OutboxLine> parsed = ParseOutboxLine(line);
    if (!parsed || parsed->number < next_item_) return;
    next_item_ = parsed->number + 1;
    std::visit([this](const auto& item) { Take(item); }, parsed->item);
  }

  void Take(const OutboxLine::Failed& failed) { errors_.Write(failed.row); }
  void Take(const OutboxLine::Redirected& redirected) {
    redirects_.Write(RedirectRowWith(redirected.row, redirected.outcome));
  }
  void Take(const OutboxLine::Lost& lost) {
    if (const auto entry = FrontierEntry::Parse(lost.entry)) {
      errors_.Write(WorkerLostRow(*entry, lost.depth));
    }
  }
  void Take(const OutboxLine::Refused& refused) { refused_.insert(refused.url); }

  void TakePageLine(std::string_view line) {
    const std::optional<PageLine> page = ParsePageLine(line);
    if (!page) return;
    if (refused_.contains(page->url)) {
      ++counts_.refused;
    } else {
      pages_.Write(page->row);
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

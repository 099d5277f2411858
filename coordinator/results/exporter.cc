#include "coordinator/results/exporter.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <variant>
#include <vector>

#include "common/fingerprint.h"
#include "coordinator/results/external_sort.h"
#include "coordinator/results/part_files.h"
#include "coordinator/results/result_rows.h"

namespace trawl {
namespace {

namespace fs = std::filesystem;

/// A row of a page, or the refusal of one; a refusal comes first.
struct PlacedRow {
  std::uint64_t lease;
  std::int32_t index;
  std::int32_t is_row;
  std::uint64_t ordinal;  // of the row, over all part files
  Fingerprint url;
  bool operator<(const PlacedRow& other) const {
    return std::tie(lease, index, is_row, ordinal) <
           std::tie(other.lease, other.index, other.is_row, other.ordinal);
  }
};

struct UrlRow {
  Fingerprint url;
  std::uint64_t lease;
  std::uint64_t ordinal;
  bool operator<(const UrlRow& other) const {
    return std::tie(url, lease, ordinal) < std::tie(other.url, other.lease, other.ordinal);
  }
};

/// Of the URL as the row has it: {"url":"...". Every row begins with it.
Fingerprint UrlOf(std::string_view row) {
  constexpr std::string_view kBegin = "{\"url\":\"";
  if (!row.starts_with(kBegin)) return FingerprintOf(row);
  std::size_t end = kBegin.size();
  while (end < row.size() && row[end] != '"') end += row[end] == '\\' ? 2 : 1;
  return FingerprintOf(row.substr(0, end));
}

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
  Exporter(const fs::path& out, std::size_t sort_bytes)
      : out_(out),
        pages_(out / "pages.jsonl"),
        redirects_(out / "redirects.jsonl"),
        errors_(out / "errors.jsonl"),
        withdrawn_(out, sort_bytes),
        placed_(out, sort_bytes),
        by_url_(out, sort_bytes),
        dropped_(out, sort_bytes) {}

  ExportCounts Run() {
    ReadWithdrawals();
    WriteOutbox();
    ForEachPage([this](const PageLine& page, std::uint64_t ordinal) {
      placed_.Add({page.url.lease, page.url.index, 1, ordinal, UrlOf(page.row)});
    });
    DropRefused();
    DropRepeated();
    WritePages();
    counts_.pages = pages_.Publish();
    counts_.redirects = redirects_.Publish();
    counts_.errors = errors_.Publish();
    return counts_;
  }

 private:
  // ---- The outbox ----

  void ReadWithdrawals() {
    ForEachOutboxLine(out_, [this](const OutboxLine& line) {
      const auto* withdrawn = std::get_if<OutboxLine::Withdrawn>(&line.item);
      if (withdrawn) withdrawn_.Add(withdrawn->number);
      items_ = line.number + 1;
    });
  }

  void WriteOutbox() {
    std::optional<std::uint64_t> withdrawn = withdrawn_.Next();
    ForEachOutboxLine(out_, [&](const OutboxLine& line) {
      if (line.number >= items_) return;  // written since, and may have been withdrawn since
      while (withdrawn && *withdrawn < line.number) withdrawn = withdrawn_.Next();
      if (withdrawn == line.number) return;
      std::visit([this](const auto& item) { Take(item); }, line.item);
    });
  }

  void Take(const OutboxLine::Failed& failed) { errors_.Write(failed.row); }
  void Take(const OutboxLine::Redirected& redirected) {
    redirects_.Write(RedirectRowWith(redirected.row, redirected.outcome));
  }
  void Take(const OutboxLine::GivenUp& given_up) {
    if (const auto entry = FrontierEntry::Parse(given_up.entry)) {
      errors_.Write(GivenUpRow(*entry, given_up.depth, given_up.reason));
    }
  }
  void Take(const FoundBeyond&) {}
  void Take(const OutboxLine::Withdrawn&) {}
  void Take(const OutboxLine::Refused& refused) {
    placed_.Add({refused.url.lease, refused.url.index, 0, 0, 0});
  }

  // ---- The pages ----

  /// Calls take(page, ordinal) for each row, at each call in the same order.
  template <class TakePage>
  void ForEachPage(TakePage take) {
    std::uint64_t ordinal = 0;
    for (const fs::path& part : PartFiles(out_, "pages-")) {
      ForEachLine(part, [&](std::string_view line) {
        if (const auto page = ParsePageLine(line)) take(*page, ordinal++);
        return true;
      });
    }
  }

  /// Rows of leases that were refused, and a second row of the same place.
  void DropRefused() {
    std::optional<PlacedRow> last;
    while (const auto row = placed_.Next()) {
      const bool same = last && last->lease == row->lease && last->index == row->index;
      if (row->is_row == 0) {
        last = row;
      } else if (same) {
        dropped_.Add(row->ordinal);
        ++(last->is_row == 0 ? counts_.refused : counts_.repeated);
      } else {
        by_url_.Add({row->url, row->lease, row->ordinal});
        last = row;
      }
    }
  }

  /// Of several rows of a URL the one of the latest lease counts. There is more than one only when
  /// Redis went back in time.
  void DropRepeated() {
    std::optional<UrlRow> last;
    while (const auto row = by_url_.Next()) {
      if (last && last->url == row->url) {
        dropped_.Add(last->ordinal);
        ++counts_.repeated;
      }
      last = row;
    }
  }

  void WritePages() {
    std::optional<std::uint64_t> next = dropped_.Next();
    ForEachPage([&](const PageLine& page, std::uint64_t ordinal) {
      if (next == ordinal) {
        next = dropped_.Next();
      } else {
        pages_.Write(page.row);
      }
    });
  }

  const fs::path out_;
  ResultFile pages_;
  ResultFile redirects_;
  ResultFile errors_;
  ExternalSort<std::uint64_t> withdrawn_;
  std::uint64_t items_ = 0;  // of the outbox, whose withdrawals are known
  ExternalSort<PlacedRow> placed_;
  ExternalSort<UrlRow> by_url_;
  ExternalSort<std::uint64_t> dropped_;
  ExportCounts counts_;
};

}  // namespace

ExportCounts ExportRows(const fs::path& out, std::size_t sort_bytes) {
  if (!fs::is_directory(out / "parts")) {
    throw std::runtime_error("no results in " + out.string() + ": it has no folder 'parts'");
  }
  return Exporter(out, sort_bytes).Run();
}

}  // namespace trawl

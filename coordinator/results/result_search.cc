#include "coordinator/results/result_search.h"

#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "common/frontier_entry.h"
#include "coordinator/results/part_files.h"
#include "coordinator/results/result_rows.h"

namespace trawl {
namespace {

namespace fs = std::filesystem;

/// A URL is fetched more than once only when its worker was lost or it has moved.
constexpr std::size_t kMaxCandidates = 1000;

class Search {
 public:
  Search(fs::path out, std::string_view url)
      : out_(std::move(out)),
        url_(url),
        row_begin_("{\"url\":" + boost::json::serialize(boost::json::value(url))) {}

  std::optional<UrlEnding> InParts() {
    // Pages first, so that only refusals of this URL have to be remembered.
    for (const fs::path& part : PartFiles(out_, "pages-")) {
      ForEachLine(part, [this](std::string_view line) {
        TakePageLine(line);
        return true;
      });
    }
    ForEachOutboxLine(out_, [this](const OutboxLine& line) {
      item_ = line.number;
      std::visit([this](const auto& item) { Take(item); }, line.item);
    });
    if (!pages_.empty()) return UrlEnding{UrlEnding::Kind::kFetched, pages_[0].row};
    return ending_;
  }

  std::optional<UrlEnding> InExport(const char* name, UrlEnding::Kind kind) const {
    const fs::path path = out_ / name;
    std::optional<UrlEnding> ending;
    if (!fs::exists(path)) return ending;
    ForEachLine(path, [&](std::string_view row) {
      if (IsRow(row)) ending = UrlEnding{kind, std::string(row)};
      return true;
    });
    return ending;
  }

 private:
  struct Page {
    LeasedUrl url;
    std::string row;
  };

  /// Every row begins with its URL.
  bool IsRow(std::string_view row) const { return row.starts_with(row_begin_); }

  void TakePageLine(std::string_view line) {
    const std::optional<PageLine> page = ParsePageLine(line);
    if (!page || !IsRow(page->row) || pages_.size() >= kMaxCandidates) return;
    pages_.push_back({page->url, std::string(page->row)});
  }

  void End(UrlEnding::Kind kind, std::string row) {
    ending_ = {kind, std::move(row)};
    ended_by_ = item_;
  }

  void Take(const OutboxLine::Failed& failed) {
    if (IsRow(failed.row)) End(UrlEnding::Kind::kFailed, std::string(failed.row));
  }
  void Take(const OutboxLine::Redirected& redirected) {
    if (!IsRow(redirected.row)) return;
    End(UrlEnding::Kind::kRedirected, RedirectRowWith(redirected.row, redirected.outcome));
  }
  void Take(const OutboxLine::GivenUp& given_up) {
    if (!given_up.entry.starts_with(url_)) return;
    const auto entry = FrontierEntry::Parse(given_up.entry);
    if (!entry || entry->url != url_) return;
    End(UrlEnding::Kind::kFailed, GivenUpRow(*entry, given_up.depth, given_up.reason));
  }
  void Take(const FoundBeyond&) {}
  void Take(const OutboxLine::Refused& refused) {
    std::erase_if(pages_, [&](const Page& page) { return page.url == refused.url; });
  }
  void Take(const OutboxLine::Withdrawn& withdrawn) {
    if (ending_ && ended_by_ == withdrawn.number) ending_.reset();
  }

  const fs::path out_;
  const std::string_view url_;
  const std::string row_begin_;
  std::vector<Page> pages_;
  std::uint64_t item_ = 0;  // that is looked at
  std::optional<UrlEnding> ending_;
  std::uint64_t ended_by_ = 0;  // the item of ending_
};

}  // namespace

std::optional<UrlEnding> FindEnding(const fs::path& out, std::string_view canonical_url) {
  Search search(out, canonical_url);
  std::optional<UrlEnding> ending = search.InParts();
  if (!ending) ending = search.InExport("pages.jsonl", UrlEnding::Kind::kFetched);
  if (!ending) ending = search.InExport("redirects.jsonl", UrlEnding::Kind::kRedirected);
  if (!ending) ending = search.InExport("errors.jsonl", UrlEnding::Kind::kFailed);
  return ending;
}

}  // namespace trawl

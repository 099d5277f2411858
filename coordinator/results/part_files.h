// The part files of a job's results, in the folder `parts` of its results:
//
//     pages-WORKER.jsonl  line = lease SP index SP row LF        rows of one worker
//     outbox-EPOCH.log    line = number SP item LF               items of Store's outbox
//
// A worker's row counts unless the outbox refused (lease, index), and an item of the outbox unless
// a later one has withdrawn it. Outbox items are numbered over all epochs; one that was written
// twice, before and after a crash, counts once. A line without its end was torn by a crash and does
// not count: its report was never sent, or it will be written again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/error.h"

namespace trawl {

/// The place of a URL in a lease.
struct LeasedUrl {
  std::uint64_t lease = 0;
  int index = 0;
  friend bool operator==(const LeasedUrl&, const LeasedUrl&) = default;
};

// Lines as values, which borrow the line. Nothing for a line that does not follow the grammar.

struct PageLine {
  LeasedUrl url;
  std::string_view row;
};
std::optional<PageLine> ParsePageLine(std::string_view line);

/// Links of a page that led deeper than the crawl went.
struct FoundBeyond {
  int depth = 0;
  std::string referrer;
  std::vector<std::string> urls;
};

/// An item of the outbox: store.h tells the kinds.
struct OutboxLine {
  struct Failed {
    std::string_view row;
  };
  struct Redirected {
    std::string_view outcome;
    std::string_view row;  // without the outcome
  };
  struct GivenUp {
    Error reason = Error::kWorkerLost;
    int depth = 0;
    std::string_view entry;
  };
  struct Refused {
    LeasedUrl url;
  };
  struct Withdrawn {
    std::uint64_t number = 0;
  };
  std::uint64_t number = 0;
  std::variant<Failed, Redirected, GivenUp, Refused, Withdrawn, FoundBeyond> item;
};
std::optional<OutboxLine> ParseOutboxLine(std::string_view line);
/// Of an item, without its number.
std::optional<FoundBeyond> ParseFoundBeyond(std::string_view item);

/// Calls `take` with each whole line of a file, until it returns false. Throws std::system_error
/// with the path when the file cannot be read.
void ForEachLine(const std::filesystem::path& path,
                 const std::function<bool(std::string_view line)>& take);

/// Calls `take` with each item of the outbox, in the order of their numbers. Where a later epoch
/// begins with a number that an earlier one has passed, either they were written again after a
/// crash, or Redis went back in time (with the power its last second was lost): the later ones
/// count. Throws as ForEachLine() does.
void ForEachOutboxLine(const std::filesystem::path& out,
                       const std::function<void(const OutboxLine& line)>& take);

/// The part files whose names begin so, in the order of their names; none without the folder.
std::vector<std::filesystem::path> PartFiles(const std::filesystem::path& out,
                                             std::string_view prefix);

}  // namespace trawl

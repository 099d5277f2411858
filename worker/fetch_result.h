// What comes of the fetch of a leased URL, whatever document it was for: how it ends the URL, and
// its row in pages.jsonl.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/fingerprint.h"
#include "proto/messages.h"
#include "worker/http/fetcher.h"
#include "worker/row_writer.h"
#include "worker/work_queue.h"

namespace trawl {

struct PageResult {
  Outcome outcome;
  std::vector<std::string> links = {};     // canonical
  std::vector<std::string> sitemaps = {};  // of a sitemap: those that it lists
  std::string row = {};                    // without line end; empty unless Fetched
  milliseconds elapsed{0};
  milliseconds latency{0};        // FetchOutcome's
  std::uint64_t body_digest = 0;  // BodyDigest::Short() of a page; 0: none
};

/// "text/html" of "Text/HTML; charset=utf-8".
std::string MediaType(std::string_view content_type);

/// A header's value as text for a message or a row.
std::string HeaderText(std::string_view value);

bool IsSuccess(int status);

/// How long a Retry-After header asks to wait from `now` on (RFC 9110, section 10.2.3): seconds or
/// a date; zero for what is neither, at most kMaxRetryAfter.
milliseconds ParseRetryAfter(std::string_view value, std::chrono::system_clock::time_point now);
inline constexpr milliseconds kMaxRetryAfter = std::chrono::hours(1);

/// How a URL ends by its response; Fetched, without its counts, for a success whose body was
/// wanted. `now` is what a date of the response is compared with.
Outcome OutcomeOf(const Url& url, const FetchOutcome& outcome, bool wanted,
                  std::chrono::system_clock::time_point now);

/// What a reader of the body found.
struct DocumentFacts {
  std::string_view charset;
  std::string_view title;
  std::size_t links = 0;
};

/// The row's fields up to `worker`, which documents of every kind have.
RowWriter RowOf(const WorkItem& item, const Url& url, const FetchOutcome& outcome,
                const BodyDigest& digest, const DocumentFacts& facts,
                std::chrono::system_clock::time_point fetched_at, const std::string& worker);

}  // namespace trawl

#include "worker/fetch_result.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "common/http_date.h"
#include "common/text.h"
#include "common/utf8.h"

namespace trawl {
namespace {

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Redirected RedirectOf(const Url& url, const ResponseHead& head) {
  const Result<Url> target = url.Resolve(head.location);
  if (target) return {head.status, target->text(), true};
  return {head.status, HeaderText(head.location), false};
}

}  // namespace

std::string MediaType(std::string_view content_type) {
  return LowerCase(Trimmed(content_type.substr(0, content_type.find(';')), " \t"));
}

std::string HeaderText(std::string_view value) {
  return std::string(CutUtf8(ValidUtf8(value), kMaxTextBytes));
}

bool IsSuccess(int status) { return status >= 200 && status < 300; }

milliseconds ParseRetryAfter(std::string_view value, std::chrono::system_clock::time_point now) {
  value = Trimmed(value, " \t");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  const bool is_number = !value.empty() && end == value.data() + value.size();
  if (is_number && error == std::errc::result_out_of_range) return kMaxRetryAfter;
  milliseconds wait{0};
  if (is_number) {
    wait = std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kMaxRetryAfter.count()));
  } else if (const auto date = ParseHttpDate(value); date && *date > now) {
    // What lies beyond the limit may lie too far away for a difference.
    if (*date > now + kMaxRetryAfter) return kMaxRetryAfter;
    wait = std::chrono::ceil<milliseconds>(*date - now);
  }
  return std::min(wait, kMaxRetryAfter);
}

Outcome OutcomeOf(const Url& url, const FetchOutcome& outcome, bool wanted,
                  std::chrono::system_clock::time_point now) {
  const ResponseHead& head = outcome.head;
  if (outcome.error) {
    const bool ours = outcome.error.category() == ErrorCategory();
    return Failed{ours ? static_cast<Error>(outcome.error.value()) : Error::kMalformed,
                  HeaderText(outcome.detail.empty() ? outcome.error.message() : outcome.detail),
                  head.status, outcome.permanent};
  }
  if (IsRedirect(head.status) && !head.location.empty()) return RedirectOf(url, head);
  // Partial Content answers a request for a range, which was not made: this is no whole page.
  if (head.status == 206) {
    return Failed{Error::kMalformed, "status 206 to a request without a range", head.status};
  }
  if (!IsSuccess(head.status)) {
    return Failed{Error::kHttpStatus, "HTTP status " + std::to_string(head.status), head.status,
                  false, ParseRetryAfter(head.retry_after, now)};
  }
  if (!wanted) {
    const std::string type = HeaderText(head.content_type);
    return Failed{Error::kContentType, type.empty() ? "no Content-Type" : type, head.status};
  }
  return Fetched{};
}

RowWriter RowOf(const WorkItem& item, const Url& url, const FetchOutcome& outcome,
                const BodyDigest& digest, const DocumentFacts& facts,
                std::chrono::system_clock::time_point fetched_at, const std::string& worker) {
  RowWriter row;
  row.Text("url", url.text()).Number("depth", item.depth).Number("status", outcome.head.status);
  row.Text("content_type", MediaType(HeaderText(outcome.head.content_type)));
  row.Text("charset", facts.charset);
  row.Number("bytes", static_cast<std::int64_t>(outcome.body_bytes));
  row.Text("digest", digest.Text()).Text("title", facts.title);
  row.Number("links", static_cast<std::int64_t>(facts.links));
  if (item.entry.referrer.empty()) {
    row.Json("referrer", "null");
  } else {
    row.Text("referrer", item.entry.referrer);
  }
  row.Text("fetched_at", Rfc3339(fetched_at)).Number("elapsed_ms", outcome.elapsed.count());
  row.Text("worker", worker);
  return row;
}

}  // namespace trawl

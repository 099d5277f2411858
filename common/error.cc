#include "common/error.h"

#include <array>
#include <string>

namespace trawl {
namespace {

struct Row {
  Error error;
  std::string_view word;
  std::string_view message;
};

constexpr std::array kRows = {
    Row{Error::kHttpStatus, "http_status", "the server answered with an error status"},
    Row{Error::kRobots, "robots", "robots.txt does not allow it"},
    Row{Error::kTimeout, "timeout", "a deadline passed"},
    Row{Error::kDns, "dns", "the host name could not be resolved"},
    Row{Error::kConnect, "connect", "the host did not accept a connection"},
    Row{Error::kTls, "tls", "the TLS handshake failed"},
    Row{Error::kReset, "reset", "the connection ended before the response was whole"},
    Row{Error::kTruncated, "truncated", "the body was cut short"},
    Row{Error::kMalformed, "malformed", "the response is malformed"},
    Row{Error::kTooLarge, "too_large", "the response is larger than allowed"},
    Row{Error::kContentType, "content_type", "the content type is not wanted"},
    Row{Error::kAddress, "address", "the address is not public"},
    Row{Error::kWorkerLost, "worker_lost", "the URL took down its worker too often"},
    Row{Error::kRoundDeadline, "round_deadline", "the round was open for too long"},
    Row{Error::kTooManyHops, "too_many", "too many redirects"},
    Row{Error::kScope, "scope", "outside of the crawl's scope"},
    Row{Error::kNotCrawlable, "not_crawlable", "nothing that can be crawled"},
    Row{Error::kBadMessage, "bad_message", "the peer's message breaks the protocol"},
    Row{Error::kStore, "store", "the store was lost, or takes no steps for now"},
    Row{Error::kStepRefused, "step_refused", "the store refuses the step"},
    Row{Error::kRulesChanged, "rules_changed", "the job was begun under other rules"},
    Row{Error::kUsage, "usage", "bad usage or configuration"},
};

const Row* Find(Error error) {
  for (const Row& row : kRows) {
    if (row.error == error) return &row;
  }
  return nullptr;
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "trawl"; }
  std::string message(int value) const override {
    const Row* row = Find(static_cast<Error>(value));
    return row ? std::string(row->message) : "unknown error " + std::to_string(value);
  }
};

}  // namespace

std::string_view ReasonWord(Error error) {
  const Row* row = Find(error);
  return row ? row->word : "malformed";
}

Error ReasonFromWord(std::string_view word) {
  for (const Row& row : kRows) {
    if (row.word == word) return row.error;
  }
  return Error::kMalformed;
}

const boost::system::error_category& ErrorCategory() {
  static const Category category;
  return category;
}

}  // namespace trawl

#include "coordinator/results/result_rows.h"

#include <boost/json.hpp>

namespace trawl {
namespace {

namespace json = boost::json;

json::value Referrer(const FrontierEntry& entry) {
  if (entry.referrer.empty()) return nullptr;
  return json::value(entry.referrer);
}

/// Rows of pages have no such field.
void MarkSitemap(const FrontierEntry& entry, json::object& row) {
  if (entry.sitemap > 0) row["sitemap"] = true;
}

std::string RowOfFailure(const FrontierEntry& entry, int depth, const Failed& failed,
                         int attempts) {
  json::object row{{"url", entry.url},
                   {"depth", depth},
                   {"reason", ReasonWord(failed.reason)},
                   {"detail", failed.detail}};
  if (failed.status != 0) row["status"] = failed.status;
  row["attempts"] = attempts;
  row["referrer"] = Referrer(entry);
  MarkSitemap(entry, row);
  return json::serialize(row);
}

std::string GivenUpDetail(const FrontierEntry& entry, Error reason) {
  switch (reason) {
    case Error::kWorkerLost:
      return "the worker that had it was lost " + std::to_string(entry.losses) + " times";
    case Error::kRoundDeadline:
      return "its round was open for too long";
    default:
      return "given up with its host, which could not be crawled for too long";
  }
}

}  // namespace

std::string RedirectRow(const FrontierEntry& entry, int depth, const Redirected& redirected) {
  json::object row{{"url", entry.url},
                   {"depth", depth},
                   {"status", redirected.status},
                   {"to", redirected.to},
                   {"referrer", Referrer(entry)}};
  MarkSitemap(entry, row);
  return json::serialize(row);
}

std::string RedirectRowWith(std::string_view row, std::string_view outcome) {
  std::string whole(row.substr(0, row.size() - 1));  // up to the closing brace
  whole += ",\"outcome\":\"";
  whole += outcome;
  whole += "\"}";
  return whole;
}

std::string FailedRow(const FrontierEntry& entry, int depth, const Failed& failed) {
  return RowOfFailure(entry, depth, failed, entry.attempt + entry.losses + 1);
}

std::string GivenUpRow(const FrontierEntry& entry, int depth, Error reason) {
  return RowOfFailure(entry, depth, {reason, GivenUpDetail(entry, reason), 0},
                      entry.attempt + entry.losses);
}

}  // namespace trawl

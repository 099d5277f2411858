#include "coordinator/result_rows.h"

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
  json::object row{{"url", entry.url},
                   {"depth", depth},
                   {"reason", ReasonWord(failed.reason)},
                   {"detail", failed.detail}};
  if (failed.status != 0) row["status"] = failed.status;
  row["attempts"] = entry.attempt + entry.losses + 1;
  row["referrer"] = Referrer(entry);
  MarkSitemap(entry, row);
  return json::serialize(row);
}

std::string WorkerLostRow(const FrontierEntry& entry, int depth) {
  const std::string times = std::to_string(entry.losses);
  Failed failed{Error::kWorkerLost, "the worker that had it was lost " + times + " times", 0};
  FrontierEntry last = entry;
  last.losses -= 1;  // the loss that ended it was its last attempt
  return FailedRow(last, depth, failed);
}

}  // namespace trawl

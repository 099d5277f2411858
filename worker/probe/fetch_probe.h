// Fetches URLs for a person who wants to see what a crawl would see: by the classes that workers
// run, robots.txt included, and along redirects. One URL at a time; calls block.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "common/options.h"
#include "common/url.h"

namespace trawl {

class FetchProbe {
 public:
  /// The seeds of the options' crawl are the URLs that will be fetched: one that itself is a
  /// non-public address may be reached. Throws when `ca_file` cannot be read.
  explicit FetchProbe(const ProbeOptions& options);
  ~FetchProbe();

  struct Report {
    /// `url`, `outcome` (fetched, redirected, failed) and what a row of the crawl's results says of
    /// the last URL; `hops`, each with its `url`, `robots`, `status`, `address`, `elapsed_ms`,
    /// `outcome` and, of a redirect, what becomes of its `target`, as in redirects.jsonl.
    boost::json::object json;
    /// A server answered, whatever it said.
    bool answered = false;
  };
  Report Fetch(const Url& url);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

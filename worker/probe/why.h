// Why a URL was, or was not, crawled by a job: what Redis and the job's results say of it, and
// which of the job's options keep it out.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "common/options.h"
#include "common/url.h"
#include "coordinator/store/job_reader.h"

namespace trawl {

class WhyProbe {
 public:
  /// What keeps a URL out of a job.
  struct Hindrance {
    std::string reason;
    std::string rule;
    std::string detail;
  };

  /// `out` is the folder of the job's results; empty: where the job says it is. Throws
  /// std::runtime_error when Redis cannot be reached or does not know the job.
  WhyProbe(const RedisAddress& address, const std::string& job, std::filesystem::path out);

  /// `url` (that which the job takes for the given one), `state` (fetched, redirected, failed,
  /// leased, waiting, seen, not_seen), `depth`, and for people `reason` and `detail`; `robots`;
  /// more, depending on the state. Throws std::exception when Redis is lost or a file cannot be
  /// read.
  boost::json::object Explain(const Url& given);

 private:
  void ExplainPlace(const Url& url, const UrlPlace& place, boost::json::object& answer) const;
  void ExplainEnding(const Url& url, boost::json::object& answer) const;
  boost::json::value Robots(const Url& url);
  void ExplainAbsence(const Url& url, boost::json::object& answer);
  std::optional<Hindrance> BeyondCounts(const Url& url);

  JobReader reader_;
  JobReader::Fields job_;
  CrawlOptions options_;
  std::filesystem::path out_;
};

}  // namespace trawl

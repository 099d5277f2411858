// What a person can set: the job's options, which every worker of the job shares, and those of each
// program. Plain values; common/command_line.h fills them from flags and a configuration file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/url_traps.h"

namespace trawl {

enum class ScopeKind {
  kHost,    // same host and port; http and https on their default ports count as one
  kDomain,  // same registrable domain
  kPrefix,  // same host and port, under the seed's folder
  kAny,
};

enum class RoundMode {
  kExact,  // depth d + 1 starts when depth d is closed
  kFree,   // never waits; promises no exact depth
};

std::string_view ScopeKindName(ScopeKind kind);
Result<ScopeKind> ParseScopeKind(std::string_view name);
std::string_view RoundModeName(RoundMode mode);
Result<RoundMode> ParseRoundMode(std::string_view name);

/// A job. The coordinator sends these to each worker, so that only the coordinator needs its flags.
struct CrawlOptions {
  std::vector<std::string> seeds;  // as given
  int depth = 3;                   // greatest depth fetched
  std::uint64_t max_pages = 0;     // 0: no limit
  int host_connections = 2;        // to one host, over all workers
  milliseconds host_delay{250};    // least time between two requests to one host
  ScopeKind scope = ScopeKind::kHost;
  std::vector<std::string> include;  // RE2 patterns, searched for in the canonical URL
  std::vector<std::string> exclude;
  bool sitemaps = false;                  // those that robots.txt of the crawled hosts lists
  std::vector<std::string> sitemap_urls;  // given ones
  RoundMode rounds = RoundMode::kExact;
  milliseconds round_deadline{0};        // what has not ended by then is given up; 0: none
  bool sort_query = false;               // what common/url_rewrite.h does to each URL
  bool strip_params = false;             // the known ones
  std::vector<std::string> strip_names;  // these too; a final `*` stands for any end
  UrlLimits url_limits;                  // of URLs that were not given
  std::uint64_t max_links_per_page = 100'000;
  std::uint64_t max_pages_per_host = 0;         // fetched; 0: no limit
  std::uint64_t max_same_body = 100;            // pages of a host with one body; 0: no limit
  std::uint64_t max_hosts_per_domain = 10'000;  // found; 0: no limit
  bool auto_throttle = false;                   // the delay of a host follows its latency
  int retries = 2;                              // of a URL whose fetch has failed
  milliseconds retry_delay{1'000};              // before the first, on average; doubles each time
  bool ignore_robots = false;
  int robots_retries = 3;                  // of a robots.txt that could not be had
  milliseconds robots_retry_delay{5'000};  // before the first of them; doubles each time
  bool ignore_robots_tag = false;          // X-Robots-Tag of a response
  bool ignore_meta_robots = false;         // <meta name=robots> of a page
  bool ignore_rel_nofollow = false;        // rel=nofollow of a link
  bool allow_private = false;
  std::string user_agent;
  std::vector<std::string> headers;  // "Name: value", for the seeds' origins only
  std::string auth;                  // "USER:PASSWORD", for the seeds' origins only; empty: none
  bool cookies = false;              // keep those of a host while a worker has a lease of it
  std::string proxy;                 // of ParseProxy(); empty: none
  bool insecure = false;             // certificates are not verified
  std::vector<std::string> content_types = {"text/html", "application/xhtml+xml"};
  std::uint64_t max_body_bytes = 64 * 1024 * 1024;  // decoded
  milliseconds fetch_timeout{120'000};              // of one whole fetch
  int max_hops = 10;                                // redirects in a row

  /// One JSON object; how the options are kept in Redis.
  std::string Json() const;
  /// What Json() kept, maybe of another version: what is not there has its default, and what is not
  /// known does not matter. Error::kUsage when it is not JSON, or an option is of the wrong kind.
  static Result<CrawlOptions> FromJson(std::string_view text);
};

std::string DefaultUserAgent();

struct CoordinatorOptions {
  CrawlOptions crawl;
  std::string job;
  std::string redis = "redis://127.0.0.1:6379";
  std::string out;
  std::string listen = "tcp://127.0.0.1:*";
  std::string endpoint_file;           // where the bound endpoint is written, when not empty
  milliseconds lease_timeout{15'000};  // a worker that is silent for longer loses its leases
  bool resume = false;
  bool quiet = false;
  bool print_job = false;  // check the flags, print the job's name, end
  std::string log_level = "warn";
};

struct WorkerOptions {
  std::string coordinator;
  int concurrency = 200;
  std::string out;
  std::string name;     // unique among the job's workers; made from host and pid when empty
  std::string ca_file;  // PEM; empty: the system's certificates
  std::string dns;      // of ParseDnsServers(); empty: the system's servers
  std::string log_level = "warn";
};

/// What trawl-probe explains.
enum class ProbeCommand {
  kUrl,      // canonical URLs
  kRobots,   // what a robots.txt says
  kLinks,    // what is found in a document
  kSitemap,  // what a sitemap lists
  kFetch,    // a URL, fetched now
  kWhy,      // what a job made of a URL
};

struct ProbeOptions {
  ProbeCommand command = ProbeCommand::kUrl;
  CrawlOptions crawl;   // its seeds are the URLs to explain
  std::string ca_file;  // PEM; empty: the system's certificates
  std::string dns;      // of ParseDnsServers(); empty: the system's servers
  // Of the job that is looked into:
  std::string job;
  std::string redis = "redis://127.0.0.1:6379";
  std::string out;  // empty: where the job says it is
  std::string log_level = "warn";
};

}  // namespace trawl

// The messages of crawl.proto as plain values, checked: whatever Decode() returned keeps the limits
// below, so that deciding code can rely on them. See protocol.md for who says what when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/frontier_entry.h"
#include "common/robots.h"
#include "common/url.h"

namespace trawl {

inline constexpr std::uint32_t kProtocolVersion = 5;
inline constexpr std::size_t kMaxMessageBytes = 16 * 1024 * 1024;  // one frame
inline constexpr std::size_t kMaxReportLinks = 1000;  // links and sitemaps of one report
inline constexpr std::size_t kMaxUrlTextBytes = Url::kMaxUrlBytes;  // URL, link, redirect target
inline constexpr std::size_t kMaxTextBytes = 1024;                  // names, details, reasons
inline constexpr std::size_t kMaxLeaseEntries = 1000;
inline constexpr std::uint32_t kMaxCapacity = 1'000'000;  // URLs of one worker
inline constexpr std::size_t kMaxHeldLeases = 100'000;    // of one worker
inline constexpr int kMaxRobotsFailures = 1'000;          // tries to have one robots.txt

inline constexpr milliseconds kMaxTime = std::chrono::hours(24 * 366);  // any time in a message

// ---- Worker to coordinator ----

struct Hello {
  std::uint32_t protocol_version = kProtocolVersion;
  std::string name;
  std::string host;
  std::int64_t pid = 0;
  std::uint32_t capacity = 0;
  std::vector<std::uint64_t> lease_ids;
  std::uint64_t sent_ms = 0;
  std::uint64_t process = 0;
};

struct WorkerHeartbeat {
  std::vector<std::uint64_t> lease_ids;
  std::uint32_t capacity = 0;
  std::uint32_t in_flight = 0;
  std::uint64_t pages = 0;
  std::uint64_t sent_ms = 0;
};

struct Fetched {
  std::uint64_t body_bytes = 0;
  std::uint64_t links = 0;
  std::uint64_t links_left_out = 0;
};
struct Redirected {
  int status = 0;
  std::string to;
  bool crawlable = false;
};
struct Failed {
  Error reason = Error::kMalformed;
  std::string detail;
  int status = 0;
  bool permanent = false;       // another try has no better end
  milliseconds retry_after{0};  // what the server has asked for; 0: nothing
};
/// 429 or 503: the host wants fewer requests, whatever their URL.
inline bool AsksForFewerRequests(const Failed& failed) {
  return failed.reason == Error::kHttpStatus && (failed.status == 429 || failed.status == 503);
}
struct Returned {};
using Outcome = std::variant<Fetched, Redirected, Failed, Returned>;

struct Report {
  std::uint64_t sequence = 0;
  std::uint64_t lease_id = 0;
  int index = 0;
  FrontierEntry entry;
  std::vector<std::string> links;
  std::vector<std::string> sitemaps;
  std::optional<Outcome> outcome;
  milliseconds elapsed{0};
  milliseconds crawl_delay{0};
  std::uint64_t body_digest = 0;
  milliseconds latency{0};
};

struct Reports {
  std::vector<Report> reports;
};

struct WorkerGoodbye {
  std::string reason;
};

struct RobotsQuery {
  std::uint64_t lease_id = 0;
  std::string origin;
};

struct RobotsFile {
  std::string body;  // any bytes, at most Robots::kMaxBytes
};
struct RobotsAllowAll {};
struct RobotsFailure {
  Error reason = Error::kRobots;
  std::string detail;
  bool permanent = false;  // another try has no better end
};

struct RobotsReport {
  std::uint64_t lease_id = 0;
  std::string origin;
  int failures = 0;
  int status = 0;
  std::variant<RobotsFile, RobotsAllowAll, RobotsFailure> result;
};

using ToCoordinator =
    std::variant<Hello, WorkerHeartbeat, Reports, WorkerGoodbye, RobotsQuery, RobotsReport>;

// ---- Coordinator to worker ----

struct CrawlSettings {
  std::string user_agent;
  bool ignore_robots = false;
  bool ignore_robots_tag = false;
  bool ignore_meta_robots = false;
  bool ignore_rel_nofollow = false;
  bool allow_private = false;
  std::vector<std::string> private_hosts;
  std::vector<std::string> content_types;
  std::vector<std::string> own_headers;
  std::vector<std::string> own_origins;
  std::string proxy;
  bool insecure = false;
  bool cookies = false;
  std::uint64_t max_body_bytes = 0;
  std::uint64_t max_links_per_page = 1;
  milliseconds fetch_timeout{0};
};

struct Welcome {
  std::uint32_t protocol_version = kProtocolVersion;
  std::string job;
  CrawlSettings settings;
  milliseconds heartbeat_interval{0};
  milliseconds lease_timeout{0};
};

struct Refused {
  enum class Why { kUnknown, kVersion, kMalformed };
  Why why = Why::kUnknown;
  std::string detail;
};

struct Lease {
  std::uint64_t lease_id = 0;
  std::string host;
  int depth = 0;
  int connections = 1;
  milliseconds delay{0};
  milliseconds start_after{0};
  std::vector<FrontierEntry> entries;
};

struct Ack {
  enum class Verdict { kDone, kRetry, kNeverRetry };
  std::uint64_t sequence = 0;
  Verdict verdict = Verdict::kDone;
  bool links_settled = false;
};

struct Acks {
  std::vector<Ack> acks;
};

struct CoordinatorHeartbeat {
  std::vector<std::uint64_t> ended_lease_ids;
  std::uint64_t sent_ms = 0;
};

struct Recall {
  std::string host;  // empty: all
};

struct Drain {};

struct CoordinatorGoodbye {
  std::string reason;
};

struct RobotsVerdict {
  struct Rules {
    std::string body;
    milliseconds life{0};
  };
  struct AllowAll {
    milliseconds life{0};
  };
  struct Fetch {
    int failures = 0;
  };
  struct Defer {};
  struct GivenUp {
    Error reason = Error::kRobots;
    std::string detail;
    milliseconds life{0};
  };
};

struct RobotsAnswer {
  std::string origin;
  std::variant<RobotsVerdict::Rules, RobotsVerdict::AllowAll, RobotsVerdict::Fetch,
               RobotsVerdict::Defer, RobotsVerdict::GivenUp>
      verdict;
};

using ToWorker = std::variant<Welcome, Refused, Lease, Acks, CoordinatorHeartbeat, Drain,
                              CoordinatorGoodbye, RobotsAnswer, Recall>;

// ---- Bytes ----

std::string Encode(const ToCoordinator& message);
std::string Encode(const ToWorker& message);

/// Error::kBadMessage for bytes that are no message or break a limit. A Hello of another protocol
/// version is decoded all the same (its version and, as far as it is understood, its name), so that
/// its sender can be told.
Result<ToCoordinator> DecodeToCoordinator(std::string_view bytes);
Result<ToWorker> DecodeToWorker(std::string_view bytes);

}  // namespace trawl

// What this worker knows of the robots.txt of origins, and what it asks the coordinator about them.
// A host has one question at a time: its URLs wait until the coordinator has answered. Questions
// and reports are sent again until then, so that neither a lost message nor a restart of the
// coordinator matters. No I/O, no clock.
//
// Bounded: beyond kMaxOrigins or kMaxBodyBytes the longest unused ones are forgotten, and the
// coordinator is asked for them again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/clock.h"
#include "common/robots.h"
#include "common/url.h"
#include "proto/messages.h"

namespace trawl {

class RobotsCache {
 public:
  static constexpr std::size_t kMaxOrigins = 10'000;
  /// Of the files as fetched; their rules, parsed, take up to some ten times as much.
  static constexpr std::size_t kMaxBodyBytes = std::size_t{8} * 1024 * 1024;

  /// What is known of an origin.
  struct Entry {
    Robots rules;
    /// Of a URL that may not be fetched: kRobots, or why there is no robots.txt to be had.
    Error reason = Error::kRobots;
    std::string detail;

    bool Allows(const Url& url) const { return rules.Allows(url.target()); }
  };

  explicit RobotsCache(std::size_t max_origins = kMaxOrigins,
                       std::size_t max_body_bytes = kMaxBodyBytes)
      : max_origins_(max_origins), max_body_bytes_(max_body_bytes) {}

  /// Nullptr when the coordinator has to be asked. Valid until the next call.
  const Entry* Find(const Url& url, TimePoint now);

  /// Asks about the URL's origin for a lease of its host, of which nothing is asked yet.
  void Ask(const Url& url, std::uint64_t lease);

  /// What is to be sent now: what was never sent, and what was sent before `resend_before`, which
  /// is not after `now`.
  std::vector<ToCoordinator> TakeDue(TimePoint now, TimePoint resend_before);
  /// The connection was lost: everything is to be sent again.
  void ResendAll();

  enum class Verdict {
    kNone,      // an answer to nobody, or the origin is to be fetched first
    kKnown,     // Find() has it
    kDeferred,  // nothing of the host is to be fetched for now
  };
  struct Answered {
    Verdict verdict = Verdict::kNone;
    std::string host;  // whose question has ended; not for kNone
  };
  /// `user_agent` is what the rules are matched with.
  Answered OnAnswer(const RobotsAnswer& answer, std::string_view user_agent, TimePoint now);

  /// The next origin whose robots.txt is to be fetched by this worker. Fetched() follows.
  std::optional<std::string> TakeFetch();
  /// What came of it. Nobody is told when its question has ended meanwhile.
  void Fetched(RobotsReport report);

  /// The lease has ended, and with it a question that was asked for it: the host's name, then.
  std::optional<std::string> DropLease(std::uint64_t lease);
  /// So have all; whose questions have ended.
  std::vector<std::string> DropAll();

  /// The size of the reports that wait for an answer.
  std::size_t report_bytes() const { return report_bytes_; }

 private:
  struct Kept {
    Entry entry;
    TimePoint until;
    std::size_t body_bytes = 0;
    std::list<std::string>::iterator use;
  };
  struct Question {
    std::string origin;
    std::uint64_t lease = 0;
    int failures = 0;                    // as told with the order to fetch
    bool to_fetch = false;               // is in to_fetch_
    std::optional<RobotsReport> report;  // what came of that order
    std::optional<TimePoint> sent;       // report or query
  };
  using Questions = std::unordered_map<std::string, Question>;

  void Keep(const std::string& origin, Entry entry, std::size_t body_bytes, TimePoint until);
  void Forget(const std::string& origin);
  void SetReport(Question& question, std::optional<RobotsReport> report);
  ToCoordinator Send(const std::string& host, Question& question, TimePoint now);
  void OrderFetch(Questions::iterator question, int failures);
  /// Returns the host.
  std::string End(Questions::iterator question);

  const std::size_t max_origins_;
  const std::size_t max_body_bytes_;
  std::unordered_map<std::string, Kept> origins_;
  std::list<std::string> uses_;  // latest first
  std::size_t body_bytes_ = 0;

  Questions questions_;                                      // by host
  std::unordered_map<std::uint64_t, std::string> hosts_of_;  // lease -> host of its question
  std::deque<std::string> to_fetch_;                         // hosts
  std::unordered_set<std::string> fetching_;                 // origins
  std::size_t report_bytes_ = 0;

  // Of these questions some may have ended, or were sent meanwhile: TakeDue() is called often, and
  // looks at none that is not due.
  std::vector<std::string> unsent_;  // hosts
  struct Sent {
    TimePoint when;
    std::string host;
  };
  std::deque<Sent> sent_;  // in the order of time
};

}  // namespace trawl

// Who asks for the robots.txt of which origin, and what each is told: at most one worker fetches it
// at a time while all others wait, and what comes of it is kept in the store, so that over all
// workers and restarts an origin is asked once a day.
//
// An origin that cannot be had (429, 5xx, no answer) is deferred with its host, longer each time,
// and given up after the last retry. It is in the table only while somebody waits for it, so the
// table is no larger than the number of live leases times the two origins of a host.
//
// Every event appends to the actions; whoever drives it carries them out in order: each Read ends
// in OnRead(), each Keep in OnKept(). No I/O, no clock; `now` is the time of day.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "coordinator/store/robots_record.h"
#include "coordinator/store/store.h"
#include "proto/messages.h"

namespace trawl {

/// How often an origin is asked again whose robots.txt could not be had.
struct RobotsRetries {
  int limit = 3;
  milliseconds delay{5'000};  // before the first; doubles each time, up to kMaxRobotsRetryDelay
};

/// RFC 9309, section 2.4: no longer than 24 hours.
inline constexpr milliseconds kRobotsLife = std::chrono::hours(24);
/// Well within the life of a record, which has to outlast it.
inline constexpr milliseconds kMaxRobotsRetryDelay = std::chrono::hours(12);

class RobotsTable {
 public:
  /// Whose question it is: a worker that holds a lease of the origin's host.
  struct Asker {
    std::string worker;
    LeaseId lease = 0;
  };

  /// Read what the store has of the origin.
  struct Read {
    std::string origin;
  };
  /// Keep it in the store.
  struct Keep {
    std::string origin;
    RobotsRecord record;
  };
  struct Answer {
    std::vector<Asker> to;  // at least one
    RobotsAnswer answer;
  };
  /// Lease nothing of the origin's host for so long.
  struct Defer {
    std::string origin;
    milliseconds wait{0};
  };
  /// Something that a person should know.
  struct Tell {
    std::string text;
  };
  using Action = std::variant<Read, Keep, Answer, Defer, Tell>;

  explicit RobotsTable(RobotsRetries retries) : retries_(retries) {}

  /// Repeated questions and reports change nothing. The lease is live, and of the origin's host.
  void Query(const std::string& origin, const Asker& asker);
  void Report(RobotsReport report, const Asker& asker);

  void OnRead(const std::string& origin, const std::optional<RobotsRecord>& record, WallTime now);
  void OnKept(const std::string& origin, const RobotsRecord& record, WallTime now);

  /// The lease has ended, or its worker is lost: it waits for nothing, and if it was fetching, the
  /// next that waits fetches.
  void Forget(LeaseId lease);

  std::vector<Action> TakeActions() { return std::exchange(actions_, {}); }

  /// Origins that somebody waits for.
  std::size_t size() const { return origins_.size(); }

 private:
  struct Origin {
    enum class Step { kNone, kRead, kKeep };
    Step step = Step::kNone;             // under way
    std::vector<Asker> waiting;          // in the order in which they asked
    std::optional<LeaseId> fetching;     // which of those that wait fetches it
    int failures = 0;                    // tries that failed before that fetch
    std::optional<RobotsReport> report;  // is judged by what the store has
  };

  Origin& Join(const std::string& origin, const Asker& asker);
  void StartRead(const std::string& origin, Origin& state);
  /// The first that waits fetches; without any the origin is forgotten.
  void LetFetch(const std::string& origin, Origin& state);
  void SayFetch(const std::string& origin, const Origin& state);
  void AnswerAll(const std::string& origin, const RobotsRecord& record, WallTime now);
  RobotsRecord RecordOf(const RobotsReport& report, const std::optional<RobotsRecord>& before,
                        WallTime now) const;
  void CountFailure(RobotsRecord& record, const RobotsFailure& failure,
                    const std::optional<RobotsRecord>& before) const;
  void TellOf(const std::string& origin, const RobotsRecord& record);

  const RobotsRetries retries_;
  std::unordered_map<std::string, Origin> origins_;
  std::unordered_map<LeaseId, std::vector<std::string>> origins_of_;  // that a lease waits for
  std::vector<Action> actions_;
};

}  // namespace trawl

// The job of a MemoryStore: what RedisStore keeps in Redis, as plain tables, and the same steps on
// them.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "coordinator/store/memory_store.h"

namespace trawl {

struct MemoryStore::Job {
  using Queue = std::list<FrontierEntry>;
  using Queues = std::map<std::pair<int, std::string>, Queue>;  // (depth, host); none is empty
  struct Place {
    Queues::iterator queue;
    Queue::iterator entry;
  };
  struct Lease {
    std::string worker;
    std::string host;
    int depth = 0;
    int connections = 0;
    std::map<int, FrontierEntry> entries;  // never empty
  };
  /// What has become of a URL that was leased ahead, while it is not back in its queue.
  struct Ahead {
    Admission::Was state = Admission::Was::kLeased;
    std::uint64_t item = 0;  // kRedirected and kFailed: the outbox item of its row
    Error reason = Error::kHttpStatus;
    LeaseId lease = 0;  // kFetched, and what its page counted
    int index = 0;
    std::uint64_t bytes = 0;
    std::uint64_t links = 0;
  };
  /// Where a URL that has moved while it was leased is to wait, and as what.
  struct Moving {
    int depth = 0;
    FrontierEntry entry;
  };

  std::uint64_t epoch = 0;
  std::map<std::string, std::string> fields;
  std::map<std::string, std::uint64_t> stats = NewStats();
  std::map<std::string, std::string> workers;
  std::string control;
  std::uint64_t outbox_first = 0;
  std::deque<std::string> outbox;
  std::unordered_map<std::string, RobotsRecord> robots;  // by origin

  int open_depth = 0;
  std::vector<RoundCounts> rounds{1};
  std::unordered_set<Fingerprint> seen;
  std::map<int, std::unordered_set<Fingerprint>> beyond;  // depths above open_depth only
  SetLimitsStep limits;
  std::unordered_map<std::string, std::int64_t> pages_of_host;  // of each that was ever admitted
  std::unordered_map<std::string, std::uint64_t> hosts_of_domain;
  Queues queues;
  std::map<int, std::unordered_map<Fingerprint, Place>> waiting;  // depths above open_depth only
  std::unordered_map<std::string, Ahead> ahead;                   // by URL; of open_depth + 1
  std::unordered_map<std::string, Moving> moving;                 // by URL
  std::map<LeaseId, Lease> leases;
  std::multimap<WallTime, std::pair<int, FrontierEntry>> delayed;  // by due time; with its depth
  std::map<std::string, WallTime> paused;                          // host -> until

  Result<Reply> Apply(const AdmitStep& step);
  Result<Reply> Apply(const LeaseStep& step);
  Result<Reply> Apply(const AcceptStep& step);
  Result<Reply> Apply(const WakeStep& step);
  Result<Reply> Apply(const ExpireStep& step);
  Result<Reply> Apply(const GiveUpStep& step);
  Result<Reply> Apply(const SetLimitsStep& step);
  Result<Reply> Apply(const OpenRoundStep& step);
  Result<Reply> Apply(const SaveJobStep& step);
  Result<Reply> Apply(const SaveWorkersStep& step);
  Result<Reply> Apply(const ReadControlStep& step);
  Result<Reply> Apply(const ReadOutboxStep& step);
  Result<Reply> Apply(const ReadRobotsStep& step);
  Result<Reply> Apply(const KeepRobotsStep& step);

  static std::map<std::string, std::uint64_t> NewStats();
  /// The authority of a URL; empty when the text cannot be one (no scheme, a blank inside).
  static std::string_view HostOf(std::string_view url);
  static bool IsSound(const Candidate& candidate) { return !HostOf(candidate.url).empty(); }
  static bool AreSound(const std::vector<Candidate>& candidates);
  RoundCounts& Round(int depth);
  std::uint64_t Post(std::string item);
  void Refuse(LeaseId id, int index);
  int DepthOf(const Lease& lease, const FrontierEntry& entry) const;
  Snapshot Describe() const;
  std::string Imbalance() const;

  // memory_admission.cc
  Admission Admit(int depth, Fingerprint fingerprint, FrontierEntry entry, const Domains& domains);
  Admission::Kind AdmitToHost(const FrontierEntry& entry, const Domains& domains);
  void CountPage(const FrontierEntry& entry, int change);
  void Push(int depth, Fingerprint fingerprint, FrontierEntry entry);
  void PutBack(int depth, FrontierEntry entry);
  int TakeWaiting(Fingerprint fingerprint, int depth);
  bool TakeBack(FrontierEntry& entry, int depth, Admission& admission);
  void PostBeyond(int depth, const std::vector<Candidate>& links, const std::string& referrer);

  // memory_leases.cc
  Moving TakeMoving(const Lease& lease, const FrontierEntry& entry);
  int EndMoved(const AcceptStep& step, Lease& lease);
  std::optional<Admission> End(const AcceptStep& step, const Lease& lease,
                               const FrontierEntry& entry);
  void Fail(int depth, const FrontierEntry& entry, Error reason, std::string item);
  void GiveUp(int depth, const FrontierEntry& entry, Error reason);
};

}  // namespace trawl

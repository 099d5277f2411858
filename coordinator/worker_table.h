// The workers that are connected: who they are, when they were last heard, and how many URLs each
// may still take (its credit). No I/O, no clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "proto/messages.h"

namespace trawl {

struct Worker {
  std::string name;
  std::string host;
  std::int64_t pid = 0;
  std::uint64_t process = 0;      // Hello's
  std::uint32_t capacity = 0;     // URLs it may hold; 0: leaving
  std::uint32_t outstanding = 0;  // URLs leased to it and not ended
  std::uint32_t in_flight = 0;
  std::uint64_t pages = 0;
  TimePoint last_heard{};

  std::uint32_t credit() const { return capacity > outstanding ? capacity - outstanding : 0; }
};

class WorkerTable {
 public:
  /// A worker said hello, perhaps not for the first time; `outstanding` URLs are leased to it.
  void Hello(const trawl::Hello& hello, TimePoint now, std::uint32_t outstanding);
  void Heartbeat(const std::string& name, const WorkerHeartbeat& heartbeat, TimePoint now);
  /// Any other message of the worker.
  void Heard(const std::string& name, TimePoint now);
  void Remove(const std::string& name);

  const Worker* Find(const std::string& name) const;
  /// URLs were leased to it (positive) or have ended (negative). No-op for an unknown worker.
  void Outstanding(const std::string& name, int change);

  /// The worker with credit that holds the fewest URLs; nullptr when none has credit.
  const Worker* LeastLoaded() const;
  /// Workers not heard since `before`, removed from the table.
  std::vector<std::string> TakeSilent(TimePoint before);

  /// Workers that take work (capacity above 0).
  int working() const { return working_; }
  const std::unordered_map<std::string, Worker>& all() const { return workers_; }

 private:
  /// Changes a worker and keeps the orders over all workers right.
  template <class Change>
  void Update(Worker& worker, Change change);

  std::unordered_map<std::string, Worker> workers_;
  std::set<std::pair<std::uint32_t, std::string>> by_load_;  // of those with credit
  std::set<std::pair<TimePoint, std::string>> by_silence_;
  int working_ = 0;
};

}  // namespace trawl

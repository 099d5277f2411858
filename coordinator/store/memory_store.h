// A store in this process's memory: for tests and simulations, quick enough for thousands of small
// crawls a second. Calls `then` before Apply() or Open() returns. One thread.
//
// A MemoryStore is one coordinator's handle on a job. The job outlives the coordinator that uses
// the handle: Open() it again and the next coordinator goes on where the last one stopped.
// SameJob() gives a second handle, as another process would have it; the job obeys the one opened
// last.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "coordinator/store/store.h"

namespace trawl {

class MemoryStore : public Store {
 public:
  MemoryStore();
  ~MemoryStore() override;

  MemoryStore SameJob() const { return MemoryStore(job_); }

  void Open(OpenMode mode, std::map<std::string, std::string> job, OnOpen then) override;
  void Apply(const Step& step, OnReply then) override;

  /// What a person does with redis-cli.
  void SetControl(std::string control);

  // What a person reads with redis-cli.
  const std::map<std::string, std::string>& job() const;
  const std::map<std::string, std::uint64_t>& stats() const;
  const std::map<std::string, std::string>& workers() const;
  /// The items not dropped yet.
  const std::deque<std::string>& outbox() const;

  /// What Open() would tell, without opening: `epoch` is the current one.
  Snapshot Peek() const;

  /// What is wrong with the job: a depth at which admitted is not waiting, delayed, leased and
  /// ended URLs together, or a URL in two places. Empty: nothing.
  std::string Imbalance() const;

 private:
  struct Job;

  explicit MemoryStore(std::shared_ptr<Job> job);

  std::shared_ptr<Job> job_;  // shared by all handles on the job
  std::uint64_t epoch_ = 0;   // 0: not opened
};

}  // namespace trawl

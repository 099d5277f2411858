#include "coordinator/worker_table.h"

namespace trawl {

template <class Change>
void WorkerTable::Update(Worker& worker, Change change) {
  by_silence_.erase({worker.last_heard, worker.name});
  by_load_.erase({worker.outstanding, worker.name});
  working_ -= worker.capacity > 0;
  change(worker);
  working_ += worker.capacity > 0;
  if (worker.credit() > 0) by_load_.emplace(worker.outstanding, worker.name);
  by_silence_.emplace(worker.last_heard, worker.name);
}

void WorkerTable::Hello(const trawl::Hello& hello, TimePoint now, std::uint32_t outstanding) {
  Worker& worker = workers_[hello.name];
  worker.name = hello.name;
  Update(worker, [&](Worker& changed) {
    changed.host = hello.host;
    changed.pid = hello.pid;
    changed.process = hello.process;
    changed.capacity = hello.capacity;
    changed.outstanding = outstanding;
    changed.last_heard = now;
  });
}

void WorkerTable::Heartbeat(const std::string& name, const WorkerHeartbeat& heartbeat,
                            TimePoint now) {
  const auto found = workers_.find(name);
  if (found == workers_.end()) return;
  Update(found->second, [&](Worker& changed) {
    changed.capacity = heartbeat.capacity;
    changed.in_flight = heartbeat.in_flight;
    changed.pages = heartbeat.pages;
    changed.last_heard = now;
  });
}

void WorkerTable::Heard(const std::string& name, TimePoint now) {
  const auto found = workers_.find(name);
  if (found == workers_.end()) return;
  Worker& worker = found->second;
  by_silence_.erase({worker.last_heard, name});
  worker.last_heard = now;
  by_silence_.emplace(now, name);
}

void WorkerTable::Remove(const std::string& name) {
  const auto found = workers_.find(name);
  if (found == workers_.end()) return;
  const Worker& worker = found->second;
  by_silence_.erase({worker.last_heard, name});
  by_load_.erase({worker.outstanding, name});
  working_ -= worker.capacity > 0;
  workers_.erase(found);
}

const Worker* WorkerTable::Find(const std::string& name) const {
  const auto found = workers_.find(name);
  return found == workers_.end() ? nullptr : &found->second;
}

void WorkerTable::Outstanding(const std::string& name, int change) {
  const auto found = workers_.find(name);
  if (found == workers_.end()) return;
  Update(found->second, [&](Worker& changed) { changed.outstanding += change; });
}

const Worker* WorkerTable::LeastLoaded() const {
  return by_load_.empty() ? nullptr : &workers_.at(by_load_.begin()->second);
}

std::vector<std::string> WorkerTable::TakeSilent(TimePoint before) {
  std::vector<std::string> silent;
  while (!by_silence_.empty() && by_silence_.begin()->first < before) {
    silent.push_back(by_silence_.begin()->second);
    Remove(silent.back());
  }
  return silent;
}

}  // namespace trawl

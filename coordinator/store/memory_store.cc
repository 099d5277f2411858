#include "coordinator/store/memory_store.h"

#include <utility>

#include "coordinator/store/memory_job.h"

namespace trawl {

MemoryStore::MemoryStore() : MemoryStore(std::make_shared<Job>()) {}
MemoryStore::MemoryStore(std::shared_ptr<Job> job) : job_(std::move(job)) {}
MemoryStore::~MemoryStore() = default;

void MemoryStore::Open(OpenMode mode, std::map<std::string, std::string> job, OnOpen then) {
  const bool is_new = job_->epoch == 0;
  const auto caller = job.find("coordinator");
  const auto in_charge = job_->fields.find("coordinator");
  const bool is_own =
      caller != job.end() && in_charge != job_->fields.end() && caller->second == in_charge->second;
  if (mode == OpenMode::kCreate && !is_new && !is_own) return then(Error::kUsage);
  if (mode != OpenMode::kCreate && is_new) return then(Error::kUsage);
  if (mode == OpenMode::kReopen && !is_own) return then(Error::kStepRefused);
  const auto rules = job.find("rules");
  if (!is_new && rules != job.end() && job_->fields.contains("rules") &&
      job_->fields.at("rules") != rules->second) {
    return then(Error::kRulesChanged);
  }
  if (is_new) {
    job_->fields = std::move(job);
  } else if (caller != job.end()) {
    job_->fields["coordinator"] = caller->second;
  }
  const auto state = job_->fields.find("state");
  const bool has_stopped =
      state == job_->fields.end() || (state->second != "running" && state->second != "paused");
  if (job_->control == "stop" && has_stopped) job_->control = "run";
  epoch_ = ++job_->epoch;
  then(job_->Describe());
}

void MemoryStore::Apply(const Step& step, OnReply then) {
  if (epoch_ == 0 || epoch_ != job_->epoch) return then(Error::kStepRefused);
  then(std::visit([this](const auto& taken) { return job_->Apply(taken); }, step));
}

void MemoryStore::SetControl(std::string control) { job_->control = std::move(control); }

const std::map<std::string, std::string>& MemoryStore::job() const { return job_->fields; }
const std::map<std::string, std::uint64_t>& MemoryStore::stats() const { return job_->stats; }
const std::map<std::string, std::string>& MemoryStore::workers() const { return job_->workers; }
const std::deque<std::string>& MemoryStore::outbox() const { return job_->outbox; }

std::string MemoryStore::Imbalance() const { return job_->Imbalance(); }

Snapshot MemoryStore::Peek() const { return job_->Describe(); }

}  // namespace trawl

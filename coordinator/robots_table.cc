#include "coordinator/robots_table.h"

#include <algorithm>

#include "common/text.h"
#include "common/utf8.h"

namespace trawl {
namespace {

using State = RobotsRecord::State;

/// Whether the origin has to be asked (again) by now.
bool IsDue(const std::optional<RobotsRecord>& record, WallTime now) {
  return !record || (record->state == State::kFailing && record->next_try <= now);
}

/// Whether a report says something new. A failure that arrives twice is counted once.
bool Counts(const RobotsReport& report, const std::optional<RobotsRecord>& record) {
  if (!record) return true;
  if (record->state == State::kRules || record->state == State::kAllowAll) return false;
  if (!std::holds_alternative<RobotsFailure>(report.result)) return true;
  return record->state == State::kFailing && record->failures == report.failures;
}

RobotsAnswer AnswerBy(const std::string& origin, const RobotsRecord& record, WallTime now) {
  const milliseconds life = std::max(milliseconds(0), record.expires - now);
  switch (record.state) {
    case State::kRules:
      return {origin, RobotsVerdict::Rules{record.body, life}};
    case State::kAllowAll:
      return {origin, RobotsVerdict::AllowAll{life}};
    case State::kGivenUp:
      return {origin, RobotsVerdict::GivenUp{record.reason, record.detail, life}};
    case State::kFailing:
      break;
  }
  return {origin, RobotsVerdict::Defer{}};
}

}  // namespace

// ---- Who waits ----

RobotsTable::Origin& RobotsTable::Join(const std::string& origin, const Asker& asker) {
  Origin& state = origins_[origin];
  const bool known = std::any_of(state.waiting.begin(), state.waiting.end(),
                                 [&](const Asker& other) { return other.lease == asker.lease; });
  if (!known) {
    state.waiting.push_back(asker);
    origins_of_[asker.lease].push_back(origin);
  }
  return state;
}

void RobotsTable::Query(const std::string& origin, const Asker& asker) {
  Origin& state = Join(origin, asker);
  if (state.step != Origin::Step::kNone) return;
  if (!state.fetching) return StartRead(origin, state);
  if (state.fetching == asker.lease) SayFetch(origin, state);  // it may have been lost on the way
}

void RobotsTable::Report(RobotsReport report, const Asker& asker) {
  const std::string origin = report.origin;
  Origin& state = Join(origin, asker);
  // What is just being kept answers this one too.
  if (state.step == Origin::Step::kKeep) return;
  state.report = std::move(report);
  if (state.step == Origin::Step::kNone) StartRead(origin, state);
}

void RobotsTable::Forget(LeaseId lease) {
  const auto node = origins_of_.extract(lease);
  if (!node) return;
  for (const std::string& origin : node.mapped()) {
    Origin& state = origins_.at(origin);
    std::erase_if(state.waiting, [&](const Asker& asker) { return asker.lease == lease; });
    const bool was_fetching = state.fetching == lease;
    if (was_fetching) state.fetching.reset();
    if (was_fetching && state.step == Origin::Step::kNone) LetFetch(origin, state);
  }
}

// ---- What they are told ----

void RobotsTable::StartRead(const std::string& origin, Origin& state) {
  state.step = Origin::Step::kRead;
  actions_.push_back(Read{origin});
}

void RobotsTable::SayFetch(const std::string& origin, const Origin& state) {
  for (const Asker& asker : state.waiting) {
    if (asker.lease != state.fetching) continue;
    actions_.push_back(Answer{{asker}, {origin, RobotsVerdict::Fetch{state.failures}}});
  }
}

void RobotsTable::LetFetch(const std::string& origin, Origin& state) {
  if (state.waiting.empty()) {
    origins_.erase(origin);
    return;
  }
  state.fetching = state.waiting.front().lease;
  SayFetch(origin, state);
}

void RobotsTable::AnswerAll(const std::string& origin, const RobotsRecord& record, WallTime now) {
  const auto node = origins_.extract(origin);
  if (!node) return;
  if (record.state == State::kFailing) {
    actions_.push_back(Defer{origin, std::max(milliseconds(0), record.next_try - now)});
  }
  std::vector<Asker>& waiting = node.mapped().waiting;
  if (waiting.empty()) return;
  for (const Asker& asker : waiting) {
    const auto asked = origins_of_.find(asker.lease);
    std::erase(asked->second, origin);
    if (asked->second.empty()) origins_of_.erase(asked);
  }
  actions_.push_back(Answer{std::move(waiting), AnswerBy(origin, record, now)});
}

// ---- Replies of the store ----

void RobotsTable::OnRead(const std::string& origin, const std::optional<RobotsRecord>& record,
                         WallTime now) {
  const auto found = origins_.find(origin);
  if (found == origins_.end()) return;
  Origin& state = found->second;
  const std::optional<RobotsReport> report = std::exchange(state.report, {});
  if (report && Counts(*report, record)) {
    state.step = Origin::Step::kKeep;
    actions_.push_back(Keep{origin, RecordOf(*report, record, now)});
    return;
  }
  state.step = Origin::Step::kNone;
  if (!IsDue(record, now)) return AnswerAll(origin, *record, now);
  if (state.fetching) {
    // Whoever fetches has repeated an old report, and so has not heard that it is to fetch again.
    if (report && report->lease_id == *state.fetching) SayFetch(origin, state);
    return;
  }
  state.failures = record ? record->failures : 0;
  LetFetch(origin, state);
}

void RobotsTable::OnKept(const std::string& origin, const RobotsRecord& record, WallTime now) {
  TellOf(origin, record);
  AnswerAll(origin, record, now);
}

RobotsRecord RobotsTable::RecordOf(const RobotsReport& report,
                                   const std::optional<RobotsRecord>& before, WallTime now) const {
  RobotsRecord record;
  record.status = report.status;
  record.fetched = now;
  record.expires = now + kRobotsLife;
  if (const auto* rules = std::get_if<RobotsFile>(&report.result)) {
    record.state = State::kRules;
    record.body = rules->body;
  } else if (const auto* failure = std::get_if<RobotsFailure>(&report.result)) {
    CountFailure(record, *failure, before);
  }
  return record;
}

void RobotsTable::CountFailure(RobotsRecord& record, const RobotsFailure& failure,
                               const std::optional<RobotsRecord>& before) const {
  record.failures = (before ? before->failures : 0) + 1;
  record.detail = failure.detail;
  // Once the host has been reached, it is its robots.txt that is amiss.
  record.reason = before && before->reason == Error::kRobots ? Error::kRobots : failure.reason;
  // An address that must not be reached will not be any other time either.
  if (record.failures > retries_.limit || failure.permanent || failure.reason == Error::kAddress) {
    record.state = State::kGivenUp;
    const std::string tries = " (" + std::to_string(record.failures) + " tries)";
    if (record.failures > 1) {
      record.detail = CutUtf8(record.detail, kMaxTextBytes - tries.size());
      record.detail += tries;
    }
    return;
  }
  record.state = State::kFailing;
  milliseconds wait = std::min(retries_.delay, kMaxRobotsRetryDelay);
  for (int retry = 1; retry < record.failures; ++retry) {
    wait = std::min(2 * wait, kMaxRobotsRetryDelay);
  }
  record.next_try = record.fetched + wait;
}

void RobotsTable::TellOf(const std::string& origin, const RobotsRecord& record) {
  const std::string what = origin + ": " + Printable(record.detail);
  if (record.state == State::kFailing) {
    const milliseconds wait = record.next_try - record.fetched;
    actions_.push_back(Tell{what + "; the host waits " + std::to_string(wait.count()) +
                            " ms until it is asked again (" + std::to_string(record.failures) +
                            " of " + std::to_string(retries_.limit) + ")"});
  } else if (record.state == State::kGivenUp) {
    actions_.push_back(Tell{what + "; its URLs are given up"});
  }
}

}  // namespace trawl

#include "worker/robots_cache.h"

#include <algorithm>
#include <utility>

namespace trawl {

// ---- What is known ----

const RobotsCache::Entry* RobotsCache::Find(const Url& url, TimePoint now) {
  const auto found = origins_.find(std::string(url.origin()));
  if (found == origins_.end() || found->second.until <= now) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return &found->second.entry;
}

void RobotsCache::Forget(const std::string& origin) {
  const auto node = origins_.extract(origin);
  if (!node) return;
  body_bytes_ -= node.mapped().body_bytes;
  uses_.erase(node.mapped().use);
}

void RobotsCache::Keep(const std::string& origin, Entry entry, std::size_t body_bytes,
                       TimePoint until) {
  Forget(origin);
  while (!uses_.empty() &&
         (origins_.size() >= max_origins_ || body_bytes_ + body_bytes > max_body_bytes_)) {
    Forget(std::string(uses_.back()));
  }
  uses_.push_front(origin);
  body_bytes_ += body_bytes;
  origins_.emplace(origin, Kept{std::move(entry), until, body_bytes, uses_.begin()});
}

// ---- What is asked ----

void RobotsCache::Ask(const Url& url, std::uint64_t lease) {
  const std::string host(url.authority());
  Question question;
  question.origin = url.origin();
  question.lease = lease;
  if (!questions_.emplace(host, std::move(question)).second) return;
  hosts_of_[lease] = host;
  unsent_.push_back(host);
}

std::vector<ToCoordinator> RobotsCache::TakeDue(TimePoint now, TimePoint resend_before) {
  std::vector<ToCoordinator> due;
  for (const std::string& host : std::exchange(unsent_, {})) {
    const auto found = questions_.find(host);
    if (found == questions_.end() || found->second.sent) continue;
    due.push_back(Send(host, found->second, now));
  }
  while (!sent_.empty() && sent_.front().when < resend_before) {
    const Sent sent = std::move(sent_.front());
    sent_.pop_front();
    const auto found = questions_.find(sent.host);
    if (found == questions_.end() || found->second.sent != sent.when) continue;
    Question& question = found->second;
    // Who fetches has been heard, and is asked for nothing until the fetch has ended.
    if (question.to_fetch || fetching_.contains(question.origin)) continue;
    due.push_back(Send(sent.host, question, now));
  }
  return due;
}

ToCoordinator RobotsCache::Send(const std::string& host, Question& question, TimePoint now) {
  question.sent = now;
  sent_.push_back({now, host});
  if (question.report) return *question.report;
  return RobotsQuery{question.lease, question.origin};
}

void RobotsCache::ResendAll() {
  sent_.clear();
  for (auto& [host, question] : questions_) {
    question.sent.reset();
    unsent_.push_back(host);
  }
}

void RobotsCache::SetReport(Question& question, std::optional<RobotsReport> report) {
  const auto bytes = [](const std::optional<RobotsReport>& of) -> std::size_t {
    const auto* rules = of ? std::get_if<RobotsFile>(&of->result) : nullptr;
    return rules ? rules->body.size() : 0;
  };
  report_bytes_ += bytes(report);
  report_bytes_ -= bytes(question.report);
  question.report = std::move(report);
}

std::string RobotsCache::End(Questions::iterator question) {
  std::string host = question->first;
  if (question->second.to_fetch) std::erase(to_fetch_, host);
  SetReport(question->second, std::nullopt);
  hosts_of_.erase(question->second.lease);
  questions_.erase(question);
  return host;
}

std::optional<std::string> RobotsCache::DropLease(std::uint64_t lease) {
  const auto found = hosts_of_.find(lease);
  if (found == hosts_of_.end()) return std::nullopt;
  return End(questions_.find(found->second));
}

std::vector<std::string> RobotsCache::DropAll() {
  std::vector<std::string> hosts;
  while (!questions_.empty()) {
    hosts.push_back(questions_.begin()->first);
    End(questions_.begin());
  }
  return hosts;
}

// ---- What is answered ----

RobotsCache::Answered RobotsCache::OnAnswer(const RobotsAnswer& answer, std::string_view user_agent,
                                            TimePoint now) {
  const auto question = questions_.find(std::string(AuthorityOf(answer.origin + "/")));
  if (question == questions_.end() || question->second.origin != answer.origin) return {};
  if (const auto* fetch = std::get_if<RobotsVerdict::Fetch>(&answer.verdict)) {
    OrderFetch(question, fetch->failures);
    return {};
  }
  if (std::holds_alternative<RobotsVerdict::Defer>(answer.verdict)) {
    return {Verdict::kDeferred, End(question)};
  }
  if (const auto* rules = std::get_if<RobotsVerdict::Rules>(&answer.verdict)) {
    Keep(answer.origin,
         {Robots::Parse(rules->body, user_agent), Error::kRobots, "robots.txt does not allow it"},
         rules->body.size(), now + rules->life);
  } else if (const auto* given_up = std::get_if<RobotsVerdict::GivenUp>(&answer.verdict)) {
    Keep(answer.origin, {Robots::DisallowAll(), given_up->reason, given_up->detail}, 0,
         now + given_up->life);
  } else {
    Keep(answer.origin, {Robots::AllowAll(), Error::kRobots, {}}, 0,
         now + std::get<RobotsVerdict::AllowAll>(answer.verdict).life);
  }
  return {Verdict::kKnown, End(question)};
}

void RobotsCache::OrderFetch(Questions::iterator found, int failures) {
  Question& question = found->second;
  // The order that has been carried out already: its report is on the way.
  if (question.report && question.failures == failures) return;
  SetReport(question, std::nullopt);
  question.failures = failures;
  if (question.to_fetch || fetching_.contains(question.origin)) return;
  question.to_fetch = true;
  to_fetch_.push_back(found->first);
}

std::optional<std::string> RobotsCache::TakeFetch() {
  if (to_fetch_.empty()) return std::nullopt;
  Question& question = questions_.at(to_fetch_.front());
  to_fetch_.pop_front();
  question.to_fetch = false;
  fetching_.insert(question.origin);
  return question.origin;
}

void RobotsCache::Fetched(RobotsReport report) {
  fetching_.erase(report.origin);
  const auto found = questions_.find(std::string(AuthorityOf(report.origin + "/")));
  if (found == questions_.end() || found->second.origin != report.origin) return;
  report.lease_id = found->second.lease;
  report.failures = found->second.failures;
  SetReport(found->second, std::move(report));
  found->second.sent.reset();
  unsent_.push_back(found->first);
}

}  // namespace trawl

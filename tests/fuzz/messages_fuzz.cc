// A message of either side in any bytes: refused, or a value that keeps the documented limits and
// that its own bytes mean.
#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/messages.h"
#include "tests/fuzz/fuzz.h"

namespace trawl {
namespace {

bool IsText(const std::string& text) { return text.size() <= kMaxTextBytes; }
bool IsUrlText(const std::string& text) { return text.size() <= kMaxUrlTextBytes; }
bool IsTime(milliseconds time) { return time >= milliseconds(0) && time <= kMaxTime; }
bool IsCount(int count) { return count >= 0; }

template <class Value, class Predicate>
bool All(const std::vector<Value>& values, Predicate predicate) {
  return std::all_of(values.begin(), values.end(), predicate);
}

bool KeepsLimits(const FrontierEntry& entry) {
  return !entry.url.empty() && IsUrlText(entry.url) && IsUrlText(entry.referrer) &&
         IsCount(entry.attempt) && IsCount(entry.hops) && IsCount(entry.losses) &&
         IsCount(entry.sitemap);
}

bool KeepsLimits(const Hello& hello) {
  if (!IsText(hello.name)) return false;
  return hello.protocol_version != kProtocolVersion ||
         (!hello.name.empty() && IsText(hello.host) && hello.capacity <= kMaxCapacity &&
          hello.lease_ids.size() <= kMaxHeldLeases);
}

bool KeepsLimits(const WorkerHeartbeat& heartbeat) {
  return heartbeat.capacity <= kMaxCapacity && heartbeat.lease_ids.size() <= kMaxHeldLeases;
}

bool KeepsLimits(const Fetched&) { return true; }
bool KeepsLimits(const Redirected& redirected) {
  return IsUrlText(redirected.to) && redirected.status >= 0 && redirected.status <= 999;
}
bool KeepsLimits(const Failed& failed) {
  return IsText(failed.detail) && failed.status >= 0 && failed.status <= 999;
}
bool KeepsLimits(const Returned&) { return true; }

bool KeepsLimits(const Report& report) {
  return report.index >= 0 && report.index < static_cast<int>(kMaxLeaseEntries) &&
         report.links.size() + report.sitemaps.size() <= kMaxReportLinks &&
         All(report.links, IsUrlText) && All(report.sitemaps, IsUrlText) &&
         KeepsLimits(report.entry) && IsTime(report.elapsed) && IsTime(report.crawl_delay) &&
         (!report.outcome ||
          std::visit([](const auto& outcome) { return KeepsLimits(outcome); }, *report.outcome));
}

bool KeepsLimits(const Reports& reports) {
  return All(reports.reports, [](const Report& report) { return KeepsLimits(report); });
}

bool IsOrigin(const std::string& origin) { return !origin.empty() && IsText(origin); }
bool IsFailures(int failures) { return failures >= 0 && failures <= kMaxRobotsFailures; }
bool IsRobotsBody(const std::string& body) { return body.size() <= Robots::kMaxBytes; }

bool KeepsLimits(const RobotsQuery& query) { return IsOrigin(query.origin); }
bool KeepsLimits(const RobotsFile& file) { return IsRobotsBody(file.body); }
bool KeepsLimits(const RobotsAllowAll&) { return true; }
bool KeepsLimits(const RobotsFailure& failure) { return IsText(failure.detail); }
bool KeepsLimits(const RobotsReport& report) {
  return IsOrigin(report.origin) && IsFailures(report.failures) && report.status >= 0 &&
         report.status <= 999 &&
         std::visit([](const auto& result) { return KeepsLimits(result); }, report.result);
}

bool KeepsLimits(const RobotsVerdict::Rules& rules) {
  return IsRobotsBody(rules.body) && IsTime(rules.life);
}
bool KeepsLimits(const RobotsVerdict::AllowAll& all) { return IsTime(all.life); }
bool KeepsLimits(const RobotsVerdict::Fetch& fetch) { return IsFailures(fetch.failures); }
bool KeepsLimits(const RobotsVerdict::Defer&) { return true; }
bool KeepsLimits(const RobotsVerdict::GivenUp& given_up) {
  return IsText(given_up.detail) && IsTime(given_up.life);
}
bool KeepsLimits(const RobotsAnswer& answer) {
  return IsOrigin(answer.origin) &&
         std::visit([](const auto& verdict) { return KeepsLimits(verdict); }, answer.verdict);
}

bool KeepsLimits(const Welcome& welcome) {
  const CrawlSettings& settings = welcome.settings;
  return IsText(welcome.job) && IsTime(welcome.heartbeat_interval) &&
         IsTime(welcome.lease_timeout) && IsText(settings.user_agent) &&
         All(settings.private_hosts, IsText) && All(settings.content_types, IsText) &&
         IsTime(settings.fetch_timeout) && settings.max_links_per_page > 0;
}

bool KeepsLimits(const Refused& refused) { return IsText(refused.detail); }

bool KeepsLimits(const Lease& lease) {
  return IsText(lease.host) && lease.depth >= 0 && lease.connections >= 1 && IsTime(lease.delay) &&
         IsTime(lease.start_after) && lease.entries.size() <= kMaxLeaseEntries &&
         All(lease.entries, [](const FrontierEntry& entry) { return KeepsLimits(entry); });
}

bool KeepsLimits(const Acks&) { return true; }
bool KeepsLimits(const CoordinatorHeartbeat& heartbeat) {
  return heartbeat.ended_lease_ids.size() <= kMaxHeldLeases;
}
bool KeepsLimits(const Recall& recall) { return recall.host.size() <= kMaxTextBytes; }
bool KeepsLimits(const Drain&) { return true; }
bool KeepsLimits(const WorkerGoodbye& goodbye) { return IsText(goodbye.reason); }
bool KeepsLimits(const CoordinatorGoodbye& goodbye) { return IsText(goodbye.reason); }

template <class Message>
void CheckMessage(std::string_view bytes, Result<Message> (*decode)(std::string_view)) {
  const Result<Message> message = decode(bytes);
  if (!message.has_value()) {
    Check(message.error() == Error::kBadMessage, "what is no message is a bad one", {bytes});
    return;
  }
  const bool keeps = std::visit([](const auto& body) { return KeepsLimits(body); }, *message);
  Check(keeps, "a message keeps the limits", {bytes});
  const std::string encoded = Encode(*message);
  const Result<Message> decoded = decode(encoded);
  Check(decoded.has_value() && decoded->index() == message->index() && Encode(*decoded) == encoded,
        "the bytes of a message mean it", {bytes, encoded});
}

}  // namespace

void FuzzOne(std::string_view input) {
  CheckMessage(input, &DecodeToCoordinator);
  CheckMessage(input, &DecodeToWorker);
}

}  // namespace trawl

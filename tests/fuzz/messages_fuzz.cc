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
         IsCount(entry.attempt) && IsCount(entry.hops) && IsCount(entry.losses);
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
         report.links.size() <= kMaxReportLinks && All(report.links, IsUrlText) &&
         KeepsLimits(report.entry) && IsTime(report.elapsed) && IsTime(report.crawl_delay) &&
         (!report.outcome ||
          std::visit([](const auto& outcome) { return KeepsLimits(outcome); }, *report.outcome));
}

bool KeepsLimits(const Reports& reports) {
  return All(reports.reports, [](const Report& report) { return KeepsLimits(report); });
}

bool KeepsLimits(const Welcome& welcome) {
  const CrawlSettings& settings = welcome.settings;
  return IsText(welcome.job) && IsTime(welcome.heartbeat_interval) &&
         IsTime(welcome.lease_timeout) && IsText(settings.user_agent) &&
         All(settings.private_hosts, IsText) && All(settings.content_types, IsText) &&
         IsTime(settings.fetch_timeout);
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

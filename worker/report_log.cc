#include "worker/report_log.h"

#include <algorithm>
#include <iterator>

namespace trawl {
namespace {

/// Links of one part: few enough that no step of the store takes long.
constexpr std::size_t kLinksPerPart = kMaxReportLinks;
constexpr std::size_t kLinkBytesPerPart = 1024 * 1024;
/// Reports are gathered into messages of about this size.
constexpr std::size_t kBytesPerMessage = 256 * 1024;

std::size_t BytesOf(const Report& report) {
  constexpr std::size_t kFixed = 64;
  std::size_t bytes = kFixed + report.entry.url.size() + report.entry.referrer.size();
  for (const std::string& link : report.links) bytes += link.size() + 4;
  return bytes;
}

}  // namespace

void ReportLog::Keep(Report report) {
  report.sequence = ++last_sequence_;
  ++parts_of_[report.lease_id];
  Kept kept{std::move(report), 0, {}};
  kept.bytes = BytesOf(kept.report);
  bytes_ += kept.bytes;
  reports_.emplace(last_sequence_, std::move(kept));
}

void ReportLog::Add(Report report) {
  std::vector<std::string> links = std::exchange(report.links, {});
  Report part = report;
  part.outcome.reset();
  std::size_t part_bytes = 0;
  for (std::string& link : links) {
    if (part.links.size() == kLinksPerPart || part_bytes + link.size() > kLinkBytesPerPart) {
      Keep(part);
      part.links.clear();
      part_bytes = 0;
    }
    part_bytes += link.size();
    part.links.push_back(std::move(link));
  }
  report.links = std::move(part.links);
  Keep(std::move(report));
}

std::vector<Reports> ReportLog::TakeDue(TimePoint now, TimePoint resend_before) {
  std::vector<Reports> messages;
  std::size_t message_bytes = kBytesPerMessage;  // the first report opens a message
  for (auto& [sequence, kept] : reports_) {
    const bool never_sent = sequence >= first_unsent_;
    if (!never_sent && kept.sent >= resend_before) continue;
    kept.sent = now;
    if (message_bytes + kept.bytes > kBytesPerMessage) {
      messages.emplace_back();
      message_bytes = 0;
    }
    message_bytes += kept.bytes;
    messages.back().reports.push_back(kept.report);
  }
  first_unsent_ = last_sequence_ + 1;
  return messages;
}

void ReportLog::ResendAll() {
  first_unsent_ = reports_.empty() ? last_sequence_ + 1 : reports_.begin()->first;
}

void ReportLog::Acknowledge(const Ack& ack) {
  const auto found = reports_.find(ack.sequence);
  if (found == reports_.end() || ack.verdict == Ack::Verdict::kRetry) return;
  const auto parts = parts_of_.find(found->second.report.lease_id);
  if (--parts->second == 0) parts_of_.erase(parts);
  bytes_ -= found->second.bytes;
  reports_.erase(found);
}

std::vector<std::uint64_t> ReportLog::leases() const {
  std::vector<std::uint64_t> ids;
  ids.reserve(parts_of_.size());
  for (const auto& [id, parts] : parts_of_) ids.push_back(id);
  return ids;
}

}  // namespace trawl

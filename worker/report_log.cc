#include "worker/report_log.h"

#include <algorithm>
#include <iterator>

namespace trawl {
namespace {

constexpr std::size_t kLinkBytesPerPart = 1024 * 1024;
/// Reports are gathered into messages of about this size.
constexpr std::size_t kBytesPerMessage = 256 * 1024;

std::size_t BytesOf(const Report& report) {
  constexpr std::size_t kFixed = 64;
  std::size_t bytes = kFixed + report.entry.url.size() + report.entry.referrer.size();
  for (const std::string& link : report.links) bytes += link.size() + 4;
  for (const std::string& sitemap : report.sitemaps) bytes += sitemap.size() + 4;
  return bytes;
}

}  // namespace

void ReportLog::Keep(Report report, int depth_of_links, std::uint64_t last_part, int parts_before) {
  report.sequence = ++last_sequence_;
  ++parts_of_[report.lease_id];
  Kept kept;
  kept.report = std::move(report);
  kept.depth_of_links = depth_of_links;
  kept.last_part = last_part;
  kept.parts_before = parts_before;
  kept.bytes = BytesOf(kept.report) + kept.report.links.size() * sizeof(Link);
  kept.links.reserve(kept.report.links.size());
  for (std::string& link : std::exchange(kept.report.links, {})) {
    const Fingerprint fingerprint = FingerprintOf(link);
    kept.links.push_back({std::move(link), fingerprint});
  }
  bytes_ += kept.bytes;
  MakeDue(last_sequence_, reports_.emplace(last_sequence_, std::move(kept)).first->second);
}

bool ReportLog::FitsInOnePart(const Report& report) const {
  return report.links.size() + report.sitemaps.size() <= links_per_part_ &&
         BytesOf(report) <= kLinkBytesPerPart;
}

void ReportLog::MakeDue(std::uint64_t sequence, Kept& kept) {
  bytes_under_way_ -= std::exchange(kept.bytes_sent, 0);
  kept.sent = {};
  if (kept.parts_before == 0) due_.insert(sequence);
}

void ReportLog::Add(Report report, int depth) {
  const int depth_of_links = report.entry.DepthOfLinks(depth);
  if (FitsInOnePart(report)) return Keep(std::move(report), depth_of_links, last_sequence_ + 1, 0);
  struct Part {
    std::vector<std::string> links;
    std::vector<std::string> sitemaps;
  };
  std::vector<Part> parts(1);
  std::size_t part_bytes = 0;
  const auto split = [&](std::vector<std::string> urls, std::vector<std::string> Part::*list) {
    for (std::string& url : urls) {
      if (parts.back().links.size() + parts.back().sitemaps.size() == links_per_part_ ||
          part_bytes + url.size() > kLinkBytesPerPart) {
        parts.emplace_back();
        part_bytes = 0;
      }
      part_bytes += url.size();
      (parts.back().*list).push_back(std::move(url));
    }
  };
  split(std::exchange(report.sitemaps, {}), &Part::sitemaps);
  split(std::exchange(report.links, {}), &Part::links);
  const int parts_before = static_cast<int>(parts.size()) - 1;
  const std::uint64_t last_part = last_sequence_ + parts.size();
  for (int i = 0; i < parts_before; ++i) {
    Report part = report;
    part.outcome.reset();
    part.links = std::move(parts[i].links);
    part.sitemaps = std::move(parts[i].sitemaps);
    Keep(std::move(part), depth_of_links, last_part, 0);
  }
  report.links = std::move(parts.back().links);
  report.sitemaps = std::move(parts.back().sitemaps);
  Keep(std::move(report), depth_of_links, last_part, parts_before);
}

std::vector<Reports> ReportLog::TakeDue(TimePoint now, TimePoint resend_before) {
  for (; !sent_.empty() && sent_.front().first < resend_before; sent_.pop_front()) {
    const auto found = reports_.find(sent_.front().second);
    if (found == reports_.end() || found->second.sent != sent_.front().first) continue;
    MakeDue(found->first, found->second);
  }
  std::vector<Reports> messages;
  std::size_t message_bytes = kBytesPerMessage;  // the first report opens a message
  while (!due_.empty() && bytes_under_way_ < max_bytes_under_way_) {
    const std::uint64_t sequence = *due_.begin();
    due_.erase(due_.begin());
    Kept& kept = reports_.at(sequence);
    kept.sent = now;
    sent_.emplace_back(now, sequence);
    Report report = ToBeSent(kept);
    kept.bytes_sent = BytesOf(report);
    bytes_under_way_ += kept.bytes_sent;
    if (message_bytes + kept.bytes_sent > kBytesPerMessage) {
      messages.emplace_back();
      message_bytes = 0;
    }
    message_bytes += kept.bytes_sent;
    messages.back().reports.push_back(std::move(report));
  }
  return messages;
}

void ReportLog::ResendAll() {
  for (auto& [sequence, kept] : reports_) MakeDue(sequence, kept);
  sent_.clear();
  settled_.Clear();
}

Report ReportLog::ToBeSent(const Kept& kept) const {
  Report report = kept.report;
  for (const Link& link : kept.links) {
    if (!settled_.Knows(link.fingerprint, kept.depth_of_links)) report.links.push_back(link.url);
  }
  return report;
}

void ReportLog::Acknowledge(const Ack& ack) {
  const auto found = reports_.find(ack.sequence);
  if (found == reports_.end() || ack.verdict == Ack::Verdict::kRetry) return;
  const Kept& kept = found->second;
  // What was left out was settled when it was sent, and still is as long as it is under way.
  if (ack.links_settled && kept.sent != TimePoint()) {
    for (const Link& link : kept.links) settled_.Learn(link.fingerprint, kept.depth_of_links);
  }
  const auto last_part = reports_.find(kept.last_part);
  if (last_part != found && last_part != reports_.end() && --last_part->second.parts_before == 0) {
    due_.insert(kept.last_part);
  }
  const auto parts = parts_of_.find(kept.report.lease_id);
  if (--parts->second == 0) parts_of_.erase(parts);
  bytes_ -= kept.bytes;
  bytes_under_way_ -= kept.bytes_sent;
  due_.erase(ack.sequence);
  reports_.erase(found);
}

std::vector<std::uint64_t> ReportLog::leases() const {
  std::vector<std::uint64_t> ids;
  ids.reserve(parts_of_.size());
  for (const auto& [id, parts] : parts_of_) ids.push_back(id);
  return ids;
}

}  // namespace trawl

// The reports that the coordinator has not acknowledged yet: numbered, kept, sent again. No I/O, no
// clock.
//
// Links that the coordinator has settled are not sent again, whatever page has them.
//
// A report whose links and sitemaps are too many for one message is split. Its last part, which
// ends the URL, is sent only when all parts before it were acknowledged: parts may get lost with a
// connection, and a URL that has ended takes no links any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/link_memory.h"
#include "proto/messages.h"

namespace trawl {

class ReportLog {
 public:
  static constexpr std::size_t kMaxBytesUnderWay = 1024 * 1024;

  explicit ReportLog(std::size_t links_per_part = kMaxReportLinks,
                     std::size_t max_bytes_under_way = kMaxBytesUnderWay)
      : links_per_part_(links_per_part), max_bytes_under_way_(max_bytes_under_way) {}

  /// Numbers the report, or its parts, and keeps them to be sent. `report.sequence` is ignored;
  /// `depth` is that of the URL's lease.
  void Add(Report report, int depth);

  /// What is to be sent now, in order, as messages of bounded size: reports that were never sent,
  /// and those sent before `resend_before`. Little more than `max_bytes_under_way` wait for their
  /// acknowledgement at a time: a coordinator that is slow has no more of them in its queues.
  std::vector<Reports> TakeDue(TimePoint now, TimePoint resend_before);
  /// The coordinator may be another one, with a store that was set back: everything is to be sent
  /// again, and nothing is settled.
  void ResendAll();

  /// kRetry keeps the report until it is due again; the others end it.
  void Acknowledge(const Ack& ack);

  /// Leases that wait for an acknowledgement, each once.
  std::vector<std::uint64_t> leases() const;
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return reports_.empty(); }

 private:
  struct Link {
    std::string url;
    Fingerprint fingerprint = 0;
  };
  struct Kept {
    Report report;  // its links are those below
    std::vector<Link> links;
    int depth_of_links = 0;
    std::size_t bytes = 0;
    TimePoint sent{};             // the beginning of time: not under way
    std::size_t bytes_sent = 0;   // while under way
    std::uint64_t last_part = 0;  // sequence of the report's last part
    int parts_before = 0;         // of the last part: those not acknowledged yet
  };

  bool FitsInOnePart(const Report& report) const;
  void Keep(Report report, int depth_of_links, std::uint64_t last_part, int parts_before);
  void MakeDue(std::uint64_t sequence, Kept& kept);
  /// The report without the links that are settled.
  Report ToBeSent(const Kept& kept) const;

  const std::size_t links_per_part_;
  const std::size_t max_bytes_under_way_;
  std::unordered_map<std::uint64_t, Kept> reports_;
  std::set<std::uint64_t> due_;                           // to be sent, but for lack of room
  std::deque<std::pair<TimePoint, std::uint64_t>> sent_;  // by time; may be acknowledged by now
  std::size_t bytes_under_way_ = 0;                       // of those sent
  LinkMemory settled_;
  std::map<std::uint64_t, int> parts_of_;  // lease -> parts kept
  std::uint64_t last_sequence_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace trawl

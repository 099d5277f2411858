// The reports that the coordinator has not acknowledged yet: numbered, kept, sent again. No I/O, no
// clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "common/clock.h"
#include "proto/messages.h"

namespace trawl {

class ReportLog {
 public:
  /// Splits a report whose links are too many for one message, numbers the parts, and keeps them to
  /// be sent. `report.sequence` is ignored.
  void Add(Report report);

  /// What is to be sent now, in order, as messages of bounded size: reports that were never sent,
  /// and those sent before `resend_before`.
  std::vector<Reports> TakeDue(TimePoint now, TimePoint resend_before);
  /// The connection was lost: everything is to be sent again.
  void ResendAll();

  /// kRetry keeps the report until it is due again; the others end it.
  void Acknowledge(const Ack& ack);

  /// Leases that wait for an acknowledgement, each once.
  std::vector<std::uint64_t> leases() const;
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return reports_.empty(); }

 private:
  struct Kept {
    Report report;
    std::size_t bytes = 0;
    TimePoint sent{};  // the beginning of time: never
  };

  void Keep(Report report);

  std::map<std::uint64_t, Kept> reports_;
  std::map<std::uint64_t, int> parts_of_;  // lease -> parts kept
  std::uint64_t last_sequence_ = 0;
  std::uint64_t first_unsent_ = 1;  // no report below was never sent
  std::size_t bytes_ = 0;
};

}  // namespace trawl

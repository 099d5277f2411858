// What a person sees of a running crawl: one updating block on a terminal, else a plain line every
// few seconds, and a summary at the end. The texts are made by pure functions; the class knows the
// terminal and when it is time.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "common/clock.h"
#include "coordinator/coordinator.h"

namespace trawl {

/// "1:02:03" or "0:07".
std::string ElapsedText(milliseconds elapsed);
/// "1.5 GB", in powers of ten.
std::string BytesText(std::uint64_t bytes);

/// One line without its end. `rate` is in pages a second.
std::string ProgressLine(const Coordinator::Progress& progress, double rate, milliseconds elapsed);
/// Several lines, each with its end.
std::string ProgressBlock(const std::string& job, const Coordinator::Progress& progress,
                          double rate, milliseconds elapsed);
/// Several lines, each with its end; `pages_before` were fetched before this process began.
std::string SummaryText(const std::string& job, const Coordinator::Progress& progress,
                        const std::string& stopped_because, std::uint64_t pages_before,
                        milliseconds elapsed);

class ProgressDisplay {
 public:
  /// `out` is borrowed; `terminal` says whether it understands cursor movements.
  ProgressDisplay(std::ostream& out, bool terminal, std::string job, TimePoint started)
      : out_(out), terminal_(terminal), job_(std::move(job)), started_(started) {}

  /// Shows the progress when it is time to.
  void Update(const Coordinator::Progress& progress, TimePoint now);
  /// Takes the block off the terminal, before something else is printed.
  void Clear();

 private:
  std::ostream& out_;
  const bool terminal_;
  const std::string job_;
  const TimePoint started_;
  TimePoint next_{};
  int lines_shown_ = 0;

  // Of the rate: pages and time of the last update.
  std::optional<std::uint64_t> last_pages_;
  TimePoint last_time_{};
};

}  // namespace trawl

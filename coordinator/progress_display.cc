#include "coordinator/progress_display.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

namespace trawl {
namespace {

constexpr milliseconds kBlockInterval{500};
constexpr milliseconds kLineInterval{5'000};

double PerSecond(std::uint64_t count, milliseconds time) {
  return static_cast<double>(count) * 1000.0 /
         static_cast<double>(std::max<std::int64_t>(1, time.count()));
}

/// Not below zero, though a count may have gone down: what moves to another depth counts no more.
std::uint64_t Since(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

std::string RateText(double rate) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), rate < 10 ? "%.1f" : "%.0f", rate);
  return text.data();
}

/// "  (dns 2, timeout 3)"; empty for no counts.
std::string ByReasonText(const auto& counts) {
  std::string text;
  for (const auto& [reason, count] : counts) {
    if (count == 0) continue;
    text += (text.empty() ? "  (" : ", ") + reason + ' ' + std::to_string(count);
  }
  return text.empty() ? text : text + ')';
}

std::string_view PhaseText(const Coordinator::Progress& progress) {
  if (progress.store_lost) return "waiting for Redis";
  switch (progress.phase) {
    case Coordinator::Phase::kStarting:
      return "starting";
    case Coordinator::Phase::kRunning:
      return "running";
    case Coordinator::Phase::kPaused:
      return "paused";
    case Coordinator::Phase::kDraining:
      return "stopping";
    case Coordinator::Phase::kClosing:
    case Coordinator::Phase::kSaving:
    case Coordinator::Phase::kParting:
    case Coordinator::Phase::kEnded:
      return "ending";
  }
  return "";
}

}  // namespace

std::string ElapsedText(milliseconds elapsed) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
  std::array<char, 32> text;
  if (seconds >= 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld",
                  static_cast<long long>(seconds / 3600), static_cast<long long>(seconds / 60 % 60),
                  static_cast<long long>(seconds % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", static_cast<long long>(seconds / 60),
                  static_cast<long long>(seconds % 60));
  }
  return text.data();
}

std::string BytesText(std::uint64_t bytes) {
  static constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string ProgressLine(const Coordinator::Progress& progress, double rate, milliseconds elapsed) {
  std::ostringstream line;
  line << ElapsedText(elapsed) << " " << PhaseText(progress) << ": round " << progress.round << ", "
       << progress.counts.fetched << " pages (" << RateText(rate) << "/s), frontier "
       << progress.waiting << ", in flight " << progress.in_flight << ", failed "
       << progress.counts.failed << ", workers " << progress.workers;
  return line.str();
}

std::string ProgressBlock(const std::string& job, const Coordinator::Progress& progress,
                          double rate, milliseconds elapsed) {
  std::ostringstream block;
  block << "trawl " << job << "  " << PhaseText(progress) << "  " << ElapsedText(elapsed) << "\n"
        << "  pages " << progress.counts.fetched << " (" << RateText(rate) << "/s, "
        << BytesText(progress.counts.bytes) << ")  redirects " << progress.counts.redirected
        << "  failed " << progress.counts.failed << "\n"
        << "  round " << progress.round << "  frontier " << progress.waiting << "  in flight "
        << progress.in_flight << "  hosts " << progress.hosts << "  workers " << progress.workers
        << "\n";
  return block.str();
}

std::string SummaryText(const std::string& job, const Coordinator::Progress& progress,
                        const std::string& stopped_because, std::uint64_t pages_before,
                        milliseconds elapsed) {
  const Coordinator::Counts& counts = progress.counts;
  std::ostringstream text;
  text << "job " << job << " ";
  if (stopped_because.empty()) {
    text << "finished";
  } else {
    text << "stopped (" << stopped_because << ")";
  }
  text << " after " << ElapsedText(elapsed) << "\n"
       << "  pages      " << counts.fetched << "  (" << BytesText(counts.bytes) << ", "
       << RateText(PerSecond(Since(pages_before, counts.fetched), elapsed)) << " pages/s)\n"
       << "  redirects  " << counts.redirected << "\n"
       << "  failed     " << counts.failed << ByReasonText(counts.failed_by_reason) << "\n";
  if (!counts.dropped_by_reason.empty()) {
    std::uint64_t dropped = 0;
    for (const auto& [reason, count] : counts.dropped_by_reason) dropped += count;
    text << "  dropped    " << dropped << ByReasonText(counts.dropped_by_reason) << "\n";
  }
  if (progress.waiting + progress.leased > 0) {
    text << "  waiting    " << progress.waiting + progress.leased << "  (--resume goes on)\n";
  }
  return text.str();
}

void ProgressDisplay::Update(const Coordinator::Progress& progress, TimePoint now) {
  if (now < next_) return;
  const bool first = next_ == TimePoint();
  next_ = now + (terminal_ ? kBlockInterval : kLineInterval);
  const std::uint64_t pages = progress.counts.fetched;
  double rate = 0;
  if (last_pages_) {
    rate = PerSecond(Since(*last_pages_, pages),
                     std::chrono::duration_cast<milliseconds>(now - last_time_));
  }
  last_pages_ = pages;
  last_time_ = now;
  const auto elapsed = std::chrono::duration_cast<milliseconds>(now - started_);
  if (!terminal_) {
    if (!first) out_ << ProgressLine(progress, rate, elapsed) << "\n" << std::flush;
    return;
  }
  Clear();
  const std::string block = ProgressBlock(job_, progress, rate, elapsed);
  lines_shown_ = static_cast<int>(std::count(block.begin(), block.end(), '\n'));
  out_ << block << std::flush;
}

void ProgressDisplay::Clear() {
  if (lines_shown_ == 0) return;
  // Cursor up, then erase to the end of the screen.
  out_ << "\x1b[" << lines_shown_ << "A\x1b[J" << std::flush;
  lines_shown_ = 0;
}

}  // namespace trawl

#include "coordinator/progress_display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

namespace trawl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);

Coordinator::Progress SomeProgress() {
  Coordinator::Progress progress;
  progress.phase = Coordinator::Phase::kRunning;
  progress.round = 2;
  progress.counts.fetched = 120;
  progress.counts.redirected = 7;
  progress.counts.failed = 5;
  progress.counts.bytes = 1'500'000;
  progress.counts.failed_by_reason = {{"dns", 2}, {"timeout", 3}};
  progress.counts.dropped_by_reason = {{"scope", 8}, {"url_length", 1}};
  progress.waiting = 40;
  progress.leased = 30;
  progress.in_flight = 25;
  progress.workers = 4;
  progress.hosts = 9;
  return progress;
}

TEST(ProgressDisplay, ElapsedTimeHasHoursOnlyWhenThereAreSome) {
  const struct {
    std::int64_t ms;
    const char* text;
  } kCases[] = {{0, "0:00"},
                {999, "0:00"},
                {7'000, "0:07"},
                {67'500, "1:07"},
                {3'599'999, "59:59"},
                {3'600'000, "1:00:00"},
                {3'723'000, "1:02:03"},
                {360'000'000, "100:00:00"}};
  for (const auto& c : kCases) EXPECT_EQ(ElapsedText(milliseconds(c.ms)), c.text) << c.ms;
}

TEST(ProgressDisplay, BytesAreInPowersOfTen) {
  const struct {
    std::uint64_t bytes;
    const char* text;
  } kCases[] = {{0, "0 B"},
                {999, "999 B"},
                {1'000, "1.0 kB"},
                {1'550'000, "1.6 MB"},
                {2'000'000'000, "2.0 GB"},
                {3'000'000'000'000, "3.0 TB"},
                {18'000'000'000'000'000'000u, "18000.0 PB"}};
  for (const auto& c : kCases) EXPECT_EQ(BytesText(c.bytes), c.text);
}

TEST(ProgressDisplay, ALineTellsAllThatMatters) {
  EXPECT_EQ(ProgressLine(SomeProgress(), 12.34, milliseconds(65'000)),
            "1:05 running: round 2, 120 pages (12/s), frontier 40, in flight 25, failed 5, "
            "workers 4");
}

TEST(ProgressDisplay, ALowRateHasADecimal) {
  EXPECT_THAT(ProgressLine(SomeProgress(), 0.25, milliseconds(0)), HasSubstr("(0.2/s)"));
  EXPECT_THAT(ProgressLine(SomeProgress(), 1234.5, milliseconds(0)), HasSubstr("(1234/s)"));
}

TEST(ProgressDisplay, EveryPhaseHasAWord) {
  using Phase = Coordinator::Phase;
  const struct {
    Phase phase;
    const char* word;
  } kCases[] = {{Phase::kStarting, "starting"}, {Phase::kRunning, "running"},
                {Phase::kPaused, "paused"},     {Phase::kDraining, "stopping"},
                {Phase::kClosing, "ending"},    {Phase::kSaving, "ending"},
                {Phase::kParting, "ending"},    {Phase::kEnded, "ending"}};
  for (const auto& c : kCases) {
    Coordinator::Progress progress = SomeProgress();
    progress.phase = c.phase;
    EXPECT_THAT(ProgressLine(progress, 0, milliseconds(0)), HasSubstr(c.word));
    EXPECT_THAT(ProgressBlock("job", progress, 0, milliseconds(0)), HasSubstr(c.word));
  }
}

TEST(ProgressDisplay, ALostStoreIsWhatMatters) {
  Coordinator::Progress progress = SomeProgress();
  progress.store_lost = true;
  EXPECT_THAT(ProgressLine(progress, 1, milliseconds(0)), HasSubstr("waiting for Redis"));
  EXPECT_THAT(ProgressBlock("job", progress, 1, milliseconds(0)), HasSubstr("waiting for Redis"));
}

TEST(ProgressDisplay, ABlockIsWholeLinesThatFitATerminal) {
  const std::string block = ProgressBlock("job", SomeProgress(), 12, milliseconds(65'000));
  EXPECT_EQ(block.back(), '\n');
  std::istringstream lines(block);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  for (const char* part : {"job", "1:05", "pages 120", "1.5 MB", "redirects 7", "failed 5",
                           "round 2", "frontier 40", "in flight 25", "hosts 9", "workers 4"}) {
    EXPECT_THAT(block, HasSubstr(part));
  }
}

TEST(ProgressDisplay, TheSummaryTellsHowTheJobEnded) {
  Coordinator::Progress progress = SomeProgress();
  const std::string stopped =
      SummaryText("j", progress, "--max-pages 120", 100, milliseconds(10'000));
  EXPECT_THAT(stopped, StartsWith("job j stopped (--max-pages 120) after 0:10\n"));
  EXPECT_THAT(stopped, HasSubstr("2.0 pages/s")) << "of this process";
  EXPECT_THAT(stopped, HasSubstr("(dns 2, timeout 3)"));
  EXPECT_THAT(stopped, HasSubstr("waiting    70  (--resume goes on)"));
  EXPECT_THAT(stopped, HasSubstr("dropped    9  (scope 8, url_length 1)\n"));

  progress.waiting = progress.leased = 0;
  progress.counts.failed_by_reason.clear();
  progress.counts.dropped_by_reason.clear();
  const std::string finished = SummaryText("j", progress, "", 0, milliseconds(0));
  EXPECT_THAT(finished, StartsWith("job j finished after 0:00\n"));
  EXPECT_THAT(finished, Not(HasSubstr("waiting")));
  EXPECT_THAT(finished, HasSubstr("failed     5\n"));
  EXPECT_THAT(finished, Not(HasSubstr("dropped")));
}

TEST(ProgressDisplay, WithoutATerminalALineComesEveryFiveSeconds) {
  std::ostringstream out;
  ProgressDisplay display(out, false, "job", kNow);
  Coordinator::Progress progress = SomeProgress();
  for (int tick = 0; tick <= 100; ++tick) {
    progress.counts.fetched = 120 + 20 * tick;
    display.Update(progress, kNow + milliseconds(100) * tick);
  }
  display.Clear();
  EXPECT_EQ(out.str(),
            "0:05 running: round 2, 1120 pages (200/s), frontier 40, in flight 25, failed 5, "
            "workers 4\n"
            "0:10 running: round 2, 2120 pages (200/s), frontier 40, in flight 25, failed 5, "
            "workers 4\n");
}

TEST(ProgressDisplay, APageThatCountsNoMoreMakesNoRate) {
  std::ostringstream out;
  ProgressDisplay display(out, false, "job", kNow);
  Coordinator::Progress progress = SomeProgress();
  for (int line = 0; line < 2; ++line) {
    display.Update(progress, kNow + milliseconds(5'000) * line);
    --progress.counts.fetched;
  }
  EXPECT_THAT(out.str(), HasSubstr("(0.0/s)"));
  progress.counts.failed_by_reason["dns"] = 0;
  const std::string summary = SummaryText("j", progress, "", 1'000'000, milliseconds(1));
  EXPECT_THAT(summary, HasSubstr("0.0 pages/s"));
  EXPECT_THAT(summary, HasSubstr("(timeout 3)"));
}

TEST(ProgressDisplay, OnATerminalTheBlockReplacesItself) {
  std::ostringstream out;
  ProgressDisplay display(out, true, "job", kNow);
  display.Update(SomeProgress(), kNow);
  const std::string first = out.str();
  EXPECT_THAT(first, Not(HasSubstr("\x1b")));
  const auto lines = std::count(first.begin(), first.end(), '\n');
  const std::string erase = "\x1b[" + std::to_string(lines) + "A\x1b[J";

  display.Update(SomeProgress(), kNow + milliseconds(499));
  EXPECT_EQ(out.str(), first) << "not yet time";
  display.Update(SomeProgress(), kNow + milliseconds(500));
  EXPECT_THAT(out.str(), StartsWith(first + erase + "trawl job"));

  out.str("");
  display.Clear();
  EXPECT_EQ(out.str(), erase);
  display.Clear();
  EXPECT_EQ(out.str(), erase) << "there is nothing left to clear";
  display.Update(SomeProgress(), kNow + milliseconds(1'000));
  EXPECT_THAT(out.str(), StartsWith(erase + "trawl job"));
}

}  // namespace
}  // namespace trawl

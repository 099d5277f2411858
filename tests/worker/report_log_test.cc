#include "worker/report_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Sequences = std::vector<std::uint64_t>;

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);
constexpr milliseconds kResend{10'000};

constexpr int kDepth = 3;
constexpr std::size_t kAnyBytes = std::size_t{1} << 40;

TimePoint In(int ms) { return kNow + milliseconds(ms); }

Report ReportOf(std::uint64_t lease, std::vector<std::string> links = {}) {
  Report report;
  report.lease_id = lease;
  report.index = 5;
  report.entry = {"http://a.test/", "http://a.test/r", 1, 2, 3};
  report.outcome = Fetched{10, links.size()};
  report.links = std::move(links);
  report.elapsed = milliseconds(7);
  report.crawl_delay = milliseconds(8);
  return report;
}

std::vector<std::string> Links(int count, std::size_t bytes = 20) {
  std::vector<std::string> links;
  for (int i = 0; i < count; ++i) {
    std::string link = "http://a.test/" + std::to_string(i);
    link.resize(std::max(bytes, link.size()), 'x');
    links.push_back(std::move(link));
  }
  return links;
}

std::vector<Report> TakeDue(ReportLog& log, TimePoint now) {
  std::vector<Report> reports;
  for (const Reports& message : log.TakeDue(now, now - kResend)) {
    reports.insert(reports.end(), message.reports.begin(), message.reports.end());
  }
  return reports;
}

Sequences SequencesOf(const std::vector<Report>& reports) {
  Sequences sequences;
  for (const Report& report : reports) sequences.push_back(report.sequence);
  return sequences;
}

TEST(ReportLog, NumbersReportsFromOne) {
  ReportLog log;
  EXPECT_TRUE(log.empty());
  for (int lease = 1; lease <= 3; ++lease) log.Add(ReportOf(lease), kDepth);
  EXPECT_FALSE(log.empty());
  EXPECT_THAT(SequencesOf(TakeDue(log, kNow)), ElementsAre(1, 2, 3));
}

TEST(ReportLog, SendsAReportOnceUntilItIsDueAgain) {
  ReportLog log;
  log.Add(ReportOf(1), kDepth);
  EXPECT_THAT(SequencesOf(TakeDue(log, kNow)), ElementsAre(1));
  EXPECT_THAT(TakeDue(log, In(1)), IsEmpty());
  log.Add(ReportOf(1), kDepth);
  EXPECT_THAT(SequencesOf(TakeDue(log, In(9'999))), ElementsAre(2));
  EXPECT_THAT(SequencesOf(TakeDue(log, In(10'001))), ElementsAre(1));
  EXPECT_THAT(SequencesOf(TakeDue(log, In(30'000))), ElementsAre(1, 2));
}

TEST(ReportLog, HasLittleUnderWayAtATime) {
  ReportLog log;
  constexpr int kReports = 400;
  for (int lease = 1; lease <= kReports; ++lease) {
    log.Add(ReportOf(lease, Links(100, 200)), kDepth);
  }
  ASSERT_GT(log.bytes(), 4 * ReportLog::kMaxBytesUnderWay);
  std::vector<Report> sent = TakeDue(log, kNow);
  EXPECT_LT(sent.size(), kReports / 4u);
  EXPECT_THAT(TakeDue(log, In(1)), IsEmpty());
  log.Acknowledge({1, Ack::Verdict::kDone});
  EXPECT_EQ(TakeDue(log, In(2)).size(), 1u) << "an acknowledged one makes room";
  log.ResendAll();
  EXPECT_EQ(TakeDue(log, In(3)).size(), sent.size());
  std::set<std::uint64_t> all;
  for (int round = 0; !log.empty(); ++round) {
    ASSERT_LT(round, 100);
    for (const Report& report : TakeDue(log, In(20'000 * (round + 1)))) {
      all.insert(report.sequence);
      log.Acknowledge({report.sequence, Ack::Verdict::kDone});
    }
  }
  EXPECT_EQ(all.size(), kReports - 1u);
  EXPECT_EQ(log.bytes(), 0u);
}

TEST(ReportLog, ALostConnectionSendsEverythingAgain) {
  ReportLog log;
  for (int lease = 1; lease <= 3; ++lease) log.Add(ReportOf(lease), kDepth);
  TakeDue(log, kNow);
  log.Acknowledge({1, Ack::Verdict::kDone});
  log.Add(ReportOf(4), kDepth);
  log.ResendAll();
  EXPECT_THAT(SequencesOf(TakeDue(log, In(1))), ElementsAre(2, 3, 4));
  EXPECT_THAT(TakeDue(log, In(2)), IsEmpty());
}

TEST(ReportLog, LeavesOutLinksThatAreSettledAtItsDepthOrASmallerOne) {
  const std::vector<std::string> links = Links(3);
  const struct {
    int depth;     // of the page that comes second; the first is at kDepth
    int sitemap;   // of the second
    bool settled;  // by the first
    bool again;    // the second sends them
  } kCases[] = {
      {kDepth, 0, true, false},     {kDepth + 1, 0, true, false}, {kDepth - 1, 0, true, true},
      {kDepth, 0, false, true},     {kDepth, 1, true, true},      {kDepth + 1, 1, true, false},
      {kDepth + 1, 0, false, true},
  };
  for (const auto& c : kCases) {
    ReportLog log;
    log.Add(ReportOf(1, links), kDepth);
    ASSERT_EQ(TakeDue(log, kNow).at(0).links, links);
    log.Acknowledge({1, Ack::Verdict::kDone, c.settled});
    Report second = ReportOf(2, links);
    second.links.push_back("http://a.test/new");
    second.entry.sitemap = c.sitemap;
    log.Add(second, c.depth);
    const Report sent = TakeDue(log, In(1)).at(0);
    EXPECT_EQ(sent.links.size(), c.again ? 4u : 1u) << c.depth << ' ' << c.sitemap;
    EXPECT_EQ(sent.links.back(), "http://a.test/new");
    EXPECT_EQ(std::get<Fetched>(*sent.outcome).links, 3u) << "of the page";
  }
}

TEST(ReportLog, LeavesOutWhatWasSettledWhileTheReportWaited) {
  ReportLog log(kMaxReportLinks, 1);  // one report at a time
  log.Add(ReportOf(1, Links(3)), kDepth);
  log.Add(ReportOf(2, Links(3)), kDepth);
  ASSERT_THAT(SequencesOf(TakeDue(log, kNow)), ElementsAre(1));
  log.Acknowledge({1, Ack::Verdict::kDone, true});
  EXPECT_THAT(TakeDue(log, In(1)).at(0).links, IsEmpty());
}

TEST(ReportLog, NothingIsSettledAfterALostConnection) {
  // The store of the coordinator that comes next may have been set back.
  ReportLog log;
  log.Add(ReportOf(1, Links(3)), kDepth);
  TakeDue(log, kNow);
  log.Acknowledge({1, Ack::Verdict::kDone, true});
  log.Add(ReportOf(2, Links(3)), kDepth);
  log.Add(ReportOf(3, Links(3)), kDepth);
  ASSERT_THAT(TakeDue(log, In(1)).at(0).links, IsEmpty());
  log.ResendAll();
  log.Acknowledge({3, Ack::Verdict::kDone, true});  // of before
  EXPECT_EQ(TakeDue(log, In(2)).at(0).links, Links(3));
}

TEST(ReportLog, AVerdictSaysWhatComesNext) {
  const struct {
    Ack::Verdict verdict;
    bool kept;
  } kCases[] = {{Ack::Verdict::kDone, false},
                {Ack::Verdict::kNeverRetry, false},
                {Ack::Verdict::kRetry, true}};
  for (const auto& c : kCases) {
    ReportLog log;
    log.Add(ReportOf(1), kDepth);
    TakeDue(log, kNow);
    log.Acknowledge({1, c.verdict});
    EXPECT_EQ(log.empty(), !c.kept);
    EXPECT_THAT(TakeDue(log, In(1)), IsEmpty()) << "after a while only";
    EXPECT_EQ(TakeDue(log, In(20'000)).size(), c.kept ? 1u : 0u);
  }
}

TEST(ReportLog, AnAckOfNothingChangesNothing) {
  ReportLog log;
  log.Add(ReportOf(1), kDepth);
  log.Acknowledge({1, Ack::Verdict::kDone});
  for (const std::uint64_t sequence : {0, 1, 2, 99}) {
    log.Acknowledge({sequence, Ack::Verdict::kDone});
  }
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(log.bytes(), 0u);
  log.Add(ReportOf(1), kDepth);
  EXPECT_THAT(SequencesOf(TakeDue(log, kNow)), ElementsAre(2));
}

TEST(ReportLog, SplitsAReportSoThatOnlyTheLastPartHasAnOutcome) {
  const struct {
    int links;
    std::size_t link_bytes;
    std::vector<std::size_t> parts;
  } kCases[] = {{0, 20, {0}},
                {1, 20, {1}},
                {1'000, 20, {1'000}},
                {1'001, 20, {1'000, 1}},
                {2'500, 20, {1'000, 1'000, 500}},
                {130, 16 * 1024, {64, 64, 2}}};
  for (const auto& c : kCases) {
    const std::vector<std::string> links = Links(c.links, c.link_bytes);
    ReportLog log(kMaxReportLinks, kAnyBytes);
    log.Add(ReportOf(9, links), kDepth);
    std::vector<Report> parts = TakeDue(log, kNow);
    for (const Report& part : std::vector<Report>(parts)) {
      log.Acknowledge({part.sequence, Ack::Verdict::kDone});
    }
    for (Report& last : TakeDue(log, kNow)) parts.push_back(std::move(last));
    std::vector<std::size_t> sizes;
    std::vector<std::string> joined;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Report& part = parts[i];
      sizes.push_back(part.links.size());
      joined.insert(joined.end(), part.links.begin(), part.links.end());
      EXPECT_EQ(part.sequence, i + 1);
      EXPECT_EQ(part.lease_id, 9u);
      EXPECT_EQ(part.index, 5);
      EXPECT_EQ(part.entry, ReportOf(9).entry);
      EXPECT_EQ(part.outcome.has_value(), i + 1 == parts.size());
    }
    EXPECT_EQ(sizes, c.parts);
    EXPECT_EQ(joined, links);
    EXPECT_EQ(std::get<Fetched>(*parts.back().outcome).links, links.size());
    EXPECT_EQ(parts.back().elapsed, milliseconds(7));
    EXPECT_EQ(parts.back().crawl_delay, milliseconds(8));
  }
}

TEST(ReportLog, SplitsSitemapsAsItDoesLinks) {
  ReportLog log(10);
  Report report = ReportOf(9, Links(14));
  report.sitemaps = Links(13);
  log.Add(report, kDepth);
  std::vector<Report> parts = TakeDue(log, kNow);
  for (const Report& part : std::vector<Report>(parts)) {
    log.Acknowledge({part.sequence, Ack::Verdict::kDone});
  }
  for (Report& last : TakeDue(log, kNow)) parts.push_back(std::move(last));
  std::vector<std::string> links, sitemaps;
  for (const Report& part : parts) {
    EXPECT_LE(part.links.size() + part.sitemaps.size(), 10u);
    links.insert(links.end(), part.links.begin(), part.links.end());
    sitemaps.insert(sitemaps.end(), part.sitemaps.begin(), part.sitemaps.end());
  }
  EXPECT_EQ(parts.size(), 3u);
  EXPECT_EQ(links, report.links);
  EXPECT_EQ(sitemaps, report.sitemaps);
}

TEST(ReportLog, TheLastPartWaitsForTheAcknowledgementOfAllBefore) {
  ReportLog log(10);
  log.Add(ReportOf(9, Links(35)), kDepth);
  EXPECT_EQ(TakeDue(log, kNow).size(), 3u);
  log.Acknowledge({1, Ack::Verdict::kDone});
  log.Acknowledge({3, Ack::Verdict::kRetry});
  log.Acknowledge({2, Ack::Verdict::kDone});
  log.Acknowledge({2, Ack::Verdict::kDone});
  EXPECT_THAT(TakeDue(log, kNow), IsEmpty());
  log.ResendAll();
  EXPECT_EQ(TakeDue(log, kNow).size(), 1u) << "the third part, lost on its way";
  log.Acknowledge({3, Ack::Verdict::kDone});
  const std::vector<Report> last = TakeDue(log, kNow);
  ASSERT_EQ(last.size(), 1u);
  EXPECT_TRUE(last[0].outcome);
  EXPECT_EQ(last[0].links.size(), 5u);
}

TEST(ReportLog, EveryMessageCanBeDecoded) {
  ReportLog log(kMaxReportLinks, kAnyBytes);
  log.Add(ReportOf(1, Links(500, Url::kMaxUrlBytes)), kDepth);
  for (int lease = 2; lease < 1'000; ++lease) log.Add(ReportOf(lease, Links(3)), kDepth);
  std::size_t reports = 0;
  for (const Reports& message : log.TakeDue(kNow, TimePoint())) {
    const std::string bytes = Encode(ToCoordinator(message));
    EXPECT_LT(bytes.size(), kMaxMessageBytes / 8) << "no step of the store takes long";
    EXPECT_TRUE(DecodeToCoordinator(bytes));
    reports += message.reports.size();
  }
  EXPECT_EQ(reports, 7u + 998u) << "the eighth part waits for the others";
}

TEST(ReportLog, ReportsTravelTogether) {
  ReportLog log;
  for (int lease = 0; lease < 100; ++lease) log.Add(ReportOf(lease), kDepth);
  EXPECT_EQ(log.TakeDue(kNow, TimePoint()).size(), 1u);
  EXPECT_THAT(log.TakeDue(kNow, TimePoint()), IsEmpty());
}

TEST(ReportLog, NamesLeasesUntilTheirLastPartIsAcknowledged) {
  ReportLog log;
  log.Add(ReportOf(7, Links(1'500)), kDepth);
  log.Add(ReportOf(8), kDepth);
  log.Add(ReportOf(8), kDepth);
  EXPECT_THAT(log.leases(), UnorderedElementsAre(7, 8));
  log.Acknowledge({2, Ack::Verdict::kDone});
  log.Acknowledge({3, Ack::Verdict::kDone});
  log.Acknowledge({4, Ack::Verdict::kNeverRetry});
  EXPECT_THAT(log.leases(), ElementsAre(7));
  log.Acknowledge({1, Ack::Verdict::kDone});
  EXPECT_THAT(log.leases(), IsEmpty());
}

TEST(ReportLog, KnowsItsSize) {
  ReportLog log;
  log.Add(ReportOf(1, Links(1'000, 100)), kDepth);
  EXPECT_GE(log.bytes(), 100'000u);
  EXPECT_LE(log.bytes(), 200'000u);
  log.Acknowledge({1, Ack::Verdict::kDone});
  EXPECT_EQ(log.bytes(), 0u);
}

}  // namespace
}  // namespace trawl

// Fetches that fail and are tried again, and hosts that ask for fewer requests, as the sites see
// it.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <ostream>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

using std::chrono::milliseconds;

class Retries : public CrawlFixture {
 protected:
  static constexpr int kLeaves = 20;

  /// A page with links to leaves, each of which is `bad` so many times before it is well.
  static void Fill(TestSite& site, TestPage bad, int failures) {
    std::string links;
    for (int i = 0; i < kLeaves; ++i) links += "<a href=/leaf/" + std::to_string(i) + ">x</a>";
    site.SetHtml("/", links);
    auto tries = std::make_shared<std::map<std::string, int, std::less<>>>();
    site.SetFallback([bad = std::move(bad), failures, tries](std::string_view path) {
      if (path == "/robots.txt") return TestPage{.status = 404};
      if ((*tries)[std::string(path)]++ < failures) return bad;
      return TestPage{.body = "leaf"};
    });
  }
  static Flags With(Flags more) {
    Flags flags = Fast();
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
  void ExpectAllPages(const TestSite& site, std::size_t tries_each) {
    EXPECT_EQ(Pages().size(), std::size_t{kLeaves + 1});
    EXPECT_TRUE(Errors().empty());
    for (int i = 0; i < kLeaves; ++i) {
      EXPECT_EQ(site.request_count("/leaf/" + std::to_string(i)), tries_each) << i;
    }
    EXPECT_EQ(Stat("admitted"), Stat("fetched") + Stat("redirected") + Stat("failed"));
    EXPECT_EQ(Stat("delayed"), 0u);
  }
};

struct Failure {
  const char* name;
  TestPage page;
};

void PrintTo(const Failure& failure, std::ostream* out) { *out << failure.name; }

class RetriesAfter : public Retries, public ::testing::WithParamInterface<Failure> {};

INSTANTIATE_TEST_SUITE_P(
    , RetriesAfter,
    ::testing::Values(Failure{"AnError", {.status = 500}},
                      Failure{"ACutBody", {.body = "half", .fault = TestPage::Fault::kCloseInBody}},
                      Failure{"AReset", {.fault = TestPage::Fault::kResetBeforeHead}}),
    [](const auto& info) { return info.param.name; });

TEST_P(RetriesAfter, BringThePage) {
  TestSite site;
  Fill(site, GetParam().page, 2);
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast(), 2));
  ExpectAllPages(site, 3);
  EXPECT_GE(Stat("retries"), std::uint64_t{kLeaves});
}

TEST_F(Retries, EndInARowThatTellsTheTries) {
  TestSite site;
  site.SetHtml("/", "<a href=/bad>x</a><a href=/gone>x</a>");
  site.Set("/bad", {.body = "half", .fault = TestPage::Fault::kCloseInBody});
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, With({"--retries", "3"})));
  for (const auto& row : Read("errors.jsonl")) {
    const bool bad = Text(row, "url") == site.Url("/bad");
    EXPECT_EQ(Text(row, "reason"), bad ? "truncated" : "http_status");
    EXPECT_EQ(row.at("attempts"), bad ? 4 : 1);
  }
  EXPECT_EQ(site.request_count("/bad"), 4u);
  EXPECT_EQ(site.request_count("/gone"), 1u) << "a 404 stays one";
}

TEST_F(Retries, GoOnAfterEverythingWasKilled) {
  TestSite site;
  Fill(site, {.status = 502}, 1);
  Flags flags = With({"--retry-delay", "2000", "--lease-timeout", "3000"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, flags));
  Process& worker = StartWorker();
  ASSERT_TRUE(WaitUntil([&] { return Stat("delayed") == std::uint64_t{kLeaves}; }));
  worker.Signal(SIGKILL);
  coordinator().Signal(SIGKILL);
  ASSERT_TRUE(coordinator().Wait());
  flags.push_back("--resume");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags));
  ExpectAllPages(site, 2);
}

/// A site that answers 429 with this Retry-After once it has had `well` requests for pages, and
/// again until that time is over.
void LimitRate(TestSite& site, int well, std::chrono::seconds pause) {
  using Clock = std::chrono::steady_clock;
  struct State {
    int asked = 0;
    std::optional<Clock::time_point> until;
  };
  auto state = std::make_shared<State>();
  site.SetFallback([=](std::string_view path) -> TestPage {
    if (path == "/robots.txt") return {.status = 404};
    if (++state->asked == well) state->until = Clock::now() + pause;
    if (state->until && Clock::now() < *state->until) {
      return {.status = 429, .headers = {{"Retry-After", std::to_string(pause.count())}}};
    }
    return {.body = "leaf"};
  });
}

class RateLimit : public Retries {
 protected:
  static constexpr std::chrono::seconds kPause{2};

  static std::string Links() {
    std::string links;
    for (int i = 0; i < kLeaves; ++i) links += "<a href=/leaf/" + std::to_string(i) + ">x</a>";
    return links;
  }
  /// Between the last request before the pause and the first one after it.
  static milliseconds LongestGap(const TestSite& site) {
    milliseconds longest{0};
    const auto requests = site.requests();
    for (std::size_t i = 1; i < requests.size(); ++i) {
      longest = std::max(longest, std::chrono::duration_cast<milliseconds>(requests[i].time -
                                                                           requests[i - 1].time));
    }
    return longest;
  }
  /// Requests that were refused: those beyond one for each page and one for robots.txt.
  static std::size_t Refused(const TestSite& site) { return site.request_count() - kLeaves - 2; }
};

TEST_F(RateLimit, IsWaitedOut) {
  TestSite site;
  site.SetHtml("/", Links());
  LimitRate(site, 5, kPause);
  const Flags flags = {"--host-delay", "20", "--host-connections", "2"};
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags, 2));
  EXPECT_EQ(Pages().size(), std::size_t{kLeaves + 1});
  EXPECT_TRUE(Errors().empty());
  EXPECT_GE(LongestGap(site), kPause - milliseconds(100));
  EXPECT_LE(Refused(site), 2u) << "what was under way with the first";
}

TEST_F(RateLimit, IsWaitedOutWhateverIsKilledMeanwhile) {
  TestSite site;
  site.SetHtml("/", Links());
  LimitRate(site, 5, kPause);
  Flags flags = {"--host-delay", "20", "--host-connections", "2", "--lease-timeout", "1000"};
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site.Url("/")}, flags));
  Process& worker = StartWorker();
  ASSERT_TRUE(WaitUntil([&] { return Stat("retries") > 0; }));
  worker.Signal(SIGKILL);
  coordinator().Signal(SIGKILL);
  ASSERT_TRUE(coordinator().Wait());
  flags.push_back("--resume");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, flags, 2));
  EXPECT_EQ(Pages().size(), std::size_t{kLeaves + 1});
  EXPECT_TRUE(Errors().empty());
  EXPECT_GE(LongestGap(site), kPause - milliseconds(100));
  // What the killed worker had fetched or was fetching may come again.
  EXPECT_LE(Refused(site), 8u);
}

}  // namespace
}  // namespace trawl

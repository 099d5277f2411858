// What a worker remembers of robots.txt, and its questions about it.
#include "worker/robots_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Verdict = RobotsCache::Verdict;

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);
constexpr milliseconds kDay = std::chrono::hours(24);
constexpr char kAgent[] = "Trawl/1.0 (+http://a.test/bot)";

Url Parse(const std::string& url) { return Url::Parse(url).value(); }

RobotsAnswer Rules(const std::string& origin, std::string body, milliseconds life = kDay) {
  return {origin, RobotsVerdict::Rules{std::move(body), life}};
}
RobotsAnswer Fetch(const std::string& origin, int failures = 0) {
  return {origin, RobotsVerdict::Fetch{failures}};
}

class RobotsCacheTest : public ::testing::Test {
 protected:
  /// What is sent, as words: "? LEASE ORIGIN" for a query, "! LEASE ORIGIN FAILURES" for a report.
  std::vector<std::string> Due(TimePoint now = kNow, TimePoint resend_before = TimePoint()) {
    std::vector<std::string> due;
    for (const ToCoordinator& message : cache_.TakeDue(now, resend_before)) {
      if (const auto* query = std::get_if<RobotsQuery>(&message)) {
        due.push_back("? " + std::to_string(query->lease_id) + ' ' + query->origin);
      } else {
        const auto& report = std::get<RobotsReport>(message);
        due.push_back("! " + std::to_string(report.lease_id) + ' ' + report.origin + ' ' +
                      std::to_string(report.failures));
      }
    }
    std::sort(due.begin(), due.end());
    return due;
  }
  Verdict Answer(const RobotsAnswer& answer) {
    return cache_.OnAnswer(answer, kAgent, kNow).verdict;
  }
  void Fetched(const std::string& origin, const std::string& body = "") {
    RobotsReport report;
    report.origin = origin;
    report.result = RobotsFile{body};
    cache_.Fetched(std::move(report));
  }
  void Know(const std::string& origin, std::string body, milliseconds life = kDay) {
    cache_.Ask(Parse(origin + "/"), 1);
    EXPECT_EQ(Answer(Rules(origin, std::move(body), life)), Verdict::kKnown);
  }
  bool Knows(const std::string& url, TimePoint now = kNow) {
    return cache_.Find(Parse(url), now) != nullptr;
  }

  RobotsCache cache_{3, 100};
};

TEST_F(RobotsCacheTest, AnAnswerSaysWhatMayBeFetched) {
  const struct {
    RobotsAnswer answer;
    bool open, closed;
    Error reason;
    const char* detail;
  } kCases[] = {
      {Rules("http://a.test", "User-agent: trawl\nDisallow: /closed"), true, false, Error::kRobots,
       "robots.txt does not allow it"},
      {{"http://a.test", RobotsVerdict::AllowAll{kDay}}, true, true, Error::kRobots, ""},
      {{"http://a.test", RobotsVerdict::GivenUp{Error::kDns, "no such name", kDay}},
       false,
       false,
       Error::kDns,
       "no such name"},
  };
  for (const auto& c : kCases) {
    cache_.Ask(Parse("http://a.test/"), 1);
    const RobotsCache::Answered answered = cache_.OnAnswer(c.answer, kAgent, kNow);
    EXPECT_EQ(answered.verdict, Verdict::kKnown);
    EXPECT_EQ(answered.host, "a.test");
    const RobotsCache::Entry* entry = cache_.Find(Parse("http://a.test/x"), kNow);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->Allows(Parse("http://a.test/open")), c.open);
    EXPECT_EQ(entry->Allows(Parse("http://a.test/closed")), c.closed);
    EXPECT_EQ(entry->reason, c.reason);
    EXPECT_EQ(entry->detail, c.detail);
  }
}

TEST_F(RobotsCacheTest, AnAnswerLivesAsLongAsItSays) {
  Know("http://a.test", "", milliseconds(5));
  EXPECT_TRUE(Knows("http://a.test/x", kNow + milliseconds(4)));
  EXPECT_FALSE(Knows("http://a.test/x", kNow + milliseconds(5)));
}

TEST_F(RobotsCacheTest, AnOriginsRulesAreItsOwn) {
  Know("http://a.test", "");
  for (const char* other : {"https://a.test/", "http://a.test:8080/", "http://b.test/"}) {
    EXPECT_FALSE(Knows(other)) << other;
  }
}

TEST_F(RobotsCacheTest, TheLongestUnusedIsForgottenFirst) {
  for (const char* origin : {"http://a.test", "http://b.test", "http://c.test"}) Know(origin, "");
  EXPECT_TRUE(Knows("http://a.test/"));
  Know("http://d.test", "");
  EXPECT_FALSE(Knows("http://b.test/"));
  EXPECT_TRUE(Knows("http://a.test/") && Knows("http://c.test/") && Knows("http://d.test/"));
}

TEST_F(RobotsCacheTest, BodiesHaveALimitTogether) {
  Know("http://a.test", std::string(60, '#'));
  Know("http://b.test", std::string(40, '#'));
  EXPECT_TRUE(Knows("http://a.test/") && Knows("http://b.test/"));
  Know("http://c.test", "#");
  EXPECT_FALSE(Knows("http://a.test/"));
  Know("http://b.test", std::string(99, '#'));
  EXPECT_TRUE(Knows("http://b.test/") && Knows("http://c.test/")) << "its old body does not count";
  Know("http://a.test", std::string(1'000, '#'));
  EXPECT_TRUE(Knows("http://a.test/")) << "the last one is there, however long it is";
}

TEST_F(RobotsCacheTest, AQuestionIsSentUntilItIsAnswered) {
  cache_.Ask(Parse("https://a.test:81/x"), 7);
  EXPECT_THAT(Due(kNow), ElementsAre("? 7 https://a.test:81"));
  EXPECT_THAT(Due(kNow + milliseconds(5), kNow), IsEmpty());
  EXPECT_THAT(Due(kNow + milliseconds(6), kNow + milliseconds(1)),
              ElementsAre("? 7 https://a.test:81"));
  cache_.ResendAll();
  EXPECT_THAT(Due(kNow + milliseconds(7)), ElementsAre("? 7 https://a.test:81"));
  EXPECT_EQ(Answer(Rules("https://a.test:81", "")), Verdict::kKnown);
  cache_.ResendAll();
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(RobotsCacheTest, EachQuestionIsSentAgainInItsOwnTime) {
  cache_.Ask(Parse("http://a.test/"), 1);
  Due(kNow);
  cache_.Ask(Parse("http://b.test/"), 2);
  EXPECT_THAT(Due(kNow + milliseconds(5), kNow), ElementsAre("? 2 http://b.test"));
  EXPECT_THAT(Due(kNow + milliseconds(10), kNow + milliseconds(1)),
              ElementsAre("? 1 http://a.test"));
  EXPECT_THAT(Due(kNow + milliseconds(11), kNow + milliseconds(5)), IsEmpty());
  EXPECT_THAT(Due(kNow + milliseconds(12), kNow + milliseconds(6)),
              ElementsAre("? 2 http://b.test"));
}

TEST_F(RobotsCacheTest, AQuestionThatIsToBeSentForTwoReasonsIsSentOnce) {
  cache_.Ask(Parse("http://a.test/"), 1);
  cache_.ResendAll();
  EXPECT_THAT(Due(kNow), ElementsAre("? 1 http://a.test"));
  cache_.DropLease(1);
  cache_.Ask(Parse("http://a.test/"), 2);
  EXPECT_THAT(Due(kNow + milliseconds(5), kNow), ElementsAre("? 2 http://a.test"));
  EXPECT_THAT(Due(kNow + milliseconds(6), kNow + milliseconds(1)), IsEmpty())
      << "the one from before has ended";
}

TEST_F(RobotsCacheTest, AnAnswerToNobodyIsIgnored) {
  EXPECT_EQ(Answer(Rules("http://a.test", "")), Verdict::kNone);
  cache_.Ask(Parse("http://a.test/"), 1);
  EXPECT_EQ(Answer(Rules("https://a.test", "")), Verdict::kNone) << "the host's other origin";
  EXPECT_EQ(Answer(Fetch("https://a.test")), Verdict::kNone);
  EXPECT_EQ(Answer(Rules("no origin", "")), Verdict::kNone);
  EXPECT_FALSE(Knows("http://a.test/") || Knows("https://a.test/"));
  EXPECT_EQ(cache_.TakeFetch(), std::nullopt);
}

TEST_F(RobotsCacheTest, FetchesWhenTheCoordinatorSaysSoAndReportsUntilItIsAnswered) {
  cache_.Ask(Parse("http://a.test/"), 7);
  Due();
  EXPECT_EQ(cache_.TakeFetch(), std::nullopt) << "nobody has asked it to";
  EXPECT_EQ(Answer(Fetch("http://a.test", 2)), Verdict::kNone);
  EXPECT_EQ(Answer(Fetch("http://a.test", 2)), Verdict::kNone) << "an order that came twice";
  EXPECT_EQ(cache_.TakeFetch(), "http://a.test");
  EXPECT_EQ(cache_.TakeFetch(), std::nullopt);
  EXPECT_THAT(Due(kNow + milliseconds(9), kNow + milliseconds(8)), IsEmpty()) << "it is at work";
  Fetched("http://a.test");
  EXPECT_THAT(Due(), ElementsAre("! 7 http://a.test 2"));
  EXPECT_THAT(Due(kNow + milliseconds(9), kNow + milliseconds(8)),
              ElementsAre("! 7 http://a.test 2"));
  Answer(Fetch("http://a.test", 2));
  EXPECT_EQ(cache_.TakeFetch(), std::nullopt) << "that order has been carried out";
  EXPECT_EQ(Answer(Rules("http://a.test", "")), Verdict::kKnown);
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(RobotsCacheTest, ANewCoordinatorIsToldOfAFetchThatIsUnderWay) {
  cache_.Ask(Parse("http://a.test/"), 7);
  Due();
  Answer(Fetch("http://a.test"));
  cache_.TakeFetch();
  cache_.ResendAll();
  EXPECT_THAT(Due(), ElementsAre("? 7 http://a.test"));
  Answer(Fetch("http://a.test", 1));
  EXPECT_EQ(cache_.TakeFetch(), std::nullopt);
  Fetched("http://a.test");
  EXPECT_THAT(Due(), ElementsAre("! 7 http://a.test 1"));
}

TEST_F(RobotsCacheTest, AReportOfAnEarlierTryMakesRoomForANewOrder) {
  cache_.Ask(Parse("http://a.test/"), 7);
  Answer(Fetch("http://a.test", 0));
  cache_.TakeFetch();
  Fetched("http://a.test", "12345");
  EXPECT_EQ(cache_.report_bytes(), 5u);
  Answer(Fetch("http://a.test", 1));
  EXPECT_EQ(cache_.report_bytes(), 0u);
  EXPECT_EQ(cache_.TakeFetch(), "http://a.test");
  Fetched("http://a.test");
  EXPECT_THAT(Due(), ElementsAre("! 7 http://a.test 1"));
}

TEST_F(RobotsCacheTest, ADeferredHostsQuestionEnds) {
  cache_.Ask(Parse("http://a.test/"), 7);
  const auto answered = cache_.OnAnswer({"http://a.test", RobotsVerdict::Defer{}}, kAgent, kNow);
  EXPECT_EQ(answered.verdict, Verdict::kDeferred);
  EXPECT_EQ(answered.host, "a.test");
  EXPECT_FALSE(Knows("http://a.test/"));
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(RobotsCacheTest, AQuestionEndsWithItsLease) {
  cache_.Ask(Parse("http://a.test/"), 7);
  cache_.Ask(Parse("http://b.test/"), 8);
  Answer(Fetch("http://a.test"));
  EXPECT_EQ(cache_.DropLease(9), std::nullopt);
  EXPECT_EQ(cache_.DropLease(7), "a.test");
  EXPECT_EQ(cache_.DropLease(7), std::nullopt);
  EXPECT_EQ(cache_.TakeFetch(), std::nullopt);
  EXPECT_THAT(Due(), ElementsAre("? 8 http://b.test"));
  EXPECT_THAT(cache_.DropAll(), ElementsAre("b.test"));
  EXPECT_EQ(cache_.DropLease(8), std::nullopt);
  cache_.ResendAll();
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(RobotsCacheTest, AFetchThatOutlivesItsQuestionServesTheNextOne) {
  cache_.Ask(Parse("http://a.test/"), 7);
  Answer(Fetch("http://a.test"));
  cache_.TakeFetch();
  cache_.DropLease(7);
  cache_.Ask(Parse("http://a.test/"), 8);
  Answer(Fetch("http://a.test"));
  EXPECT_EQ(cache_.TakeFetch(), std::nullopt);
  Fetched("http://a.test", "1");
  EXPECT_THAT(Due(), ElementsAre("! 8 http://a.test 0"));
  cache_.DropLease(8);
  EXPECT_EQ(cache_.report_bytes(), 0u);

  cache_.Ask(Parse("https://a.test/"), 9);
  Fetched("http://a.test", "1");
  EXPECT_THAT(Due(), ElementsAre("? 9 https://a.test")) << "the host's other origin";
}

}  // namespace
}  // namespace trawl

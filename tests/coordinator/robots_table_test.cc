#include "coordinator/robots_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = RobotsRecord::State;

constexpr char kOrigin[] = "http://a.test";

/// A table with a store that answers when the test lets it.
class RobotsTableTest : public ::testing::Test {
 protected:
  static RobotsTable::Asker Asker(LeaseId lease) { return {"w" + std::to_string(lease), lease}; }
  static RobotsReport ReportOf(LeaseId lease, decltype(RobotsReport::result) result,
                               int failures = 0, const std::string& origin = kOrigin) {
    return {lease, origin, failures, 0, std::move(result)};
  }
  static RobotsFailure Failure(Error reason = Error::kRobots) { return {reason, "it is broken"}; }

  void Ask(LeaseId lease, const std::string& origin = kOrigin) {
    table_.Query(origin, Asker(lease));
  }
  void Report(LeaseId lease, decltype(RobotsReport::result) result, int failures = 0) {
    table_.Report(ReportOf(lease, std::move(result), failures), Asker(lease));
  }
  /// Takes the actions; the store's part is done at once, or left in stored_.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    for (auto actions = table_.TakeActions(); !actions.empty(); actions = table_.TakeActions()) {
      for (const RobotsTable::Action& action : actions) {
        if (const auto* answer = std::get_if<RobotsTable::Answer>(&action)) {
          for (const RobotsTable::Asker& asker : answer->to) {
            told.push_back(asker.worker + " " + Text(answer->answer));
          }
          ++answers_;
        } else if (const auto* defer = std::get_if<RobotsTable::Defer>(&action)) {
          told.push_back("defer " + defer->origin + " " + std::to_string(defer->wait.count()));
        } else if (const auto* tell = std::get_if<RobotsTable::Tell>(&action)) {
          logs_.push_back(tell->text);
        } else if (store_answers_) {
          Do(action);
        } else {
          stored_.push_back(action);
        }
      }
    }
    return told;
  }
  void Do(const RobotsTable::Action& action) {
    if (const auto* read = std::get_if<RobotsTable::Read>(&action)) {
      ++reads_;
      const auto found = records_.find(read->origin);
      std::optional<RobotsRecord> record;
      if (found != records_.end() && found->second.expires > now_) record = found->second;
      table_.OnRead(read->origin, record, now_);
    } else if (const auto* keep = std::get_if<RobotsTable::Keep>(&action)) {
      ++keeps_;
      records_[keep->origin] = keep->record;
      table_.OnKept(keep->origin, keep->record, now_);
    }
  }
  void LetStoreAnswer() {
    store_answers_ = true;
    for (const auto& action : std::exchange(stored_, {})) Do(action);
  }

  static std::string Text(const RobotsAnswer& answer) {
    if (const auto* rules = std::get_if<RobotsVerdict::Rules>(&answer.verdict)) {
      return "rules " + rules->body + " " + std::to_string(rules->life.count());
    }
    if (const auto* all = std::get_if<RobotsVerdict::AllowAll>(&answer.verdict)) {
      return "all " + std::to_string(all->life.count());
    }
    if (const auto* fetch = std::get_if<RobotsVerdict::Fetch>(&answer.verdict)) {
      return "fetch " + std::to_string(fetch->failures);
    }
    if (const auto* given_up = std::get_if<RobotsVerdict::GivenUp>(&answer.verdict)) {
      return "given up " + std::string(ReasonWord(given_up->reason)) + " " + given_up->detail;
    }
    return "defer";
  }

  RobotsTable table_{{3, milliseconds(100)}};
  WallTime now_{std::chrono::hours(500'000)};
  std::map<std::string, RobotsRecord> records_;
  std::vector<std::string> logs_;
  bool store_answers_ = true;
  std::vector<RobotsTable::Action> stored_;
  int reads_ = 0, keeps_ = 0, answers_ = 0;
};

TEST_F(RobotsTableTest, TheFirstThatAsksFetchesForAll) {
  Ask(1);
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 0"));
  Ask(2);
  Ask(3);
  EXPECT_THAT(Told(), IsEmpty());
  Report(1, RobotsFile{"r"});
  EXPECT_THAT(Told(),
              ElementsAre("w1 rules r 86400000", "w2 rules r 86400000", "w3 rules r 86400000"));
  EXPECT_EQ(table_.size(), 0u);
  now_ += milliseconds(1);
  Ask(4);
  EXPECT_THAT(Told(), ElementsAre("w4 rules r 86399999")) << "it is known for a day";
  now_ += kRobotsLife;
  Ask(5);
  EXPECT_THAT(Told(), ElementsAre("w5 fetch 0"));
}

TEST_F(RobotsTableTest, ThoseThatAskWhileTheStoreIsReadGetOneAnswer) {
  store_answers_ = false;
  for (const LeaseId lease : {1, 2, 3}) Ask(lease);
  EXPECT_THAT(Told(), IsEmpty());
  LetStoreAnswer();
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 0"));
  EXPECT_EQ(reads_, 1);
}

TEST_F(RobotsTableTest, AllThatWaitGetTheSameAnswer) {
  for (const LeaseId lease : {1, 2, 3}) Ask(lease);
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 0"));
  answers_ = 0;
  Report(1, RobotsFile{"rules"});
  EXPECT_THAT(Told(), ElementsAre("w1 rules rules 86400000", "w2 rules rules 86400000",
                                  "w3 rules rules 86400000"));
  EXPECT_EQ(answers_, 1) << "its body is kept and looked at once";
}

TEST_F(RobotsTableTest, AHostThatDoesNotExistIsGivenUpAtOnce) {
  Ask(1);
  Told();
  Report(1, RobotsFailure{Error::kDns, "no such name", true});
  EXPECT_THAT(Told(), ElementsAre("w1 given up dns no such name"));
}

TEST_F(RobotsTableTest, NoFileAllowsAll) {
  Ask(1);
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 0"));
  Report(1, RobotsAllowAll{});
  EXPECT_THAT(Told(), ElementsAre("w1 all 86400000"));
  EXPECT_EQ(records_.at(kOrigin).state, State::kAllowAll);
}

TEST_F(RobotsTableTest, OriginsAreApart) {
  Ask(1, "http://a.test");
  Ask(1, "https://a.test");
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 0", "w1 fetch 0"));
  EXPECT_EQ(table_.size(), 2u);
}

TEST_F(RobotsTableTest, ARepeatedQuestionChangesNothing) {
  Ask(1);
  Ask(2);
  Told();
  Ask(2);
  EXPECT_THAT(Told(), IsEmpty());
  Ask(1);
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 0")) << "the order may have been lost";
  Report(1, RobotsFile{"r"});
  EXPECT_EQ(Told().size(), 2u);
}

TEST_F(RobotsTableTest, ARepeatedReportIsAnsweredFromWhatIsKept) {
  Ask(1);
  Report(1, RobotsFile{"r"});
  Told();
  Report(1, RobotsFile{"r"});
  EXPECT_THAT(Told(), ElementsAre("w1 rules r 86400000"));
  Report(1, Failure());
  EXPECT_THAT(Told(), ElementsAre("w1 rules r 86400000"));
  EXPECT_EQ(keeps_, 1);
}

TEST_F(RobotsTableTest, AReportThatNobodyAskedForIsKept) {
  Report(1, RobotsFile{"r"});
  EXPECT_THAT(Told(), ElementsAre("w1 rules r 86400000")) << "of before a restart";
  EXPECT_EQ(keeps_, 1);
}

TEST_F(RobotsTableTest, AReportWhileTheStoreIsReadOrKeepsCounts) {
  Ask(1);
  Told();
  store_answers_ = false;
  Report(1, RobotsFile{"r"});
  Told();
  Report(2, RobotsFile{"s"});
  Ask(3);
  EXPECT_THAT(Told(), IsEmpty());
  LetStoreAnswer();
  EXPECT_THAT(Told(),
              ElementsAre("w1 rules s 86400000", "w2 rules s 86400000", "w3 rules s 86400000"));
  EXPECT_EQ(keeps_, 1);
}

TEST_F(RobotsTableTest, AFailureDefersTheHostLongerEachTimeAndTheLastGivesTheOriginUp) {
  const struct {
    int wait_ms;
    const char* log;
  } kTries[] = {{100, "(1 of 3)"}, {200, "(2 of 3)"}, {400, "(3 of 3)"}};
  int failures = 0;
  for (const auto& [wait_ms, log] : kTries) {
    SCOPED_TRACE(wait_ms);
    Ask(1);
    EXPECT_THAT(Told(), ElementsAre("w1 fetch " + std::to_string(failures)));
    Ask(2);
    Report(1, Failure(), failures++);
    EXPECT_THAT(Told(), ElementsAre("defer http://a.test " + std::to_string(wait_ms), "w1 defer",
                                    "w2 defer"));
    EXPECT_THAT(logs_.back(),
                ::testing::AllOf(HasSubstr(kOrigin), HasSubstr("it is broken"), HasSubstr(log)));
    now_ += milliseconds(wait_ms - 1);
    Ask(3);
    EXPECT_THAT(Told(), ElementsAre("defer http://a.test 1", "w3 defer"));
    now_ += milliseconds(1);
  }
  Ask(1);
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 3"));
  Report(1, Failure(), failures);
  EXPECT_THAT(Told(), ElementsAre("w1 given up robots it is broken (4 tries)"));
  EXPECT_THAT(logs_.back(), HasSubstr("given up"));
  EXPECT_EQ(logs_.size(), 4u);
  now_ += kRobotsLife - milliseconds(1);
  Ask(2);
  EXPECT_THAT(Told(), ElementsAre("w2 given up robots it is broken (4 tries)"));
  now_ += milliseconds(1);
  Ask(2);
  EXPECT_THAT(Told(), ElementsAre("w2 fetch 0"));
}

TEST_F(RobotsTableTest, AFailureIsCountedOnce) {
  Ask(1);
  Report(1, Failure(), 0);
  Told();
  now_ += milliseconds(50);
  Report(1, Failure(), 0);
  EXPECT_THAT(Told(), ElementsAre("defer http://a.test 50", "w1 defer"));
  now_ += milliseconds(50);
  Report(1, Failure(), 0);
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 1")) << "it is time to try again";
  Report(1, Failure(), 0);
  EXPECT_THAT(Told(), ElementsAre("w1 fetch 1")) << "it has not heard that it is to try again";
  EXPECT_EQ(records_.at(kOrigin).failures, 1);
  Report(1, Failure(), 1);
  EXPECT_THAT(Told(), ElementsAre("defer http://a.test 200", "w1 defer"));
}

TEST_F(RobotsTableTest, ASuccessCountsWhateverFailedBefore) {
  Ask(1);
  Report(1, Failure());
  Told();
  Report(2, RobotsFile{"r"});
  EXPECT_THAT(Told(), ElementsAre("w2 rules r 86400000"));
  records_[kOrigin].state = State::kGivenUp;
  Report(2, RobotsAllowAll{});
  EXPECT_THAT(Told(), ElementsAre("w2 all 86400000"));
}

TEST_F(RobotsTableTest, TheReasonIsTheNetworksWhileTheHostWasNeverReached) {
  const struct {
    std::vector<Error> tries;
    Error reason;
  } kCases[] = {
      {{Error::kDns, Error::kDns, Error::kConnect, Error::kTls}, Error::kTls},
      {{Error::kConnect, Error::kRobots, Error::kConnect, Error::kConnect}, Error::kRobots},
      {{Error::kAddress}, Error::kAddress}};
  for (const auto& [tries, reason] : kCases) {
    records_.clear();
    for (std::size_t i = 0; i < tries.size(); ++i) {
      Report(1, Failure(tries[i]), static_cast<int>(i));
      Told();
      now_ += milliseconds(1'000);
    }
    EXPECT_EQ(records_.at(kOrigin).state, State::kGivenUp);
    EXPECT_EQ(records_.at(kOrigin).reason, reason);
  }
}

TEST_F(RobotsTableTest, ARetryWaitsNoLongerThanTheRecordLives) {
  RobotsTable patient{{100, kMaxRobotsRetryDelay / 2}};
  std::optional<RobotsRecord> record;
  for (int failures = 0; failures < 100; ++failures) {
    patient.Report(ReportOf(1, Failure(), failures), Asker(1));
    patient.TakeActions();
    patient.OnRead(kOrigin, record, now_);
    record = std::get<RobotsTable::Keep>(patient.TakeActions().at(0)).record;
    patient.OnKept(kOrigin, *record, now_);
    patient.TakeActions();
    ASSERT_EQ(record->next_try - now_,
              failures == 0 ? kMaxRobotsRetryDelay / 2 : kMaxRobotsRetryDelay);
    now_ = record->next_try;
    ASSERT_GT(record->expires, now_);
  }
}

TEST_F(RobotsTableTest, WithoutRetriesTheFirstFailureIsTheLast) {
  RobotsTable table{{0, milliseconds(100)}};
  table.Report(ReportOf(1, Failure()), Asker(1));
  table.OnRead(kOrigin, std::nullopt, now_);
  const auto actions = table.TakeActions();
  ASSERT_EQ(actions.size(), 2u);
  const RobotsRecord& record = std::get<RobotsTable::Keep>(actions[1]).record;
  EXPECT_EQ(record.state, State::kGivenUp);
  EXPECT_EQ(record.detail, "it is broken");
}

TEST_F(RobotsTableTest, DetailsStayShortEnoughForAMessage) {
  RobotsRecord& record = records_[kOrigin];
  record.state = State::kFailing;
  record.failures = 3;
  record.expires = now_ + kRobotsLife;
  Report(1, RobotsFailure{Error::kRobots, std::string(kMaxTextBytes, 'x')}, 3);
  Told();
  EXPECT_EQ(records_.at(kOrigin).detail.size(), kMaxTextBytes);
  EXPECT_THAT(records_.at(kOrigin).detail, HasSubstr("x (4 tries)"));
}

TEST_F(RobotsTableTest, WhenTheLeaseOfWhoFetchesEndsTheNextOneFetches) {
  for (const LeaseId lease : {1, 2, 3}) Ask(lease);
  Told();
  table_.Forget(1);
  EXPECT_THAT(Told(), ElementsAre("w2 fetch 0"));
  table_.Forget(3);
  table_.Forget(2);
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(table_.size(), 0u);
  Ask(4);
  EXPECT_THAT(Told(), ElementsAre("w4 fetch 0"));
}

TEST_F(RobotsTableTest, WhoHasNoLeaseAnyMoreGetsNoAnswer) {
  Ask(1);
  Ask(2);
  Told();
  table_.Forget(2);
  table_.Forget(9);
  Report(1, RobotsFile{"r"});
  EXPECT_THAT(Told(), ElementsAre("w1 rules r 86400000"));
}

TEST_F(RobotsTableTest, ALeaseMayEndWhileTheStoreIsReadOrKeeps) {
  store_answers_ = false;
  Ask(1);
  Told();
  table_.Forget(1);
  LetStoreAnswer();
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(table_.size(), 0u);

  Ask(2);
  Told();
  store_answers_ = false;
  Report(2, RobotsFile{"r"});
  Told();
  table_.Forget(2);
  LetStoreAnswer();
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(records_.at(kOrigin).body, "r") << "the fetch was not in vain";
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(RobotsTableTest, ALateReportDoesNotStopWhoFetches) {
  Ask(1);
  Told();
  Report(1, Failure());
  Told();
  now_ += milliseconds(100);
  Ask(2);
  EXPECT_THAT(Told(), ElementsAre("w2 fetch 1"));
  Report(1, Failure(), 0);
  EXPECT_THAT(Told(), IsEmpty()) << "it was counted; w1 waits for w2";
  Report(2, RobotsFile{"r"}, 1);
  EXPECT_THAT(Told(), ElementsAre("w2 rules r 86400000", "w1 rules r 86400000"));
}

}  // namespace
}  // namespace trawl

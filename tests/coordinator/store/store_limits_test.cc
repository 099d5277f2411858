// The rules of coordinator/store/store.h for limits on what is admitted, and for robots.txt.

#include <chrono>

#include "tests/coordinator/store/store_fixture.h"

namespace trawl {
namespace {

TEST_P(StoreRules, AdmitsNoMorePagesOfAHostThanItMayHave) {
  coordinator_.Apply(SetLimitsStep{2, 0});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/1", "http://b/", "http://a/2", "http://a/3"})),
            "+ + + pages_per_host ");
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/1", "http://a/3", "http://a:81/"})),
            "= pages_per_host + ")
      << "what was dropped was not seen";
  Now();
  EXPECT_EQ(Text(coordinator_.Admit(1, {"http://a/3"})), "pages_per_host ") << "after a restart";
  EXPECT_EQ(Queues(0), (Strings{"a 2", "a:81 1", "b 1"}));
  EXPECT_EQ(Stat("dropped:pages_per_host"), 3u);
  EXPECT_EQ(Stat("admitted"), 4u);
}

TEST_P(StoreRules, APageThatWasNotFetchedMakesRoomForAnother) {
  const struct {
    const char* what;
    std::optional<Ending> ending;  // of http://a/1; none: its worker is lost for the last time
    const char* admission;         // of http://a/2 then
  } kCases[] = {
      {"fetched", Fetched(), "pages_per_host "},
      {"failed", Ended(Ending::Kind::kFailed), "+ "},
      {"redirected away", RedirectedTo("http://b/"), "+ "},
      {"redirected within the host", RedirectedTo("http://a/x"), "pages_per_host "},
      {"redirected to nowhere", Ended(Ending::Kind::kRedirected), "+ "},
      {"returned", Returned(), "pages_per_host "},
      {"lost", std::nullopt, "+ "},
  };
  for (const auto& c : kCases) {
    const std::unique_ptr<Backend> backend = NewBackend(GetParam());
    StoreUser coordinator(*backend);
    coordinator.Open();
    coordinator.Apply(SetLimitsStep{1, 0});
    coordinator.Admit(0, {"http://a/1"});
    coordinator.Lease(1, "a", 0, 1);
    if (c.ending) {
      coordinator.Accept(1, 0, c.ending);
    } else {
      for (LeaseId id = 1; id <= kMaxLosses; ++id) {
        coordinator.Lease(id, "a", 0, 1);
        coordinator.Expire(id);
      }
    }
    EXPECT_EQ(Text(coordinator.Admit(0, {"http://a/2"})), c.admission) << c.what;
  }
}

TEST_P(StoreRules, ARedirectToAHostThatIsFullIsDropped) {
  coordinator_.Apply(SetLimitsStep{1, 0});
  coordinator_.Admit(0, {"http://a/", "http://b/1"});
  coordinator_.Lease(1, "a", 0, 1);
  EXPECT_EQ(Text(coordinator_.Accept(1, 0, RedirectedTo("http://b/2"), {"http://b/3"})),
            "accepted pages_per_host -> pages_per_host");
  EXPECT_EQ(coordinator_.Outbox(), Strings{"redirected pages_per_host row"});
  EXPECT_EQ(Stat("dropped:pages_per_host"), 2u);
}

TEST_P(StoreRules, SitemapsAreNoPagesOfTheirHost) {
  coordinator_.Apply(SetLimitsStep{1, 0});
  const Strings sitemaps = {"http://a/s1", "http://a/s2"};
  EXPECT_EQ(
      Text(coordinator_.Do<AdmitReply>(AdmitStep{0, Offers({"http://a/1"}), Offers(sitemaps), ""})),
      "+ + / + ");
  coordinator_.Lease(1, "a", 0, 2);
  coordinator_.Accept(1, 0, Ended(Ending::Kind::kFailed));
  EXPECT_EQ(Text(coordinator_.Accept(1, 1, RedirectedTo("http://a/s3"))), "accepted -> +");
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/2"})), "pages_per_host ");
}

TEST_P(StoreRules, MovesAWaitingUrlOfAHostThatIsFull) {
  coordinator_.Apply(SetLimitsStep{1, 0});
  coordinator_.Admit(1, {"http://a/"});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/"})), "1 ");
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/2"})), "pages_per_host ");
}

TEST_P(StoreRules, PagesFromBeforeALimitCountForIt) {
  coordinator_.Admit(0, {"http://a/1", "http://a/2"});
  coordinator_.Lease(1, "a", 0, 1);
  coordinator_.Accept(1, 0, Fetched());
  coordinator_.Apply(SetLimitsStep{2, 0});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/3"})), "pages_per_host ");
  coordinator_.Apply(SetLimitsStep{3, 0});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/3", "http://a/4"})), "+ pages_per_host ");
  coordinator_.Apply(SetLimitsStep{});
  EXPECT_EQ(Text(coordinator_.Admit(0, {"http://a/4"})), "+ ");
}

TEST_P(StoreRules, AdmitsNoMoreHostsOfADomainThanItMayHave) {
  coordinator_.Apply(SetLimitsStep{0, 2});
  const Domains domains = {{"1.a", "a"}, {"2.a", "a"}, {"3.a", "a"}, {"4.a:81", "a"}, {"1.b", "b"}};
  coordinator_.Admit(0, {"http://a/", "http://0.a/"});
  coordinator_.Lease(1, "a", 0, 1);
  AcceptStep step{1, 0, Offers({"http://1.a/", "http://2.a/", "http://3.a/", "http://1.a/x"})};
  step.domains = domains;
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(step)), "accepted + + hosts_per_domain + -> none")
      << "seeds are no hosts that were found";
  Now();
  step.links = Offers({"http://4.a:81/", "http://1.b/", "http://0.a/y", "http://2.a/z"});
  step.ending = RedirectedTo("http://3.a/");
  EXPECT_EQ(Text(coordinator_.Do<AcceptReply>(step)),
            "accepted hosts_per_domain + + + -> hosts_per_domain");
  EXPECT_EQ(coordinator_.Outbox(), Strings{"redirected hosts_per_domain row"});
  EXPECT_EQ(Stat("dropped:hosts_per_domain"), 3u);
  const AdmitStep sitemaps{0, {}, Offers({"http://3.a/s", "http://1.a/s"}), "http://a/r", domains};
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(sitemaps)), "hosts_per_domain + / ");
  coordinator_.Apply(SetLimitsStep{});
  EXPECT_EQ(Text(coordinator_.Do<AdmitReply>(sitemaps)), "+ = / ");
}

TEST_P(StoreRules, KeepsWhatIsKnownOfAnOriginsRobotsTxt) {
  const auto read = [this](const std::string& origin) {
    return coordinator_.Do<ReadRobotsReply>(ReadRobotsStep{origin, kNoon}).record;
  };
  const std::string origin = "https://a:81";
  EXPECT_EQ(read(origin), std::nullopt);
  for (const RobotsRecord& record : RobotsRecords()) {
    coordinator_.Do<KeepRobotsReply>(KeepRobotsStep{origin, record, kNoon});
    EXPECT_EQ(read(origin), record) << Text(record);
    Now();
    EXPECT_EQ(read(origin), record) << "after a restart";
  }
  EXPECT_EQ(read("http://a:81"), std::nullopt) << "another origin";
}

TEST_P(StoreRules, ForgetsARobotsTxtWhenItsTimeIsOver) {
  const RobotsRecord record = RobotsRecords()[0];
  coordinator_.Do<KeepRobotsReply>(KeepRobotsStep{"http://a", record, kNoon});
  for (const auto& [now, known] :
       {std::pair(record.expires - milliseconds(1), true), std::pair(record.expires, false)}) {
    const auto reply = coordinator_.Do<ReadRobotsReply>(ReadRobotsStep{"http://a", now});
    EXPECT_EQ(reply.record.has_value(), known);
  }
}

}  // namespace
}  // namespace trawl

#include "worker/http/resolver.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <fstream>
#include <optional>

#include "tests/support/test_dns.h"

namespace trawl {
namespace {

using std::chrono::steady_clock;

class ResolverTest : public ::testing::Test {
 protected:
  using Answer = std::shared_ptr<const Resolution>;

  ResolverTest() { Restart({}); }

  void Restart(Resolver::Options options, milliseconds query_timeout = milliseconds(50)) {
    options.servers = dns_.address();
    options.query_timeout = query_timeout;
    options.tries = 2;
    resolver_.emplace(io_, options);
  }

  /// A lookup under way; `answer` is set when it has ended.
  struct Asked {
    explicit Asked(asio::io_context& io) : wakeup(io, TimePoint::max()) {}
    Timer wakeup;
    std::optional<Answer> answer;
  };

  std::unique_ptr<Asked> Ask(std::string host) {
    auto asked = std::make_unique<Asked>(io_);
    asio::co_spawn(io_, resolver_->Resolve(std::move(host), &asked->wakeup),
                   [a = asked.get()](std::exception_ptr failure, Answer answer) {
                     if (failure) std::rethrow_exception(failure);
                     a->answer = std::move(answer);
                   });
    return asked;
  }

  Answer Await(Asked& asked) {
    const TimePoint give_up = steady_clock::now() + std::chrono::seconds(10);
    while (!asked.answer && steady_clock::now() < give_up) io_.run_one_until(give_up);
    EXPECT_TRUE(asked.answer);
    return asked.answer.value_or(nullptr);
  }

  Answer Resolve(std::string host) { return Await(*Ask(std::move(host))); }

  std::string Addresses(const std::string& host) {
    const Answer answer = Resolve(host);
    if (!answer || answer->error) return answer ? answer->error.message() : "none";
    return Text(*answer);
  }

  static std::string Text(const Resolution& resolution) {
    std::string text;
    for (const auto& address : resolution.addresses) {
      text += (text.empty() ? "" : " ") + address.to_string();
    }
    return text;
  }

  /// Whether the addresses are `text` at last.
  bool Become(const std::string& host, const std::string& text) {
    const TimePoint give_up = steady_clock::now() + std::chrono::seconds(10);
    while (Addresses(host) != text) {
      if (io_.run_one_until(give_up) == 0) return false;
    }
    return true;
  }

  asio::io_context io_;
  TestDns dns_{io_};
  std::optional<Resolver> resolver_;
};

TEST_F(ResolverTest, TakesAddressLiteralsAsTheyAre) {
  EXPECT_EQ(Addresses("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(Addresses("[2001:db8::7]"), "2001:db8::7");
  EXPECT_EQ(resolver_->lookup_count(), 0u);
}

TEST_F(ResolverTest, KnowsLocalhostWithoutAskingAnyone) {
  EXPECT_NE(Addresses("localhost").find("127.0.0.1"), std::string::npos);
  EXPECT_EQ(dns_.queries, 0u);
}

TEST_F(ResolverTest, AsksTheServerOnceWhileTheAnswerLasts) {
  dns_.names["a.test"].addresses = {"192.0.2.1"};
  EXPECT_EQ(Addresses("a.test"), "192.0.2.1");
  EXPECT_EQ(Addresses("a.test"), "192.0.2.1");
  EXPECT_EQ(resolver_->lookup_count(), 1u);
}

TEST_F(ResolverTest, AsksAgainWhenTheAnswerIsOutOfDate) {
  dns_.names["a.test"].addresses = {"192.0.2.1"};
  dns_.names["a.test"].ttl_seconds = 0;
  Restart({.ttls = {.min = milliseconds(0)}});
  dns_.names["a.test"].then = {{"192.0.2.2"}};
  EXPECT_EQ(Addresses("a.test"), "192.0.2.1");
  EXPECT_EQ(Addresses("a.test"), "192.0.2.2");
}

TEST_F(ResolverTest, JoinsLookupsOfOneName) {
  dns_.names["a.test"].addresses = {"192.0.2.1"};
  const auto first = Ask("a.test");
  const auto second = Ask("a.test");
  const Answer answer = Await(*first);
  EXPECT_EQ(Await(*second), answer);
  EXPECT_EQ(resolver_->lookup_count(), 1u);
}

/// Whatever a server answers, a lookup has its documented end, and well within its deadline.
TEST_F(ResolverTest, EndsWhateverTheServerDoes) {
  constexpr bool kFinal = true;
  constexpr const char* kUnreachable = "every DNS server failed, refused or could not be reached";
  constexpr const char* kTimeout = "Timeout while contacting DNS servers";
  const struct {
    const char* what;
    TestName name;
    const char* answer;  // addresses, or what the detail says
    bool permanent = false;
  } cases[] = {
      {"IPv4", {.addresses = {"192.0.2.1"}}, "192.0.2.1"},
      {"IPv6", {.addresses = {"2001:db8::1"}}, "2001:db8::1"},
      {"both", {.addresses = {"192.0.2.1", "2001:db8::1"}}, "2001:db8::1 192.0.2.1"},
      {"several", {.addresses = {"192.0.2.2", "192.0.2.1"}}, "192.0.2.2 192.0.2.1"},
      {"lies are not the resolver's business",
       {.addresses = {"0.0.0.0", "127.0.0.1", "::", "::ffff:127.0.0.1"}},
       ":: ::ffff:127.0.0.1 0.0.0.0 127.0.0.1"},
      {"aliases", {.addresses = {"192.0.2.1"}, .aliases = {"b.test", "c.test"}}, "192.0.2.1"},
      {"no such name", {.exists = false}, "no such name", kFinal},
      {"no address", {}, "no address", kFinal},
      {"alias of nothing", {.aliases = {"b.test"}}, "no address", kFinal},
      {"alias without end", {.fault = DnsFault::kAliasLoop}, "too many aliases"},
      {"silent", {.fault = DnsFault::kSilent}, kTimeout},
      {"server failure", {.fault = DnsFault::kServerFailure}, kUnreachable},
      {"refused", {.fault = DnsFault::kRefused}, kUnreachable},
      {"referral",
       {.fault = DnsFault::kReferral},
       "the DNS server does not know it and asks nobody else"},
      {"wrong id", {.fault = DnsFault::kWrongId}, kTimeout},
      {"wrong question", {.fault = DnsFault::kWrongQuestion}, kTimeout},
      {"wrong source", {.addresses = {"192.0.2.1"}, .fault = DnsFault::kWrongSource}, kTimeout},
      {"garbage", {.fault = DnsFault::kGarbage}, kTimeout},
      {"forged answers before the right one",
       {.addresses = {"192.0.2.1"}, .fault = DnsFault::kForgedFirst},
       "192.0.2.1"},
      {"no bytes before the right answer",
       {.addresses = {"192.0.2.1"}, .fault = DnsFault::kEmptyFirst},
       "192.0.2.1"},
      {"truncated",
       {.addresses = {"192.0.2.1", "2001:db8::1"}, .fault = DnsFault::kTruncated},
       "2001:db8::1 192.0.2.1"},
      {"truncated, and no TCP", {.fault = DnsFault::kTruncatedOnly}, kUnreachable},
      {"cut short",
       {.addresses = {"192.0.2.1", "2001:db8::1"}, .fault = DnsFault::kCutShort},
       "malformed answer"},
      {"of another name", {.fault = DnsFault::kOtherName}, "no address", kFinal},
      {"late", {.addresses = {"192.0.2.1"}, .delay = milliseconds(30)}, "192.0.2.1"},
      {"IPv6 is silent",
       {.addresses = {"192.0.2.1"}, .ipv6_fault = DnsFault::kSilent},
       "192.0.2.1"},
      {"IPv6 fails",
       {.addresses = {"192.0.2.1"}, .ipv6_fault = DnsFault::kServerFailure},
       "192.0.2.1"},
      {"one of two fails", {.ipv6_fault = DnsFault::kServerFailure}, kUnreachable},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    dns_.names["a.test"] = c.name;
    Restart({});
    const TimePoint begun = steady_clock::now();
    const Answer answer = Resolve("a.test");
    ASSERT_TRUE(answer);
    EXPECT_LT(steady_clock::now() - begun, milliseconds(2'000));
    EXPECT_EQ(answer->permanent, c.permanent);
    if (answer->error) {
      EXPECT_EQ(answer->error, Error::kDns);
      EXPECT_EQ(answer->detail, std::string("a.test: ") + c.answer);
    } else {
      EXPECT_EQ(Text(*answer), c.answer);
    }
  }
}

TEST_F(ResolverTest, AsksNobodyForNamesThatDnsCannotHave) {
  for (const std::string& name :
       {std::string("a..test"), std::string(64, 'a') + ".test", std::string("a.onion")}) {
    const Answer answer = Resolve(name);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->permanent);
    EXPECT_EQ(answer->detail, name + ": no such name");
  }
  EXPECT_EQ(dns_.queries, 0u);
}

TEST_F(ResolverTest, AsksOverTcpWhenAnAnswerIsCutOff) {
  dns_.names["a.test"] = {.addresses = {"192.0.2.1"}, .fault = DnsFault::kTruncated};
  EXPECT_EQ(Addresses("a.test"), "192.0.2.1");
  EXPECT_EQ(dns_.tcp_queries, 2u);
}

TEST_F(ResolverTest, KeepsWhatIsAnsweredLate) {
  dns_.names["a.test"] = {.addresses = {"192.0.2.1", "2001:db8::1"},
                          .ipv6_delay = milliseconds(500)};
  Restart({}, milliseconds(5'000));
  EXPECT_EQ(Addresses("a.test"), "192.0.2.1");
  EXPECT_TRUE(Become("a.test", "2001:db8::1 192.0.2.1"));
  EXPECT_EQ(resolver_->lookup_count(), 1u);
}

TEST_F(ResolverTest, GivesUpOnASlowServerButKeepsItsAnswer) {
  dns_.names["a.test"] = {.addresses = {"192.0.2.1"}, .delay = milliseconds(500)};
  Restart({.give_up = milliseconds(50)}, milliseconds(5'000));
  const Answer answer = Resolve("a.test");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->detail, "a.test: no answer from a DNS server");
  EXPECT_FALSE(answer->permanent);
  EXPECT_TRUE(Become("a.test", "192.0.2.1"));
  EXPECT_EQ(resolver_->lookup_count(), 1u);
}

TEST_F(ResolverTest, KeepsThatANameDoesNotExist) {
  const Answer answer = Resolve("missing.test");
  EXPECT_EQ(Resolve("missing.test"), answer);
  EXPECT_EQ(resolver_->lookup_count(), 1u);
}

TEST_F(ResolverTest, KeepsNoMoreNamesThanItMay) {
  Restart({.cached_names = 10});
  for (int i = 0; i < 50; ++i) {
    Resolve("a" + std::to_string(i) + ".test");
    EXPECT_LE(resolver_->cached_count(), 10u);
  }
}

TEST_F(ResolverTest, AsksForNoMoreNamesAtOnceThanItMay) {
  Restart({.max_lookups = 2}, milliseconds(5'000));
  dns_.names["slow.test"] = {.addresses = {"192.0.2.1"}, .delay = milliseconds(20)};
  const auto silent = Ask("silent.test");
  const auto slow = Ask("slow.test");
  const auto third = Ask("b.test");
  const auto given_up = Ask("c.test");
  const auto bad_names = {Ask("a..test"), Ask("b..test")};
  io_.poll();
  EXPECT_EQ(resolver_->lookup_count(), 2u);
  given_up->wakeup.cancel();
  EXPECT_EQ(Await(*given_up), nullptr);
  EXPECT_TRUE(Await(*third));
  for (const auto& asked : bad_names) EXPECT_TRUE(Await(*asked));
  EXPECT_EQ(resolver_->lookup_count(), 5u);  // all but the one that was given up
  EXPECT_FALSE(silent->answer);
  resolver_.reset();
  EXPECT_TRUE(Await(*silent));
}

TEST_F(ResolverTest, EndsLookupsThatWaitForTheirTurn) {
  Restart({.max_lookups = 1});
  const auto first = Ask("silent.test");
  const auto second = Ask("b.test");
  io_.poll();
  resolver_.reset();
  for (Asked* asked : {first.get(), second.get()}) {
    const Answer answer = Await(*asked);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error, Error::kDns);
  }
}

TEST_F(ResolverTest, TakesTheHostsFileFirst) {
  const std::string path = ::testing::TempDir() + "trawl_hosts_" + std::to_string(::getpid());
  std::ofstream(path) << "# a comment\n192.0.2.9 A.test b.test # c.test\n"
                         "rubbish d.test\n2001:db8::9\ta.test\n192.0.2.8 sub.localhost\n";
  Restart({.hosts_file = path});
  std::remove(path.c_str());
  EXPECT_EQ(Addresses("a.test"), "192.0.2.9 2001:db8::9");
  EXPECT_EQ(Addresses("b.test."), "192.0.2.9");
  EXPECT_EQ(Addresses("sub.localhost"), "192.0.2.8");
  EXPECT_EQ(Addresses("other.localhost"), "::1 127.0.0.1");
  EXPECT_EQ(dns_.queries, 0u);
  EXPECT_TRUE(Resolve("c.test")->permanent);
  EXPECT_TRUE(Resolve("d.test")->permanent);
}

TEST_F(ResolverTest, LetsACallerGiveUpAlone) {
  const auto patient = Ask("silent.test");
  const auto impatient = Ask("silent.test");
  while (dns_.queries == 0) io_.run_one();
  impatient->wakeup.cancel();
  EXPECT_EQ(Await(*impatient), nullptr);
  EXPECT_FALSE(patient->answer);
  EXPECT_NE(Await(*patient), nullptr);
}

TEST_F(ResolverTest, MayEndWithLookupsUnderWay) {
  const auto asked = Ask("silent.test");
  while (dns_.queries == 0) io_.run_one();
  resolver_.reset();
  const Answer answer = Await(*asked);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, Error::kDns);
}

}  // namespace
}  // namespace trawl

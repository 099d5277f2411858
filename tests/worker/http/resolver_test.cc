#include "worker/http/resolver.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "tests/support/test_dns.h"

namespace trawl {
namespace {

using std::chrono::steady_clock;

class ResolverTest : public ::testing::Test {
 protected:
  using Answer = std::shared_ptr<const Resolution>;

  ResolverTest() { Restart({}); }

  void Restart(Resolver::Options options) {
    options.servers = dns_.address();
    options.query_timeout = milliseconds(50);
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
    std::string text;
    for (const auto& address : answer->addresses) {
      text += (text.empty() ? "" : " ") + address.to_string();
    }
    return text;
  }

  asio::io_context io_;
  TestDns dns_{io_};
  std::optional<Resolver> resolver_;
};

TEST_F(ResolverTest, TakesAddressLiteralsAsTheyAre) {
  EXPECT_EQ(Addresses("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(Addresses("[2001:db8::7]"), "2001:db8::7");
  EXPECT_EQ(resolver_->query_count(), 0u);
}

TEST_F(ResolverTest, KnowsLocalhostWithoutAskingAnyone) {
  EXPECT_NE(Addresses("localhost").find("127.0.0.1"), std::string::npos);
  EXPECT_EQ(dns_.queries, 0u);
}

TEST_F(ResolverTest, GivesAllAddressesOfAName) {
  dns_.hosts["a.test"] = {"127.0.0.2", "127.0.0.1"};
  const Answer answer = Resolve("a.test");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->addresses.size(), 2u);
}

TEST_F(ResolverTest, AsksTheServerOnceWhileTheAnswerLasts) {
  dns_.hosts["a.test"] = {"192.0.2.1"};
  EXPECT_EQ(Addresses("a.test"), "192.0.2.1");
  EXPECT_EQ(Addresses("a.test"), "192.0.2.1");
  EXPECT_EQ(resolver_->query_count(), 1u);
}

TEST_F(ResolverTest, AsksAgainWhenTheAnswerIsOutOfDate) {
  dns_.hosts["a.test"] = {"192.0.2.1"};
  dns_.ttl_seconds = 0;
  Restart({.min_ttl = milliseconds(0)});
  EXPECT_EQ(Addresses("a.test"), "192.0.2.1");
  dns_.hosts["a.test"] = {"192.0.2.2"};
  EXPECT_EQ(Addresses("a.test"), "192.0.2.2");
}

TEST_F(ResolverTest, JoinsLookupsOfOneName) {
  dns_.hosts["a.test"] = {"192.0.2.1"};
  const auto first = Ask("a.test");
  const auto second = Ask("a.test");
  const Answer answer = Await(*first);
  EXPECT_EQ(Await(*second), answer);
  EXPECT_EQ(resolver_->query_count(), 1u);
}

TEST_F(ResolverTest, SaysWhichNameDoesNotExist) {
  const Answer answer = Resolve("missing.test");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, Error::kDns);
  EXPECT_EQ(answer->detail, "missing.test: Domain name not found");
  EXPECT_EQ(Resolve("missing.test"), answer);
}

TEST_F(ResolverTest, GivesUpOnASilentServer) {
  const Answer answer = Resolve("silent.test");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, Error::kDns);
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

TEST(AddressCache, ForgetsTheNameThatWasNotAskedForLongest) {
  const TimePoint now = TimePoint() + std::chrono::hours(1);
  const TimePoint later = now + milliseconds(10);
  const auto answer = std::make_shared<const Resolution>();
  AddressCache cache(2);
  cache.Insert("a.test", answer, later);
  cache.Insert("b.test", answer, later);
  EXPECT_EQ(cache.Find("a.test", now), answer);
  cache.Insert("c.test", answer, later);
  EXPECT_EQ(cache.Find("b.test", now), nullptr);
  EXPECT_EQ(cache.Find("a.test", now), answer);
  EXPECT_EQ(cache.Find("c.test", now), answer);
  EXPECT_EQ(cache.size(), 2u);
}

TEST(AddressCache, KeepsAnAnswerUntilItExpires) {
  const TimePoint now = TimePoint() + std::chrono::hours(1);
  const auto answer = std::make_shared<const Resolution>();
  AddressCache cache(2);
  cache.Insert("a.test", answer, now + milliseconds(10));
  EXPECT_EQ(cache.Find("a.test", now + milliseconds(9)), answer);
  EXPECT_EQ(cache.Find("a.test", now + milliseconds(10)), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace trawl

#include "worker/http/connection_race.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace trawl {
namespace {

using boost::asio::ip::address;

const TimePoint kBegun = TimePoint() + std::chrono::hours(1);

std::vector<address> Addresses(const std::string& text) {
  std::vector<address> addresses;
  std::istringstream words(text);
  for (std::string word; words >> word;) addresses.push_back(boost::asio::ip::make_address(word));
  return addresses;
}

/// What begins at `now`, with blanks between.
std::string Begin(ConnectionRace& race, TimePoint now) {
  std::string text;
  while (const auto next = race.Next(now)) text += (text.empty() ? "" : " ") + next->to_string();
  return text;
}

TEST(ConnectionRace, TakesTheFamiliesInTurn) {
  const struct {
    const char* addresses;
    const char* tried;
  } cases[] = {
      {"", ""},
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.2 192.0.2.1", "192.0.2.2 192.0.2.1"},
      {"192.0.2.1 2001:db8::1", "2001:db8::1 192.0.2.1"},
      {"::1 ::2 ::3 192.0.2.1", "::1 192.0.2.1 ::2 ::3"},
      {"192.0.2.1 192.0.2.2 ::1 192.0.2.3", "::1 192.0.2.1 192.0.2.2 192.0.2.3"},
      {"::2 192.0.2.2 ::1 192.0.2.1", "::2 192.0.2.2 ::1 192.0.2.1"},
  };
  for (const auto& c : cases) {
    ConnectionRace race(Addresses(c.addresses));
    std::string tried;
    for (TimePoint now = kBegun; race.next_at() != TimePoint::max();
         now += ConnectionRace::kAttemptDelay) {
      const std::string next = Begin(race, now);
      EXPECT_EQ(next.find(' '), std::string::npos) << "more than one at a time";
      tried += (tried.empty() ? "" : " ") + next;
    }
    EXPECT_EQ(tried, c.tried);
  }
}

TEST(ConnectionRace, BeginsTheNextAttemptAfterAWhileOrAFailure) {
  ConnectionRace race(Addresses("::1 192.0.2.1 ::2 192.0.2.2"));
  EXPECT_EQ(Begin(race, kBegun), "::1");
  EXPECT_EQ(race.next_at(), kBegun + milliseconds(250));
  EXPECT_EQ(Begin(race, kBegun + milliseconds(249)), "");
  EXPECT_EQ(Begin(race, kBegun + milliseconds(250)), "192.0.2.1");
  EXPECT_EQ(race.next_at(), kBegun + milliseconds(500));
  race.OnFailure();
  EXPECT_EQ(Begin(race, kBegun + milliseconds(260)), "::2");
  EXPECT_EQ(race.next_at(), kBegun + milliseconds(510));
  EXPECT_EQ(Begin(race, kBegun + milliseconds(509)), "");
  race.OnFailure();
  race.OnFailure();
  EXPECT_FALSE(race.lost());
  EXPECT_EQ(Begin(race, kBegun + milliseconds(509)), "192.0.2.2");
  EXPECT_EQ(race.next_at(), TimePoint::max());
  EXPECT_FALSE(race.lost());
  race.OnFailure();
  EXPECT_TRUE(race.lost());
}

TEST(ConnectionRace, IsLostWithoutAnAddress) { EXPECT_TRUE(ConnectionRace({}).lost()); }

}  // namespace
}  // namespace trawl

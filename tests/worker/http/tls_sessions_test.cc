#include "worker/http/tls_sessions.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

TEST(TlsSessions, GivesTheLastOneOfAnOriginOnce) {
  TlsSessions sessions(2);
  sessions.Put("a.test:443", "one");
  sessions.Put("a.test:443", "two");
  EXPECT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions.Take("b.test:443"), "");
  EXPECT_EQ(sessions.Take("a.test:443"), "two");
  EXPECT_EQ(sessions.Take("a.test:443"), "");
  EXPECT_EQ(sessions.size(), 0u);
}

TEST(TlsSessions, ForgetsTheOldest) {
  TlsSessions sessions(2);
  sessions.Put("a.test:443", "one");
  sessions.Put("b.test:443", "two");
  sessions.Put("a.test:443", "three");
  sessions.Put("c.test:443", "four");
  EXPECT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions.Take("b.test:443"), "");
  EXPECT_EQ(sessions.Take("a.test:443"), "three");
  EXPECT_EQ(sessions.Take("c.test:443"), "four");
}

TEST(TlsSessions, KeepsNoneThatIsTooLargeAndNoneAtAllWithoutRoom) {
  TlsSessions sessions(1);
  sessions.Put("a.test:443", std::string(TlsSessions::kMaxSessionBytes + 1, 'x'));
  EXPECT_EQ(sessions.size(), 0u);
  sessions.Put("a.test:443", std::string(TlsSessions::kMaxSessionBytes, 'x'));
  EXPECT_EQ(sessions.size(), 1u);

  TlsSessions none(0);
  none.Put("a.test:443", "one");
  EXPECT_EQ(none.Take("a.test:443"), "");
}

}  // namespace
}  // namespace trawl

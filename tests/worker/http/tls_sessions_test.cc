#include "worker/http/tls_sessions.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

TEST(TlsSessions, ForgetsTheOriginThatWasNotUsedLongest) {
  TlsSessions sessions(2);
  sessions.Put("a.test:443", "one");
  sessions.Put("b.test:443", "two");
  EXPECT_EQ(sessions.Find("a.test:443"), "one");
  sessions.Put("c.test:443", "three");
  EXPECT_EQ(sessions.Find("b.test:443"), "");
  EXPECT_EQ(sessions.Find("a.test:443"), "one");
  EXPECT_EQ(sessions.Find("c.test:443"), "three");
  EXPECT_EQ(sessions.size(), 2u);
}

TEST(TlsSessions, KeepsTheLastOneOfAnOrigin) {
  TlsSessions sessions(2);
  sessions.Put("a.test:443", "one");
  sessions.Put("a.test:443", "two");
  EXPECT_EQ(sessions.Find("a.test:443"), "two");
  EXPECT_EQ(sessions.size(), 1u);
}

TEST(TlsSessions, KeepsNoneThatIsTooLargeAndNoneAtAllWithoutRoom) {
  TlsSessions sessions(1);
  sessions.Put("a.test:443", std::string(TlsSessions::kMaxSessionBytes + 1, 'x'));
  EXPECT_EQ(sessions.size(), 0u);
  sessions.Put("a.test:443", std::string(TlsSessions::kMaxSessionBytes, 'x'));
  EXPECT_EQ(sessions.size(), 1u);

  TlsSessions none(0);
  none.Put("a.test:443", "one");
  EXPECT_EQ(none.Find("a.test:443"), "");
}

}  // namespace
}  // namespace trawl

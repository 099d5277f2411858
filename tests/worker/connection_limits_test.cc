#include "worker/connection_limits.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

TEST(ConnectionLimits, KeepsConnectionsOfTheHostsAtWorkAsFarAsFilesMayBeOpen) {
  EXPECT_EQ(IdleConnections(200, 1'000'000), 3'200u);
  EXPECT_EQ(IdleConnections(200, 1'024), 1'024u - 2 * 200 - 256);
  EXPECT_EQ(IdleConnections(2'000, 20'000), 20'000u - 2 * 2'000 - 256);
  EXPECT_EQ(IdleConnections(400, 1'024), 1'024u / 8);
}

}  // namespace
}  // namespace trawl

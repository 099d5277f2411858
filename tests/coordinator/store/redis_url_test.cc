#include "coordinator/store/redis_url.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace trawl {
namespace {

struct GoodUrl {
  const char* url;
  RedisAddress address;
};

TEST(RedisUrl, NamesAnAddress) {
  const GoodUrl kCases[] = {
      {"redis://", {"", "127.0.0.1", 6379, "", "", 0}},
      {"redis://h", {"", "h", 6379, "", "", 0}},
      {"redis://h/", {"", "h", 6379, "", "", 0}},
      {"redis://h:1/15", {"", "h", 1, "", "", 15}},
      {"redis://:65535", {"", "127.0.0.1", 65535, "", "", 0}},
      {"redis://[::1]", {"", "::1", 6379, "", "", 0}},
      {"redis://[::1]:7/2", {"", "::1", 7, "", "", 2}},
      {"redis://secret@h", {"", "h", 6379, "", "secret", 0}},
      {"redis://:se%2Fcret@h", {"", "h", 6379, "", "se/cret", 0}},
      {"redis://us%3aer:p:@ss@h:9", {"", "h", 9, "us:er", "p:@ss", 0}},
      {"unix:///run/redis.sock", {"/run/redis.sock", "127.0.0.1", 6379, "", "", 0}},
      {"unix:///a folder/s?db=3", {"/a folder/s", "127.0.0.1", 6379, "", "", 3}},
      {"unix:///a%20b%3f%25/s", {"/a b?%/s", "127.0.0.1", 6379, "", "", 0}},
      {"unix://u:p@/s", {"/s", "127.0.0.1", 6379, "u", "p", 0}},
  };
  for (const auto& [url, want] : kCases) {
    SCOPED_TRACE(url);
    std::string why;
    const Result<RedisAddress> address = ParseRedisUrl(url, why);
    ASSERT_TRUE(address) << why;
    EXPECT_EQ(address->socket_path, want.socket_path);
    EXPECT_EQ(address->host, want.host);
    EXPECT_EQ(address->port, want.port);
    EXPECT_EQ(address->user, want.user);
    EXPECT_EQ(address->password, want.password);
    EXPECT_EQ(address->database, want.database);
  }
}

TEST(RedisUrl, SaysWhatIsWrong) {
  const std::string long_path = "unix:///" + std::string(107, 'x');
  const std::pair<std::string, const char*> kCases[] = {
      {"", "begins with redis:// or unix://"},
      {"h:6379", "begins with redis:// or unix://"},
      {"rediss://h", "TLS"},
      {"redis://h:", "the port"},
      {"redis://h:0", "the port"},
      {"redis://h:65536", "the port"},
      {"redis://h:6x", "the port"},
      {"redis://[::1", "bracket"},
      {"redis://[::1]6379", "the port"},
      {"redis://h/x", "the database"},
      {"redis://h/-1", "the database"},
      {"redis://h/1/2", "the database"},
      {"redis://h?db=1", "redis://HOST:PORT/NUMBER"},
      {"redis://%zz@h", "percent-escape"},
      {"unix://", "missing"},
      {"unix://run/s", "absolute"},
      {"unix:///s?db=", "the database"},
      {"unix:///s?x=1", "?db=NUMBER"},
      {"unix:///100%", "%25"},
      {long_path, "107"},
  };
  for (const auto& [url, want] : kCases) {
    std::string why;
    const Result<RedisAddress> address = ParseRedisUrl(url, why);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error(), Error::kUsage);
    EXPECT_NE(why.find(want), why.npos) << url << ": " << why;
  }
}

}  // namespace
}  // namespace trawl

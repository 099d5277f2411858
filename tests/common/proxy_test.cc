#include "common/proxy.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

TEST(Proxy, HasHostPortAndMaybeAUser) {
  const struct {
    const char* text;
    Proxy proxy;
  } kCases[] = {
      {"http://p.test", {"p.test", 80, ""}},
      {"http://p.test:3128/", {"p.test", 3128, ""}},
      {"http://[2001:DB8::1]:8080", {"[2001:db8::1]", 8080, ""}},
      {"http://u:p@p.test:1", {"p.test", 1, "Basic dTpw"}},
      {"http://u@p.test:1", {"p.test", 1, "Basic dTo="}},
      {"http://us%3aer:p%40@p.test:1", {"p.test", 1, "Basic dXM6ZXI6cEA="}},
  };
  for (const auto& [text, proxy] : kCases) EXPECT_EQ(ParseProxy(text), proxy) << text;
}

TEST(Proxy, AnythingElseIsNone) {
  for (const char* text : {"", "p.test:3128", "https://p.test", "socks5://p.test", "http://",
                           "http://p.test:0x", "http://p.test/path", "http://p.test/?q"}) {
    EXPECT_EQ(ParseProxy(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace trawl

// Cookies as RFC 6265 has them; sections are its own.
#include "worker/cookie_jar.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trawl {
namespace {

using std::chrono::seconds;

constexpr CookieJar::Time kNow{std::chrono::sys_days{std::chrono::year(2030) / 1 / 1}};

Url Parse(const std::string& url) { return Url::Parse(url).value(); }

/// What goes to `to` after `from` has set these.
std::string Sent(const std::vector<std::string>& set, const std::string& from,
                 const std::string& to, seconds later = seconds(0)) {
  CookieJar jar;
  for (const std::string& cookie : set) jar.Set(Parse(from), cookie, kNow);
  return jar.For(Parse(to), kNow + later);
}
std::string Sent(const std::string& cookie) {
  return Sent({cookie}, "http://www.a.test/", "http://www.a.test/");
}

TEST(CookieJar, S52ASetCookieIsReadGenerously) {
  const struct {
    const char* set;
    const char* sent;
  } kCases[] = {
      {"a=b", "a=b"},
      {" a = b c ; Path=/", "a=b c"},
      {"a=b=c", "a=b=c"},
      {"a=\"b\"", "a=\"b\""},
      {"a=", "a="},
      {"a", ""},
      {"", ""},
      {"=b", ""},
      {"a=b; nonsense; HttpOnly; SameSite=Lax; =;;", "a=b"},
      {"a=\x01", ""},
      {"a=b\r\nHost: c", ""},
      {"a=b; Path=\x7f", ""},
  };
  for (const auto& [set, sent] : kCases) EXPECT_EQ(Sent(set), sent) << set;
}

TEST(CookieJar, S53ADomainMustBeTheHostsButWidensNothing) {
  const struct {
    const char* domain;
    bool taken;
  } kCases[] = {{"www.a.test", true},    {"A.test", true},  {".a.test", true},   {"", true},
                {"b.www.a.test", false}, {"b.test", false}, {"ww.a.test", false}};
  for (const auto& [domain, taken] : kCases) {
    EXPECT_EQ(Sent("a=b; Domain=" + std::string(domain)), taken ? "a=b" : "") << domain;
  }
}

TEST(CookieJar, S514PathsMatchByWholeSegments) {
  const struct {
    const char* path;  // of the cookie; empty: none
    const char* from;
    const char* to;
    bool sent;
  } kCases[] = {
      {"", "/", "/x/y", true},    {"", "/x", "/y", true},     {"", "/x/y", "/x/z", true},
      {"", "/x/y", "/x", true},   {"", "/x/y", "/xy", false}, {"", "/x/y?/z/", "/x", true},
      {"/x", "/", "/x", true},    {"/x", "/", "/x/y", true},  {"/x", "/", "/xy", false},
      {"/x/", "/", "/x/y", true}, {"/x/", "/", "/x", false},  {"x", "/d/e", "/d", true},
      {"x", "/d/e", "/x", false},
  };
  for (const auto& c : kCases) {
    const std::string path = *c.path ? "; Path=" + std::string(c.path) : "";
    EXPECT_EQ(Sent({"a=b" + path}, "http://a.test" + std::string(c.from),
                   "http://a.test" + std::string(c.to)),
              c.sent ? "a=b" : "")
        << c.path << " from " << c.from << " to " << c.to;
  }
}

TEST(CookieJar, SecureOnesTravelByHttpsOnly) {
  const char* const kHttp = "http://a.test/";
  const char* const kHttps = "https://a.test/";
  EXPECT_EQ(Sent({"a=b; Secure"}, kHttps, kHttps), "a=b");
  EXPECT_EQ(Sent({"a=b; secure"}, kHttps, kHttp), "");
  EXPECT_EQ(Sent({"a=b; Secure"}, kHttp, kHttps), "");
  CookieJar jar;
  jar.Set(Parse(kHttps), "a=b; Secure", kNow);
  jar.Set(Parse(kHttp), "a=c", kNow);
  EXPECT_EQ(jar.For(Parse(kHttps), kNow), "a=b");
}

TEST(CookieJar, PrefixesKeepWhatTheyPromise) {
  const struct {
    const char* set;
    bool taken;
  } kCases[] = {
      {"__Secure-a=b; Secure", true},       {"__secure-a=b", false},
      {"__Host-a=b; Secure; Path=/", true}, {"__Host-a=b; Secure", false},
      {"__Host-a=b; Path=/", false},        {"__Host-a=b; Secure; Path=/; Domain=a.test", false},
  };
  for (const auto& [set, taken] : kCases) {
    EXPECT_EQ(Sent({set}, "https://a.test/", "https://a.test/") != "", taken) << set;
  }
}

TEST(CookieJar, S53AgeBeatsDate) {
  const struct {
    const char* attributes;
    int later;  // seconds
    bool sent;
  } kCases[] = {
      {"", 1'000'000'000, true},
      {"; Max-Age=10", 9, true},
      {"; Max-Age=10", 10, false},
      {"; Max-Age=0", 0, false},
      {"; Max-Age=-5", 0, false},
      {"; Max-Age=1x", 1'000'000, true},
      {"; Max-Age=99999999999999999999999", 34'000'000, true},
      {"; Max-Age=99999999999999999999999", 35'000'000, false},
      {"; Expires=Tue, 01 Jan 2030 00:00:10 GMT", 9, true},
      {"; Expires=Tue, 01 Jan 2030 00:00:10 GMT", 10, false},
      {"; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0, false},
      {"; Expires=never", 1'000'000, true},
      {"; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=10", 9, true},
      {"; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 9, true},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Sent({"a=b" + std::string(c.attributes)}, "http://a.test/", "http://a.test/",
                   seconds(c.later)),
              c.sent ? "a=b" : "")
        << c.attributes << " after " << c.later;
  }
}

TEST(CookieJar, AnExpiredOneTakesTheOldOneAway) {
  EXPECT_EQ(Sent({"a=b", "c=d", "a=; Max-Age=0"}, "http://a.test/", "http://a.test/"), "c=d");
}

TEST(CookieJar, S54LongerPathsComeFirstThenOlderCookies) {
  EXPECT_EQ(Sent({"a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "d=4; Path=/x", "a=5; Path=/"},
                 "http://a.test/", "http://a.test/x"),
            "b=2; d=4; a=5; c=3");
}

TEST(CookieJar, IsBounded) {
  EXPECT_EQ(Sent("a=" + std::string(CookieJar::kMaxCookieBytes - 2, 'x')).size(),
            CookieJar::kMaxCookieBytes);
  EXPECT_EQ(Sent("a=" + std::string(CookieJar::kMaxCookieBytes - 1, 'x')), "");
  CookieJar jar;
  const Url url = Parse("http://a.test/");
  for (std::size_t i = 0; i <= CookieJar::kMaxCookies; ++i) {
    jar.Set(url, "c" + std::to_string(i) + "=", kNow);
  }
  const std::string sent = jar.For(url, kNow);
  EXPECT_TRUE(sent.starts_with("c1=; c2=; ")) << sent;
  EXPECT_TRUE(sent.ends_with("; c50=")) << sent;
}

}  // namespace
}  // namespace trawl

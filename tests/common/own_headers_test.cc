#include "common/own_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace trawl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(OwnHeaders, AreWholeHeadersThatAreTheUsersToSet) {
  for (const char* header : {"X-Key: 1", "Cookie: a=b", "Authorization: Bearer x",
                             "X-Empty:", "a!#$%&'*+-.^_`|~9: \xc3\xa9\tb"}) {
    EXPECT_EQ(HeaderComplaint(header), "") << header;
  }
  const struct {
    std::string header;
    const char* complaint;
  } kCases[] = {
      {"", "'Name: value'"},
      {"X-Key", "'Name: value'"},
      {": 1", "no name"},
      {"X Key: 1", "no name"},
      {"X-Key : 1", "no name"},
      {"X-K\xc3\xa9y: 1", "no name"},
      {"X-Key: 1\r\nHost: b", "control"},
      {"X-Key: 1\n", "control"},
      {std::string("X-Key: \0", 8), "control"},
      {"X-Key: \x7f", "control"},
      {"X-Key: \xff", "UTF-8"},
      {"X-Key: " + std::string(kMaxOwnHeaderBytes, 'x'), "longer"},
      {"user-agent: x", "--user-agent"},
      {"Host: x", "Host"},
      {"CONTENT-LENGTH: 1", "CONTENT-LENGTH"},
      {"Transfer-Encoding: chunked", "Transfer-Encoding"},
      {"Connection: close", "Connection"},
      {"Accept-Encoding: br", "Accept-Encoding"},
      {"Range: bytes=0-1", "Range"},
      {"Proxy-Authorization: x", "Proxy-Authorization"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(HeaderComplaint(c.header), HasSubstr(c.complaint)) << c.header;
  }
}

TEST(OwnHeaders, HaveThePasswordWithThem) {
  CrawlOptions crawl;
  EXPECT_THAT(OwnHeaders(crawl), IsEmpty());
  crawl.headers = {"X-Key: 1"};
  crawl.auth = "Aladdin:open sesame";  // RFC 7617, section 2
  EXPECT_THAT(OwnHeaders(crawl),
              ElementsAre("X-Key: 1", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

TEST(OwnHeaders, AreForTheSeedsOrigins) {
  CrawlOptions crawl;
  crawl.sitemap_urls = {"https://s.test/map"};
  EXPECT_THAT(OwnOrigins(crawl), ElementsAre("https://s.test"));
  crawl.seeds = {"HTTP://a.test/x", "http://a.test/y", "https://b.test/", "http://c.test:81/"};
  // http leads on to https of the same host, never the other way.
  EXPECT_THAT(OwnOrigins(crawl),
              ElementsAre("http://a.test", "https://a.test", "https://b.test", "http://c.test:81"));
}

TEST(OwnHeaders, AUserInAUrlIsSeen) {
  for (const char* url : {"http://u:p@a.test/", "http://u@a.test", "http:\\\\u@a.test",
                          "http:u@a.test", "ht\ttp:/\n/u:p@a.test/"}) {
    EXPECT_TRUE(HasUserInfo(url)) << url;
  }
  for (const char* url : {"http://a.test/@", "http://a.test?@", "http://a.test#@", "a.test", ""}) {
    EXPECT_FALSE(HasUserInfo(url)) << url;
  }
}

}  // namespace
}  // namespace trawl

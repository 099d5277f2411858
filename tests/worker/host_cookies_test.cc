#include "worker/host_cookies.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "tests/support/fetch_runner.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

class HostCookiesTest : public ::testing::Test {
 protected:
  /// Fetches a page of the site as one of `host`; returns the request's head.
  std::string Get(const std::string& host, const std::string& path) {
    FetchRequest request = FetchRunner::Request(site_.Url(path));
    auto fetched = std::make_shared<Fetched>();
    auto observer = cookies_.Carry(host, request, std::make_unique<Recorder>(fetched));
    fetcher_.Start(std::move(request), std::move(observer));
    io_.restart();
    while (fetched->ends == 0 && io_.run_one() > 0) {
    }
    EXPECT_EQ(fetched->body, "text");
    return site_.requests().back().head;
  }
  static bool HasCookie(const std::string& head, const std::string& cookies) {
    return head.find("\r\nCookie: " + cookies + "\r\n") != head.npos;
  }

  HostCookiesTest() {
    site_.SetHtml("/page", "text");
    site_.Set("/set", {.headers = {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}}, .body = "text"});
  }

  TestSite site_;
  boost::asio::io_context io_{1};
  Fetcher fetcher_{io_, {.user_agent = "test/1.0"}};
  HostCookies cookies_;
};

TEST_F(HostCookiesTest, GoBackToTheHostThatSetThem) {
  EXPECT_EQ(Get("one", "/set").find("Cookie"), std::string::npos);
  EXPECT_TRUE(HasCookie(Get("one", "/page"), "a=1; b=2"));
  EXPECT_EQ(Get("two", "/page").find("Cookie"), std::string::npos);
}

TEST_F(HostCookiesTest, AreGoneWithTheLeases) {
  Get("one", "/set");
  Get("two", "/set");
  cookies_.Drop("one");
  EXPECT_EQ(Get("one", "/page").find("Cookie"), std::string::npos);
  EXPECT_TRUE(HasCookie(Get("two", "/page"), "a=1; b=2"));
  cookies_.DropUnless([](const std::string& host) { return host == "one"; });
  EXPECT_EQ(Get("two", "/page").find("Cookie"), std::string::npos);
}

}  // namespace
}  // namespace trawl

// What the rule on addresses means for names: the host of a seed that by itself is not public (an
// address, localhost and the names under it) may be reached, under that name only.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <string>
#include <thread>

#include "tests/support/test_dns.h"
#include "tests/support/test_site.h"
#include "worker/probe/fetch_probe.h"

namespace trawl {
namespace {

namespace json = boost::json;

class FetchProbeNamesTest : public ::testing::Test {
 protected:
  FetchProbeNamesTest() {
    dns_.names["a.test"].addresses = {"127.0.0.1"};
    options_.dns = dns_.address();
    options_.crawl.user_agent = "test/1.0";
  }
  void SetUp() override {
    serving_ = std::jthread([this] { dns_io_.run(); });
  }
  ~FetchProbeNamesTest() override { dns_io_.stop(); }

  std::string Url(const std::string& host, const std::string& path = "/") const {
    return "http://" + host + ":" + std::to_string(site_.port()) + path;
  }
  /// `outcome` and, of a failure, `reason`, of a redirect that is not followed, `target`.
  std::string Fetch(const std::string& url) {
    options_.crawl.seeds = {url};
    const json::object report = FetchProbe(options_).Fetch(trawl::Url::Parse(url).value()).json;
    std::string text(report.at("outcome").as_string());
    for (const char* key : {"reason", "target"}) {
      if (const auto* why = report.if_contains(key)) text += " " + std::string(why->as_string());
    }
    return text;
  }

  TestSite site_;
  boost::asio::io_context dns_io_{1};
  TestDns dns_{dns_io_};
  ProbeOptions options_;
  std::jthread serving_;
};

TEST_F(FetchProbeNamesTest, ASeedAllowsItsOwnHostAndNoOther) {
  site_.SetHtml("/", "home");
  const struct {
    const char* seed;
    const char* redirected_to;  // none: the seed itself is the page
    const char* outcome;
  } cases[] = {
      {"127.0.0.1", nullptr, "fetched"},
      {"localhost", nullptr, "fetched"},
      {"www.localhost", nullptr, "fetched"},
      {"[::ffff:127.0.0.1]", nullptr, "fetched"},
      // That it resolves to one's own machine does not make a name one's own.
      {"a.test", nullptr, "failed address"},
      {"127.0.0.1", "a.test", "failed address"},
      {"127.0.0.1", "localhost", "redirected address"},
      {"localhost", "127.0.0.1", "redirected address"},
      {"localhost", "www.localhost", "redirected address"},
      {"127.0.0.1", "[::ffff:127.0.0.1]", "redirected address"},
      {"127.0.0.1", "127.0.0.1", "fetched"},
  };
  for (const bool ignore_robots : {false, true}) {
    options_.crawl.ignore_robots = ignore_robots;
    for (const auto& c : cases) {
      SCOPED_TRACE(std::string(c.seed) + " to " + (c.redirected_to ? c.redirected_to : "nothing"));
      const std::size_t pages = site_.request_count("/");
      if (c.redirected_to) site_.SetRedirect("/r", Url(c.redirected_to));
      EXPECT_EQ(Fetch(Url(c.seed, c.redirected_to ? "/r" : "/")), c.outcome);
      EXPECT_EQ(site_.request_count("/") - pages, c.outcome == std::string("fetched") ? 1u : 0u);
    }
  }
}

TEST_F(FetchProbeNamesTest, EveryAddressIsAllowedWhereTheFlagSaysSo) {
  site_.SetHtml("/", "home");
  options_.crawl.allow_private = true;
  EXPECT_EQ(Fetch(Url("a.test")), "fetched");
  EXPECT_EQ(site_.request_count("/robots.txt"), 1u);
  site_.SetRedirect("/r", Url("a.test"));
  EXPECT_EQ(Fetch(Url("127.0.0.1", "/r")), "fetched");
}

}  // namespace
}  // namespace trawl

#include "common/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace trawl {
namespace {

using ::testing::ElementsAre;

TEST(CrawlOptions, JsonKeepsEveryOption) {
  CrawlOptions options;
  options.seeds = {"http://a.test/", "http://\u00e4.test/\"\\"};
  options.depth = 7;
  options.max_pages = std::numeric_limits<std::uint64_t>::max();
  options.host_connections = 8;
  options.host_delay = milliseconds(9);
  options.scope = ScopeKind::kPrefix;
  options.include = {"a|b"};
  options.exclude = {"\\.pdf$", ""};
  options.sitemaps = true;
  options.sitemap_urls = {"http://a.test/s"};
  options.rounds = RoundMode::kFree;
  options.sort_query = true;
  options.strip_params = true;
  options.strip_names = {"from"};
  options.url_limits = {1, 2, 3, 4};
  options.max_links_per_page = 7;
  options.max_pages_per_host = 5;
  options.max_hosts_per_domain = 6;
  options.max_same_body = 7;
  options.auto_throttle = true;
  options.retries = 7;
  options.retry_delay = milliseconds(8);
  options.ignore_robots = true;
  options.robots_retries = 4;
  options.robots_retry_delay = milliseconds(5);
  options.allow_private = true;
  options.user_agent = "bot/1";
  options.headers = {"X-Key: 1", "X-Other: 2"};
  options.auth = "u:p";
  options.cookies = true;
  options.proxy = "http://p.test";
  options.insecure = true;
  options.content_types = {"*/*"};
  options.max_body_bytes = 10;
  options.fetch_timeout = milliseconds(11);
  options.max_hops = 12;
  const std::string json = options.Json();
  const Result<CrawlOptions> read = CrawlOptions::FromJson(json);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->Json(), json);
  EXPECT_NE(json, CrawlOptions().Json());
  EXPECT_THAT(read->seeds, ElementsAre(options.seeds[0], options.seeds[1]));
  EXPECT_EQ(read->max_pages, options.max_pages);
  EXPECT_EQ(read->host_delay, options.host_delay);
  EXPECT_EQ(read->scope, options.scope);
  EXPECT_EQ(read->rounds, options.rounds);
  EXPECT_THAT(read->headers, ElementsAre("X-Key: 1", "X-Other: 2"));
  EXPECT_EQ(read->auth, "u:p");
  EXPECT_EQ(read->proxy, "http://p.test");
  EXPECT_TRUE(read->cookies && read->insecure);
  EXPECT_TRUE(read->sort_query && read->strip_params);
  EXPECT_THAT(read->strip_names, ElementsAre("from"));
  EXPECT_TRUE(read->sitemaps);
  EXPECT_THAT(read->sitemap_urls, ElementsAre("http://a.test/s"));
  EXPECT_TRUE(read->ignore_robots);
  EXPECT_TRUE(read->auto_throttle);
  EXPECT_EQ(read->retries, 7);
  EXPECT_EQ(read->retry_delay, milliseconds(8));
  EXPECT_EQ(read->robots_retries, 4);
  EXPECT_EQ(read->robots_retry_delay, options.robots_retry_delay);
  EXPECT_EQ(read->url_limits.bytes, 1);
  EXPECT_EQ(read->url_limits.path_segments, 2);
  EXPECT_EQ(read->url_limits.repeated_segments, 3);
  EXPECT_EQ(read->url_limits.query_params, 4);
  EXPECT_EQ(read->max_links_per_page, 7u);
  EXPECT_EQ(read->max_pages_per_host, 5u);
  EXPECT_EQ(read->max_hosts_per_domain, 6u);
  EXPECT_EQ(read->max_same_body, 7u);
}

TEST(CrawlOptions, JsonOfAnotherVersionIsReadAsFarAsItIsKnown) {
  const Result<CrawlOptions> read = CrawlOptions::FromJson(R"({"depth":5,"telepathy":true})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->depth, 5);
  EXPECT_EQ(read->host_delay, CrawlOptions().host_delay);
}

TEST(CrawlOptions, JsonOfTheWrongKindIsRefused) {
  for (const char* text :
       {"", "x", "[]", "null", R"({"depth":"5"})", R"({"depth":1e30})", R"({"seeds":"x"})",
        R"({"seeds":[1]})", R"({"scope":"world"})", R"({"scope":1})", R"({"host_delay_ms":null})",
        R"({"ignore_robots":"yes"})", R"({"max_pages":-1})"}) {
    EXPECT_FALSE(CrawlOptions::FromJson(text)) << text;
  }
}

}  // namespace
}  // namespace trawl

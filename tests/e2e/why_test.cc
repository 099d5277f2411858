// Asks trawl-probe why URLs were, or were not, crawled.

#include <algorithm>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

class Why : public CrawlFixture {
 protected:
  Why() {
    TestPage robots;
    robots.body = "User-agent: *\nDisallow: /private\n";
    site_.Set("/robots.txt", robots);
    site_.SetHtml("/",
                  "<title>Home</title><a href=/a><a href=/old><a href=/gone><a href=/private>"
                  "<a href=/x.pdf><a href=http://other.test/><a href=/x/x/x/x/x>");
    site_.SetHtml("/a", "<a href=/b>");
    site_.SetHtml("/b", "<a href=/too-deep>");
    site_.SetRedirect("/old", "/a");
  }

  boost::json::object Ask(const std::string& url, Flags more = {}) {
    Flags command = {Program("trawl-probe"), "why", url, "--job", "e2e", "--redis", redis().url()};
    command.insert(command.end(), more.begin(), more.end());
    Process probe(std::move(command), LogPath("why"));
    EXPECT_EQ(probe.Wait(), 0) << probe.err();
    return boost::json::parse(probe.out()).as_object();
  }

  /// Expects this exit code and a line that contains `text`.
  void ExpectFailure(Flags flags, int code, const std::string& text) {
    flags.insert(flags.begin(), {Program("trawl-probe"), "why"});
    Process probe(std::move(flags), LogPath("why"));
    EXPECT_EQ(probe.Wait(), code);
    const std::string err = probe.err();
    EXPECT_NE(err.find(text), std::string::npos) << err;
    EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
  }

  TestSite site_;
};

TEST_F(Why, TellsWhatBecameOfAUrl) {
  Flags flags = Fast();
  flags.insert(flags.end(), {"--depth", "2", "--exclude", "[.]png$", "--exclude", "[.]pdf$"});
  ASSERT_NO_FATAL_FAILURE(Crawl({site_.Url("/")}, flags));

  const struct {
    std::string url;
    const char* state;
    int depth;  // -1: null
    const char* reason;
    const char* rule;
  } kCases[] = {
      {site_.Url("/"), "fetched", 0, "", ""},
      {site_.Url("/x/../a#part"), "fetched", 1, "", ""},
      {site_.Url("/b"), "fetched", 2, "", ""},
      {site_.Url("/old"), "redirected", 1, "", ""},
      {site_.Url("/gone"), "failed", 1, "http_status", ""},
      {site_.Url("/private"), "failed", 1, "robots", "Disallow: /private"},
      {site_.Url("/x.pdf"), "not_seen", -1, "scope", "--exclude [.]pdf$"},
      {site_.Url("/x/x/x/x/x"), "not_seen", -1, "repeated_segments", "--max-repeated-segments 2"},
      {site_.Url("/too-deep"), "not_seen", -1, "not_found", "--depth 2"},
      {"http://other.test/", "not_seen", -1, "scope", "--scope host"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.url);
    const boost::json::object answer = Ask(c.url);
    const auto text = [&](const char* key) {
      const boost::json::value* const value = answer.if_contains(key);
      return value ? std::string(value->as_string()) : "";
    };
    EXPECT_EQ(text("state"), c.state);
    EXPECT_EQ(text("reason"), c.reason);
    EXPECT_EQ(text("rule"), c.rule);
    if (c.depth < 0) {
      EXPECT_EQ(answer.at("depth"), nullptr);
      EXPECT_NE(text("detail"), "");
    } else {
      EXPECT_EQ(answer.at("depth"), c.depth);
      EXPECT_EQ(answer.at("row").at("url"), answer.at("url"));
    }
  }
  const boost::json::object robots = Ask(site_.Url("/b")).at("robots").as_object();
  EXPECT_EQ(robots.at("state"), "rules");
  EXPECT_EQ(robots.at("allowed"), true);
  EXPECT_FALSE(robots.contains("body"));
  EXPECT_EQ(Ask("http://other.test/").at("robots"), nullptr);
  EXPECT_EQ(Ask(site_.Url("/"), {"--out", folder().string()}).at("row").at("title"), "Home");
  const TemporaryFolder empty;
  EXPECT_EQ(Ask(site_.Url("/"), {"--out", empty.path().string()}).at("state"), "seen");
}

TEST_F(Why, NamesTheLimitThatAHostOrADomainHasReached) {
  TestSite second, third;
  second.SetHtml("/", "");
  site_.SetHtml("/", "<a href=/a><a href=/b><a href='" + second.Url("/") + "'><a href='" +
                         third.Url("/") + "'>");
  Flags flags = Fast();
  flags.insert(flags.end(), {"--max-pages-per-host", "2", "--max-hosts-per-domain", "1",  //
                             "--scope", "any", "--depth", "1"});
  ASSERT_NO_FATAL_FAILURE(Crawl({site_.Url("/")}, flags));
  EXPECT_EQ(Ask(site_.Url("/a")).at("state"), "fetched");
  EXPECT_EQ(Ask(site_.Url("/b")).at("reason"), "pages_per_host");
  EXPECT_EQ(Ask(site_.Url("/b")).at("rule"), "--max-pages-per-host 2");
  EXPECT_EQ(Ask(second.Url("/x")).at("reason"), "not_found");
  EXPECT_EQ(Ask(third.Url("/")).at("reason"), "hosts_per_domain");
  EXPECT_EQ(Ask(third.Url("/")).at("rule"), "--max-hosts-per-domain 1");
}

TEST_F(Why, AsksForTheUrlThatTheJobTakesForIt) {
  Flags flags = Fast();
  flags.insert(flags.end(), {"--depth", "0", "--strip-params"});
  ASSERT_NO_FATAL_FAILURE(Crawl({site_.Url("/a?utm_source=x")}, flags));
  const boost::json::object answer = Ask(site_.Url("/a?utm_source=y"));
  EXPECT_EQ(answer.at("url"), boost::json::value(site_.Url("/a")));
  EXPECT_EQ(answer.at("state"), "fetched");
}

TEST_F(Why, TellsWhereAUrlIsWhileItWaits) {
  TestPage silent;
  silent.fault = TestPage::Fault::kSilent;
  site_.Set("/a", silent);
  Flags flags = Fast();
  flags.insert(flags.end(), {"--host-connections", "1", "--depth", "1"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({site_.Url("/")}, flags));
  EXPECT_EQ(Ask(site_.Url("/")).at("state"), "waiting");
  EXPECT_EQ(Ask(site_.Url("/")).at("ahead"), 0);
  StartWorker({"--name", "w1"});
  ASSERT_TRUE(WaitUntil([&] { return site_.request_count("/a") > 0; }));
  const boost::json::object leased = Ask(site_.Url("/a"));
  EXPECT_EQ(leased.at("state"), "leased");
  EXPECT_EQ(leased.at("worker"), "w1");
  EXPECT_EQ(leased.at("depth"), 1);
  EXPECT_EQ(leased.at("referrer"), boost::json::value(site_.Url("/")));
  EXPECT_EQ(leased.at("job").at("state"), "running");
}

TEST_F(Why, ComplainsInOneLine) {
  const std::string redis_url = redis().url();
  ExpectFailure({"http://a.test/", "--job", "none", "--redis", redis_url}, 1, "no job 'none'");
  ExpectFailure({"http://a.test/", "--job", "j", "--redis", "unix:///nonexistent"}, 1, "Redis");
  ExpectFailure({"http://a.test/", "--job", "j", "--redis", "tcp://x"}, 2, "--redis");
  ExpectFailure({"http://a.test/", "--redis", redis_url}, 2, "--job");
  ExpectFailure({"rubbish", "--job", "j", "--redis", redis_url}, 2, "rubbish");
  ExpectFailure({"--job", "j", "--redis", redis_url}, 2, "name one URL");
}

}  // namespace
}  // namespace trawl

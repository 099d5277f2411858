// What becomes of URLs of servers that do wrong: a row of HostileBehaviours() each.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "tests/support/hostile_server.h"
#include "worker/probe/fetch_probe.h"

namespace trawl {
namespace {

namespace json = boost::json;

class HostileServerTest : public ::testing::TestWithParam<HostileBehaviour> {
 protected:
  HostileServerTest() {
    options_.crawl.ignore_robots = true;
    options_.crawl.fetch_timeout = milliseconds(2'000);
    options_.crawl.max_body_bytes = 16 * 1024 * 1024;
    options_.crawl.max_hops = 20;
  }

  static std::string OutcomeOf(const json::object& report) {
    const auto text = [&](const char* key) { return std::string(report.at(key).as_string()); };
    if (text("outcome") == "failed") return text("reason");
    if (text("outcome") == "redirected") return "redirected " + text("target");
    return text("outcome");
  }

  HostileServer server_;
  ProbeOptions options_;
};

TEST_P(HostileServerTest, ComesToItsEnd) {
  const HostileBehaviour& behaviour = GetParam();
  const std::string url = server_.Url(behaviour.name);
  options_.crawl.seeds = {url};
  const json::object report = FetchProbe(options_).Fetch(Url::Parse(url).value()).json;
  EXPECT_EQ(OutcomeOf(report), behaviour.outcome) << report;
  if (behaviour.body_bytes >= 0) {
    EXPECT_EQ(report.at("bytes"), behaviour.body_bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(, HostileServerTest, ::testing::ValuesIn(HostileBehaviours()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = c == '/' ? '_' : c;
                           return name;
                         });

/// Each page behind it is fetched whole on whatever connection there is.
TEST(HostileServer, SpoilsNoOtherPage) {
  HostileServer server;
  ProbeOptions options;
  options.crawl.ignore_robots = true;
  options.crawl.seeds = {server.Url("")};
  FetchProbe probe(options);
  for (const char* path : {"response_behind", "rubbish_behind", "longer_than_length",
                           "no_content_with_body", "http10", "bare_lf"}) {
    const auto report = probe.Fetch(Url::Parse(server.Url(path)).value()).json;
    EXPECT_EQ(report.at("bytes"), path == std::string("no_content_with_body") ? 0 : 12) << path;
  }
}

}  // namespace
}  // namespace trawl

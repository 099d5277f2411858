#include "common/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace trawl {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Arguments = std::vector<std::string>;

constexpr char kSeed[] = "http://a.test/";

/// What a program did with its arguments: its options, or its exit and what it printed.
template <class Options>
struct Outcome {
  std::variant<Options, ExitNow> parsed;
  std::string out, err;

  const Options& options() const { return std::get<Options>(parsed); }
  int code() const { return std::get<ExitNow>(parsed).code; }
};

template <class Options>
Outcome<Options> Run(std::variant<Options, ExitNow> (*parse)(int, const char* const*),
                     const Arguments& arguments) {
  std::vector<const char*> argv = {"program"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  auto parsed = parse(static_cast<int>(argv.size()), argv.data());
  return {std::move(parsed), testing::internal::GetCapturedStdout(),
          testing::internal::GetCapturedStderr()};
}

Outcome<CoordinatorOptions> Coordinate(const Arguments& arguments) {
  return Run(&ParseCoordinatorOptions, arguments);
}
Outcome<ProbeOptions> Probe(const Arguments& arguments) {
  return Run(&ParseProbeOptions, arguments);
}
Outcome<WorkerOptions> Work(const Arguments& arguments) {
  return Run(&ParseWorkerOptions, arguments);
}

class ConfigFile : public ::testing::Test {
 protected:
  ConfigFile() {
    std::string pattern = (fs::temp_directory_path() / "trawl-config-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
  }
  ~ConfigFile() override { fs::remove_all(folder_); }

  std::string Write(const std::string& text) const {
    const fs::path path = folder_ / "trawl.toml";
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  fs::path folder_;
};

TEST(CommandLine, EveryFlagOfACoordinatorIsTaken) {
  const auto outcome = Coordinate({"--depth",
                                   "5",
                                   "--max-pages",
                                   "6",
                                   "--auto-throttle",
                                   "--retries",
                                   "14",
                                   "--retry-delay",
                                   "15",
                                   "--robots-retries",
                                   "12",
                                   "--robots-retry-delay",
                                   "13",
                                   "--host-delay",
                                   "7",
                                   "--host-connections",
                                   "8",
                                   "--scope",
                                   "any",
                                   "--include",
                                   "in1",
                                   "--include",
                                   "in2",
                                   "--exclude",
                                   "ex",
                                   "--sitemap",
                                   "http://a.test/s1",
                                   "--sitemap",
                                   "http://a.test/s2",
                                   "--rounds",
                                   "free",
                                   "--sort-query",
                                   "--strip-params",
                                   "--strip-param",
                                   "ref",
                                   "--strip-param",
                                   "x_*",
                                   "--ignore-robots",
                                   "--ignore-x-robots-tag",
                                   "--ignore-meta-robots",
                                   "--ignore-rel-nofollow",
                                   "--allow-private",
                                   "--user-agent",
                                   "bot",
                                   "--content-types",
                                   "a/b,c/d",
                                   "--max-body-bytes",
                                   "9",
                                   "--fetch-timeout",
                                   "10",
                                   "--max-redirects",
                                   "11",
                                   "--job",
                                   "J.1-x_y",
                                   "--redis",
                                   "unix:///r",
                                   "--out",
                                   "o",
                                   "--listen",
                                   "tcp://*:1",
                                   "--endpoint-file",
                                   "e",
                                   "--lease-timeout",
                                   "1000",
                                   "--resume",
                                   "--quiet",
                                   "--log-level",
                                   "debug",
                                   "http://a.test/",
                                   "http://b.test/"});
  const CoordinatorOptions& options = outcome.options();
  const CrawlOptions& crawl = options.crawl;
  EXPECT_THAT(crawl.seeds, ElementsAre("http://a.test/", "http://b.test/"));
  EXPECT_EQ(crawl.depth, 5);
  EXPECT_EQ(crawl.max_pages, 6u);
  EXPECT_EQ(crawl.host_delay, milliseconds(7));
  EXPECT_EQ(crawl.host_connections, 8);
  EXPECT_EQ(crawl.scope, ScopeKind::kAny);
  EXPECT_THAT(crawl.include, ElementsAre("in1", "in2"));
  EXPECT_THAT(crawl.exclude, ElementsAre("ex"));
  EXPECT_THAT(crawl.sitemap_urls, ElementsAre("http://a.test/s1", "http://a.test/s2"));
  EXPECT_EQ(crawl.rounds, RoundMode::kFree);
  EXPECT_TRUE(crawl.sort_query && crawl.strip_params);
  EXPECT_THAT(crawl.strip_names, ElementsAre("ref", "x_*"));
  EXPECT_TRUE(crawl.ignore_robots);
  EXPECT_TRUE(crawl.ignore_robots_tag);
  EXPECT_TRUE(crawl.ignore_meta_robots);
  EXPECT_TRUE(crawl.ignore_rel_nofollow);
  EXPECT_TRUE(crawl.allow_private);
  EXPECT_EQ(crawl.user_agent, "bot");
  EXPECT_THAT(crawl.content_types, ElementsAre("a/b", "c/d"));
  EXPECT_EQ(crawl.max_body_bytes, 9u);
  EXPECT_EQ(crawl.fetch_timeout, milliseconds(10));
  EXPECT_EQ(crawl.max_hops, 11);
  EXPECT_TRUE(crawl.auto_throttle);
  EXPECT_EQ(crawl.retries, 14);
  EXPECT_EQ(crawl.retry_delay, milliseconds(15));
  EXPECT_EQ(crawl.robots_retries, 12);
  EXPECT_EQ(crawl.robots_retry_delay, milliseconds(13));
  EXPECT_EQ(options.job, "J.1-x_y");
  EXPECT_EQ(options.redis, "unix:///r");
  EXPECT_EQ(options.out, "o");
  EXPECT_EQ(options.listen, "tcp://*:1");
  EXPECT_EQ(options.endpoint_file, "e");
  EXPECT_EQ(options.lease_timeout, milliseconds(1'000));
  EXPECT_TRUE(options.resume);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.log_level, "debug");
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST(CommandLine, LimitsKeepACoordinatorOutOfTraps) {
  const CrawlOptions given = Coordinate({kSeed, "--max-url-bytes", "1", "--max-path-segments", "2",
                                         "--max-repeated-segments", "3", "--max-query-params", "0",
                                         "--max-pages-per-host", "5", "--max-hosts-per-domain", "6",
                                         "--max-links-per-page", "7", "--max-same-body", "8"})
                                 .options()
                                 .crawl;
  EXPECT_EQ(given.url_limits.bytes, 1);
  EXPECT_EQ(given.url_limits.path_segments, 2);
  EXPECT_EQ(given.url_limits.repeated_segments, 3);
  EXPECT_EQ(given.url_limits.query_params, 0);
  EXPECT_EQ(given.max_links_per_page, 7u);
  EXPECT_EQ(given.max_pages_per_host, 5u);
  EXPECT_EQ(given.max_hosts_per_domain, 6u);
  EXPECT_EQ(given.max_same_body, 8u);
  const CrawlOptions initial = Coordinate({kSeed}).options().crawl;
  EXPECT_EQ(initial.url_limits.bytes, 2'083);
  EXPECT_EQ(initial.url_limits.path_segments, 40);
  EXPECT_EQ(initial.url_limits.repeated_segments, 2);
  EXPECT_EQ(initial.url_limits.query_params, 32);
  EXPECT_EQ(initial.max_links_per_page, 100'000u);
  EXPECT_EQ(initial.max_pages_per_host, 0u);
  EXPECT_EQ(initial.max_hosts_per_domain, 10'000u);
  EXPECT_EQ(initial.max_same_body, 100u);
}

TEST(CommandLine, ACoordinatorHasTheDefaultsThatPeopleRelyOn) {
  const auto outcome = Coordinate({"http://a.test:8080/x"});
  const CoordinatorOptions& options = outcome.options();
  EXPECT_EQ(options.crawl.depth, 3);
  EXPECT_EQ(options.crawl.max_pages, 0u);
  EXPECT_EQ(options.crawl.host_connections, 2);
  EXPECT_EQ(options.crawl.host_delay, milliseconds(250));
  EXPECT_FALSE(options.crawl.auto_throttle);
  EXPECT_EQ(options.crawl.retries, 2);
  EXPECT_EQ(options.crawl.retry_delay, milliseconds(1'000));
  EXPECT_EQ(options.crawl.robots_retries, 3);
  EXPECT_EQ(options.crawl.robots_retry_delay, milliseconds(5'000));
  EXPECT_EQ(options.crawl.scope, ScopeKind::kHost);
  EXPECT_EQ(options.crawl.rounds, RoundMode::kExact);
  EXPECT_THAT(options.crawl.user_agent, StartsWith("trawl/" TRAWL_VERSION " (+http"));
  EXPECT_THAT(options.crawl.content_types, ElementsAre("text/html", "application/xhtml+xml"));
  EXPECT_FALSE(options.crawl.sort_query || options.crawl.strip_params);
  EXPECT_FALSE(options.crawl.ignore_robots_tag || options.crawl.ignore_meta_robots ||
               options.crawl.ignore_rel_nofollow);
  EXPECT_FALSE(options.crawl.ignore_robots || options.crawl.allow_private || options.resume);
  EXPECT_THAT(options.job, testing::MatchesRegex("a.test-8080-[0-9]{8}-[0-9]{6}"));
  EXPECT_EQ(options.out, "crawls/" + options.job);
}

TEST(CommandLine, EveryFlagOfAWorkerIsTaken) {
  const auto outcome = Work({"--coordinator", "tcp://h:1", "--concurrency", "5", "--out", "o",
                             "--name", "w", "--ca-file", "/dev/null", "--dns", "192.0.2.1,::1"});
  EXPECT_EQ(outcome.options().coordinator, "tcp://h:1");
  EXPECT_EQ(outcome.options().concurrency, 5);
  EXPECT_EQ(outcome.options().out, "o");
  EXPECT_EQ(outcome.options().name, "w");
  EXPECT_EQ(outcome.options().ca_file, "/dev/null");
  EXPECT_EQ(outcome.options().dns, "192.0.2.1,::1");
  EXPECT_EQ(Work({"--coordinator", "x", "--out", "o"}).options().concurrency, 200);
}

TEST(CommandLine, BadUsageIsOneLineThatNamesTheFlag) {
  const std::vector<std::pair<Arguments, const char*>> cases = {
      {{}, "URL"},
      {{kSeed, "--nonsense"}, "--nonsense"},
      {{kSeed, "--depth", "x"}, "--depth"},
      {{kSeed, "--depth", "-1"}, "--depth"},
      {{kSeed, "--depth"}, "--depth"},
      {{kSeed, "--retries", "101"}, "--retries"},
      {{kSeed, "--retry-delay", "-1"}, "--retry-delay"},
      {{kSeed, "--robots-retries", "101"}, "--robots-retries"},
      {{kSeed, "--robots-retry-delay", "-1"}, "--robots-retry-delay"},
      {{kSeed, "--max-pages", "-1"}, "--max-pages"},
      {{kSeed, "--host-connections", "0"}, "--host-connections"},
      {{kSeed, "--host-delay", "-1"}, "--host-delay"},
      {{kSeed, "--scope", "world"}, "--scope"},
      {{kSeed, "--rounds", "square"}, "--rounds"},
      {{kSeed, "--include", "("}, "--include"},
      {{kSeed, "--exclude", "[z-a]"}, "--exclude"},
      {{kSeed, "--job", "a/b"}, "--job"},
      {{kSeed, "--job", "-x"}, "--job"},
      {{kSeed, "--user-agent", "a\r\nHost: b"}, "--user-agent"},
      {{kSeed, "--log-level", "loud"}, "--log-level"},
      {{kSeed, "--config", "/no/such/file.toml"}, "/no/such/file.toml"},
      {{kSeed, "--header", "X-Key"}, "--header"},
      {{kSeed, "--header", "Host: b"}, "--header"},
      {{kSeed, "--auth", "u"}, "--auth"},
      {{kSeed, "--auth", "u:p", "--header", "authorization: x"}, "--auth"},
      {{kSeed, "--cookies", "--header", "cookie: x"}, "--cookies"},
      {{kSeed, "--proxy", "p.test:1"}, "--proxy"},
      {{kSeed, "--auth", "u:p\n"}, "--auth"},
      {{kSeed, "--auth", "u:\xff"}, "--auth"},
      {{kSeed, "--proxy", "http://\xff@p.test"}, "--proxy"},
      {{kSeed, "--header", "X-Key: \xff"}, "--header"},
      {{"http://u:p@a.test/"}, "--auth"},
      {{"--sitemap", "http://u:p@a.test/"}, "--auth"},
      {{"rubbish"}, "'rubbish'"},
      {{kSeed, "ftp://a.test/"}, "'ftp://a.test/'"},
      {{kSeed, "--sitemap", "rubbish"}, "--sitemap"},
      {{kSeed, "--sitemap", "http://a.test/old", "--exclude", "old"}, "--exclude"},
      {{kSeed, "--sitemaps", "--ignore-robots"}, "--ignore-robots"},
  };
  for (const auto& [arguments, named] : cases) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    const auto outcome = Coordinate(arguments);
    ASSERT_TRUE(std::holds_alternative<ExitNow>(outcome.parsed));
    EXPECT_EQ(outcome.code(), 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(named));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(CommandLine, WhatIsSentAndHowIsUpToTheUser) {
  const Arguments flags = {"--header", "X-Key: 1, 2", "--header",        "Y: 3",       "--auth",
                           "u:p:q",    "--proxy",     "http://p.test:1", "--insecure", "--cookies"};
  Arguments arguments = {kSeed};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const CrawlOptions crawl = Coordinate(arguments).options().crawl;
  EXPECT_THAT(crawl.headers, ElementsAre("X-Key: 1, 2", "Y: 3"));
  EXPECT_EQ(crawl.auth, "u:p:q");
  EXPECT_EQ(crawl.proxy, "http://p.test:1");
  EXPECT_TRUE(crawl.insecure && crawl.cookies);
  arguments.insert(arguments.begin(), "fetch");
  EXPECT_EQ(Probe(arguments).options().crawl.headers, crawl.headers);
  EXPECT_FALSE(Coordinate({kSeed}).options().crawl.insecure);
}

// They may stand in logs.
TEST(CommandLine, AComplaintRepeatsNoSecret) {
  for (const Arguments& arguments :
       {Arguments{kSeed, "--auth", "secret"}, Arguments{kSeed, "--header", "Host: secret"},
        Arguments{kSeed, "--header", "secret"}, Arguments{"http://u:secret@a.test/"},
        Arguments{kSeed, "--proxy", "https://u:secret@p.test"}}) {
    EXPECT_EQ(Coordinate(arguments).err.find("secret"), std::string::npos);
  }
}

TEST(CommandLine, SitemapsOfRobotsTxtAreAFlagOfTheirOwn) {
  EXPECT_FALSE(Coordinate({kSeed}).options().crawl.sitemaps);
  EXPECT_TRUE(Coordinate({kSeed, "--sitemaps"}).options().crawl.sitemaps);
}

TEST(CommandLine, AGivenSitemapIsEnoughToBeginWith) {
  const auto outcome = Coordinate({"--sitemap", "http://b.test:81/s"});
  EXPECT_THAT(outcome.options().crawl.seeds, ::testing::IsEmpty());
  EXPECT_THAT(outcome.options().job, StartsWith("b.test-81-"));
}

TEST(CommandLine, AWorkerNeedsACoordinator) {
  const std::vector<std::pair<Arguments, const char*>> cases = {
      {{"--out", "o"}, "--coordinator"},
      {{"--coordinator", "tcp://h:1", "--ca-file", "/nonexistent"}, "--ca-file"},
      {{"--coordinator", "tcp://h:1", "--dns", "dns.test"}, "'dns.test'"},
      {{"--coordinator", "tcp://h:1", "--out", "o", "--concurrency", "0"}, "--concurrency"}};
  for (const auto& [arguments, named] : cases) {
    const auto outcome = Work(arguments);
    EXPECT_EQ(outcome.code(), 2);
    EXPECT_THAT(outcome.err, HasSubstr(named));
  }
}

TEST(CommandLine, AProbeNeedsACommandThatThereIs) {
  EXPECT_EQ(Probe({"url"}).options().command, ProbeCommand::kUrl);
  EXPECT_EQ(Probe({"robots", "--log-level", "debug"}).options().command, ProbeCommand::kRobots);
  for (const Arguments& arguments : {Arguments{}, Arguments{"guess"}, Arguments{"URL"}}) {
    const auto outcome = Probe(arguments);
    EXPECT_EQ(outcome.code(), 2);
    EXPECT_THAT(outcome.err, HasSubstr(arguments.empty() ? "command" : arguments[0]));
  }
}

TEST(CommandLine, AProbeFetchesLikeAWorkerOfTheCrawlWithTheseFlags) {
  const auto outcome = Probe({"fetch",
                              "http://a.test/",
                              "--ignore-robots",
                              "http://b.test/",
                              "--allow-private",
                              "--user-agent",
                              "bot",
                              "--content-types",
                              "a/b",
                              "--max-body-bytes",
                              "9",
                              "--fetch-timeout",
                              "10",
                              "--max-redirects",
                              "11",
                              "--ca-file",
                              "/dev/null",
                              "--dns",
                              "192.0.2.1:5353",
                              "--sort-query",
                              "--strip-params",
                              "--strip-param",
                              "x",
                              "--ignore-x-robots-tag",
                              "--ignore-meta-robots",
                              "--ignore-rel-nofollow"});
  const CrawlOptions& crawl = outcome.options().crawl;
  EXPECT_EQ(outcome.options().command, ProbeCommand::kFetch);
  EXPECT_THAT(crawl.seeds, ElementsAre("http://a.test/", "http://b.test/"));
  EXPECT_TRUE(crawl.ignore_robots && crawl.allow_private);
  EXPECT_EQ(crawl.user_agent, "bot");
  EXPECT_THAT(crawl.content_types, ElementsAre("a/b"));
  EXPECT_EQ(crawl.max_body_bytes, 9u);
  EXPECT_EQ(crawl.fetch_timeout, milliseconds(10));
  EXPECT_EQ(crawl.max_hops, 11);
  EXPECT_EQ(outcome.options().ca_file, "/dev/null");
  EXPECT_EQ(outcome.options().dns, "192.0.2.1:5353");
  EXPECT_TRUE(crawl.sort_query && crawl.strip_params);
  EXPECT_THAT(crawl.strip_names, ElementsAre("x"));
  EXPECT_TRUE(crawl.ignore_robots_tag && crawl.ignore_meta_robots && crawl.ignore_rel_nofollow);
  EXPECT_EQ(Probe({"fetch", "http://a.test/"}).options().crawl.user_agent, DefaultUserAgent());
}

TEST(CommandLine, AProbeLooksIntoAJob) {
  const auto outcome =
      Probe({"why", "http://a.test/", "--job", "j", "--redis", "unix:///r", "--out", "o"});
  EXPECT_EQ(outcome.options().command, ProbeCommand::kWhy);
  EXPECT_EQ(outcome.options().job, "j");
  EXPECT_EQ(outcome.options().redis, "unix:///r");
  EXPECT_EQ(outcome.options().out, "o");
}

TEST(CommandLine, AProbeTakesUrlsWhereTheyAreNeeded) {
  const std::vector<std::pair<Arguments, const char*>> cases = {
      {{"fetch"}, "name a URL"},
      {{"fetch", "rubbish"}, "'rubbish'"},
      {{"fetch", "http://a.test/", "--ca-file", "/nonexistent"}, "--ca-file"},
      {{"fetch", "http://a.test/", "--dns", "192.0.2.1:"}, "--dns"},
      {{"fetch", "http://a.test/", "--user-agent", "a\nb"}, "--user-agent"},
      {{"why", "--job", "j"}, "name one URL"},
      {{"why", "--job", "j", "http://a.test/", "http://b.test/"}, "name one URL"},
      {{"why", "http://a.test/"}, "--job"},
      {{"why", "http://a.test/", "--job", "a/b"}, "--job"},
      {{"url", "http://a.test/"}, "'http://a.test/'"}};
  for (const auto& [arguments, named] : cases) {
    const auto outcome = Probe(arguments);
    ASSERT_TRUE(std::holds_alternative<ExitNow>(outcome.parsed)) << named;
    EXPECT_EQ(outcome.code(), 2);
    EXPECT_THAT(outcome.err, HasSubstr(named));
  }
}

// The crawl begins with the seed as it takes it.
TEST(CommandLine, ExcludeJudgesSeedsWithoutWhatIsStripped) {
  const std::vector<std::string> flags = {"http://a.test/?utm_source=x", "--exclude", "utm_"};
  EXPECT_EQ(Coordinate(flags).code(), 2);
  std::vector<std::string> stripping = flags;
  stripping.push_back("--strip-params");
  EXPECT_TRUE(std::holds_alternative<CoordinatorOptions>(Coordinate(stripping).parsed));
}

TEST(CommandLine, HelpAndVersionGoToStandardOutput) {
  const auto version = Coordinate({"--version"});
  EXPECT_EQ(version.code(), 0);
  EXPECT_EQ(version.out, TRAWL_VERSION "\n");
  const auto help = Coordinate({"--help"});
  EXPECT_EQ(help.code(), 0);
  EXPECT_THAT(help.out, HasSubstr("--host-delay"));
  EXPECT_EQ(help.err, "");
  EXPECT_THAT(Work({"--help"}).out, HasSubstr("--concurrency"));
}

TEST_F(ConfigFile, BeatsTheDefaultAndIsBeatenByAFlag) {
  const std::string path = Write(R"(
# A comment.
seeds = ["http://a.test/", "http://b.test/"]
depth = 7
"host-delay" = 1_000
max_pages = 9
scope = 'domain'
ignore-robots = true
allow-private = false
include = ["x\\.y", "z,z"]
sort_query = true
strip_param = ["ref", "from"]
content-types = ["text/html", "a/b"]
)");
  const auto outcome = Coordinate({"--config", path, "--depth", "8"});
  ASSERT_TRUE(std::holds_alternative<CoordinatorOptions>(outcome.parsed)) << outcome.err;
  const CrawlOptions& crawl = outcome.options().crawl;
  EXPECT_THAT(crawl.seeds, ElementsAre("http://a.test/", "http://b.test/"));
  EXPECT_EQ(crawl.depth, 8);
  EXPECT_EQ(crawl.host_delay, milliseconds(1'000));
  EXPECT_EQ(crawl.max_pages, 9u);
  EXPECT_EQ(crawl.scope, ScopeKind::kDomain);
  EXPECT_TRUE(crawl.ignore_robots);
  EXPECT_FALSE(crawl.allow_private);
  EXPECT_THAT(crawl.include, ElementsAre("x\\.y", "z,z"));
  EXPECT_TRUE(crawl.sort_query);
  EXPECT_THAT(crawl.strip_names, ElementsAre("ref", "from"));
  EXPECT_THAT(crawl.content_types, ElementsAre("text/html", "a/b"));
}

TEST_F(ConfigFile, AFlagReplacesAWholeList) {
  const std::string path = Write("seeds = ['http://a.test/']\ninclude = ['x']\n");
  const auto outcome = Coordinate({"--config", path, "http://b.test/", "--include", "y"});
  EXPECT_THAT(outcome.options().crawl.seeds, ElementsAre("http://b.test/"));
  EXPECT_THAT(outcome.options().crawl.include, ElementsAre("y"));
}

TEST_F(ConfigFile, IsSharedByAllPrograms) {
  const std::string path = Write(
      "seeds = ['http://a.test/']\nconcurrency = 5\nout = 'o'\n"
      "coordinator = 'tcp://h:1'\nca-file = '/dev/null'\n");
  EXPECT_EQ(Coordinate({"--config", path}).options().out, "o");
  EXPECT_EQ(Work({"--config", path}).options().concurrency, 5);
  EXPECT_EQ(Probe({"url", "--config", path}).options().command, ProbeCommand::kUrl);
}

TEST_F(ConfigFile, WhatIsWrongInItIsNamed) {
  const struct {
    const char* text;
    const char* named;
  } kCases[] = {{"nonsense = 1\n", "nonsense"},
                {"depth = 'x'\n", "depth"},
                {"depth = -1\n", "depth"},
                {"depth = 1.5\n", "depth"},
                {"scope = 'world'\n", "scope"},
                {"include = [[1]]\n", "include"},
                {"seeds = ['http://a.test/']\ndepth = \n", "line 2"},
                {"[depth]\nx = 1\n", "depth"}};
  for (const auto& c : kCases) {
    const auto outcome = Coordinate({kSeed, "--config", Write(c.text)});
    ASSERT_TRUE(std::holds_alternative<ExitNow>(outcome.parsed)) << c.text;
    EXPECT_EQ(outcome.code(), 2);
    EXPECT_THAT(outcome.err, HasSubstr(c.named));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

}  // namespace
}  // namespace trawl

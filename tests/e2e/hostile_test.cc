// A crawl of a site whose server does everything wrong, by real processes.

#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <list>

#include "tests/e2e/crawl_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/hostile_server.h"

namespace trawl {
namespace {

class HostileSite : public CrawlFixture {
 protected:
  /// Of the largest process so far that was waited for.
  static long PeakKilobytes() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_maxrss;
  }
};

TEST_F(HostileSite, IsCrawledToItsEndAndEveryUrlHasItsOutcome) {
  HostileServer server;
  Flags flags = Fast();
  flags.insert(flags.end(), {"--ignore-robots", "--scope", "any", "--fetch-timeout", "3000",
                             "--max-body-bytes", "16777216", "--max-redirects", "20"});
  ASSERT_NO_FATAL_FAILURE(Crawl({server.Url("")}, flags, 2));

  std::map<std::string, int> pages = Pages();
  std::map<std::string, std::string> ended = Errors();
  for (const auto& [url, outcome] : Redirects()) ended[url] = "redirected " + outcome;
  for (const auto& [url, depth] : pages) ended[url] = "fetched";
  EXPECT_EQ(ended.at(server.Url("")), "fetched");
  for (const HostileBehaviour& behaviour : HostileBehaviours()) {
    const std::string url = server.Url(behaviour.name);
    // The first of a row of redirects leads on; the last of them leads nowhere.
    const bool leads_on = url.ends_with("redirects/0");
    EXPECT_EQ(ended.at(url), leads_on ? "redirected admitted" : behaviour.outcome) << url;
  }
  EXPECT_EQ(ended.at(server.Url("redirects/20")), "redirected too_many");
  EXPECT_EQ(ended.size(), HostileBehaviours().size() + 1 + 20);
  EXPECT_EQ(Stat("admitted"), Stat("fetched") + Stat("redirected") + Stat("failed"));
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(PeakKilobytes(), 200'000);
#endif
}

TEST_F(HostileSite, WithABadCertificateHasNoPages) {
  const TestAuthority authority;
  const std::string ca_file = (folder() / "ca.pem").string();
  std::ofstream(ca_file) << authority.certificate_pem();
  const struct {
    const char* name;
    TestCertificate certificate;
    bool good;
  } kCases[] = {
      {"good", authority.Issue("IP:127.0.0.1"), true},
      {"expired", authority.Issue("IP:127.0.0.1", -std::chrono::hours(1)), false},
      {"another's", authority.Issue("IP:127.0.0.2,DNS:a.test"), false},
      {"self-signed", SelfSigned("IP:127.0.0.1"), false},
      {"of an unknown authority", TestAuthority().Issue("IP:127.0.0.1"), false},
  };
  std::list<TestSite> sites;
  HostileServer no_tls;
  TestSite first;
  std::string links = "<a href='https" + no_tls.Url("reset").substr(4) + "'>x</a>";
  for (const auto& c : kCases) {
    TestSite& site = sites.emplace_back(TestSite::Options{
        .certificate_pem = c.certificate.certificate_pem, .key_pem = c.certificate.key_pem});
    site.SetHtml("/", "secret");
    links += "<a href='" + site.Url("/") + "'>x</a>";
  }
  first.SetHtml("/", links);
  Flags flags = Fast();
  flags.insert(flags.end(), {"--ignore-robots", "--scope", "any"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator({first.Url("/")}, flags));
  StartWorker({"--ca-file", ca_file});
  ASSERT_EQ(Finish(), 0);
  Export();
  auto site = sites.begin();
  for (const auto& c : kCases) {
    const std::string url = (site++)->Url("/");
    EXPECT_EQ(Pages().contains(url), c.good) << c.name;
    if (!c.good) {
      EXPECT_EQ(Errors()[url], "tls") << c.name;
    }
  }
  EXPECT_EQ(Errors().size(), std::size(kCases));
}

}  // namespace
}  // namespace trawl

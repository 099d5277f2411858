// A crawl of 200 hosts, as each of them sees it.

#include <algorithm>
#include <csignal>
#include <memory>
#include <vector>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

using std::chrono::milliseconds;

class ManyHosts : public CrawlFixture {
 protected:
  static constexpr int kHosts = 200;
  static constexpr int kLeaves = 4;
  static constexpr milliseconds kDelay{200};
  static constexpr std::size_t kConnections = 2;

  /// On 127.0.1.1 and so on; the first links to all others.
  ManyHosts() {
    for (int i = 1; i <= kHosts; ++i) {
      sites_.push_back(
          std::make_unique<TestSite>(TestSite::Options{.address = "127.0.1." + std::to_string(i)}));
    }
    for (const auto& site : sites_) {
      std::string links;
      for (int i = 0; i < kLeaves; ++i) {
        const std::string path = "/leaf/" + std::to_string(i);
        links += "<a href='" + path + "'>x</a>";
        site->SetHtml(path, "leaf");
      }
      if (site == sites_.front()) {
        for (const auto& other : sites_) links += "<a href='" + other->Url("/") + "'>x</a>";
      }
      site->SetHtml("/", links);
    }
  }

  static Flags Polite() {
    return {"--host-delay", "200", "--host-connections", "2", "--scope", "any", "--allow-private"};
  }
  std::vector<std::string> Seeds() const { return {sites_.front()->Url("/")}; }

  void ExpectAllPages() const {
    EXPECT_EQ(Pages().size(), std::size_t{kHosts * (kLeaves + 1)});
    EXPECT_TRUE(Errors().empty());
  }
  /// No host has seen two requests closer than the delay, nor more connections than allowed. The
  /// kernel tells when a request was there, so a busy machine makes little difference.
  void ExpectPoliteness() const {
    constexpr milliseconds kRounding{5};
    for (const auto& site : sites_) {
      EXPECT_LE(site->peak_requests(), kConnections);
      auto requests = site->requests();
      std::sort(requests.begin(), requests.end(),
                [](const TestRequest& a, const TestRequest& b) { return a.time < b.time; });
      for (std::size_t i = 1; i < requests.size(); ++i) {
        EXPECT_GE(requests[i].time - requests[i - 1].time, kDelay - kRounding)
            << requests[i - 1].path << " and " << requests[i].path << " of " << site->origin();
      }
    }
  }

  std::vector<std::unique_ptr<TestSite>> sites_;
};

TEST_F(ManyHosts, AreCrawledPolitelyByOneWorker) {
  ASSERT_NO_FATAL_FAILURE(Crawl(Seeds(), Polite(), 1));
  ExpectAllPages();
  ExpectPoliteness();
}

TEST_F(ManyHosts, AreCrawledPolitelyByFourWorkers) {
  ASSERT_NO_FATAL_FAILURE(Crawl(Seeds(), Polite(), 4));
  ExpectAllPages();
  ExpectPoliteness();
}

TEST_F(ManyHosts, AreCrawledPolitelyWhileWorkersAreKilled) {
  Flags flags = Polite();
  flags.insert(flags.end(), {"--lease-timeout", "2000"});
  ASSERT_NO_FATAL_FAILURE(StartCoordinator(Seeds(), flags));
  std::vector<Process*> workers;
  for (int i = 0; i < 4; ++i) workers.push_back(&StartWorker());
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t fetched = Stat("fetched");
    ASSERT_TRUE(WaitUntil([&] { return Stat("fetched") >= fetched + 150; }));
    workers[i]->Signal(SIGKILL);
    StartWorker();
  }
  ASSERT_EQ(Finish(), 0);
  Export();
  ExpectAllPages();
  ExpectPoliteness();
  EXPECT_GT(Stat("leases_expired"), 0u);
}

}  // namespace
}  // namespace trawl

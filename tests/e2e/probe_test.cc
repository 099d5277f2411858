// trawl-probe as people and scripts run it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

class Probe : public ::testing::Test {
 protected:
  std::filesystem::path Log() { return folder_.path() / ("log-" + std::to_string(++logs_)); }
  std::filesystem::path Input() const { return folder_.path() / "input"; }

  /// Reads Input().
  Process Start(const std::string& command) {
    return Process({"/bin/sh", "-c", "exec \"$0\" \"$1\" < \"$2\"", TRAWL_BIN_DIR "/trawl-probe",
                    command, Input().string()},
                   Log());
  }

  TemporaryFolder folder_;
  int logs_ = 0;
};

TEST_F(Probe, AnswersThousandsOfLinesInOrderWhateverIsAmongThem) {
  const std::vector<std::string> bad = {"",
                                        "rubbish",
                                        "[]",
                                        "{\"href\":1}",
                                        "{\"href\":\"\xFF\"}",
                                        "{\"href\"",
                                        std::string("\0", 1),
                                        std::string(200'000, 'x')};
  constexpr int kLines = 5'000;
  std::ofstream input(Input(), std::ios::binary);
  for (int i = 0; i < kLines; ++i) {
    if (i % 10 == 9) {
      input << bad[static_cast<std::size_t>(i / 10) % bad.size()] << '\n';
    } else {
      input << "{\"base\":\"http://a.test/\",\"href\":\"" << i << "\"}\n";
    }
  }
  input.close();
  Process probe = Start("url");
  EXPECT_EQ(probe.Wait(), 0);
  EXPECT_EQ(probe.err(), "");
  std::istringstream answers(probe.out());
  std::string line;
  for (int i = 0; i < kLines; ++i) {
    ASSERT_TRUE(std::getline(answers, line)) << i;
    if (i % 10 == 9) {
      EXPECT_TRUE(boost::json::parse(line).is_object()) << line;
    } else {
      ASSERT_EQ(line, "{\"url\":\"http://a.test/" + std::to_string(i) + "\"}");
    }
  }
  EXPECT_FALSE(std::getline(answers, line)) << line;
}

TEST_F(Probe, AnswersALineBeforeItReadsTheNext) {
  ASSERT_EQ(::mkfifo(Input().c_str(), 0600), 0);
  Process probe = Start("robots");
  const std::string question = "{\"robots\":\"\",\"agent\":\"x\",\"url\":\"/\"}\n";
  std::ofstream input(Input());
  for (int lines = 1; lines <= 3; ++lines) {
    input << question << std::flush;
    EXPECT_TRUE(WaitUntil([&] {
      const std::string out = probe.out();
      return std::count(out.begin(), out.end(), '\n') == lines;
    }));
  }
  input.close();
  EXPECT_EQ(probe.Wait(), 0);
}

TEST_F(Probe, FetchEndsWithOneWhenAUrlCouldNotBeFetched) {
  TestSite site;
  site.SetHtml("/", "x");
  const std::string probe = TRAWL_BIN_DIR "/trawl-probe";
  Process good({probe, "fetch", site.Url("/"), site.Url("/missing")}, Log());
  EXPECT_EQ(good.Wait(), 0);
  EXPECT_EQ(good.err(), "");
  std::istringstream lines(good.out());
  std::vector<std::string> outcomes;
  for (std::string line; std::getline(lines, line);) {
    outcomes.emplace_back(boost::json::parse(line).at("outcome").as_string());
  }
  EXPECT_EQ(outcomes, (std::vector<std::string>{"fetched", "failed"}));
  const std::string gone = TestSite().Url("/");
  Process bad({probe, "fetch", gone, site.Url("/")}, Log());
  EXPECT_EQ(bad.Wait(), 1);
  const std::string out = bad.out();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << "the others are fetched all the same";
}

}  // namespace
}  // namespace trawl

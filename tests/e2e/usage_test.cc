// Wrong usage ends at once, with one line that says what to do.

#include <algorithm>
#include <boost/asio.hpp>
#include <fstream>

#include "tests/e2e/crawl_fixture.h"

namespace trawl {
namespace {

class Usage : public CrawlFixture {
 protected:
  /// Runs a program to its end and expects this exit code and one line that contains `text`.
  void Expect(const std::string& program, Flags flags, int code, const std::string& text) {
    SCOPED_TRACE(program + " ... " + text);
    flags.insert(flags.begin(), Program(program));
    Process process(std::move(flags), LogPath("usage"));
    EXPECT_EQ(process.Wait(), code);
    const std::string err = process.err();
    EXPECT_NE(err.find(text), std::string::npos) << err;
    EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
  }

  Flags Job(Flags more) {
    Flags flags = {"http://127.0.0.1/",         "--job",   "usage",      "--out",
                   (folder() / "out").string(), "--redis", redis().url()};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
};

TEST_F(Usage, IsExplainedInOneLine) {
  Expect("trawl-coordinator", {}, 2, "no URL given");
  Expect("trawl-coordinator", {"http://a.test/", "--nonsense"}, 2, "--nonsense");
  Expect("trawl-coordinator", {"http://a.test/", "--depth", "-1"}, 2, "--depth");
  Expect("trawl-coordinator", {"http://a.test/", "--depth", "many"}, 2, "--depth");
  Expect("trawl-coordinator", {"http://a.test/", "--scope", "world"}, 2, "--scope");
  Expect("trawl-coordinator", {"http://a.test/", "--include", "("}, 2, "--include");
  Expect("trawl-coordinator", {"http://a.test/", "--job", "a/b"}, 2, "--job");
  Expect("trawl-coordinator", {"ftp://a.test/"}, 2, "ftp://a.test/");
  Expect("trawl-coordinator", {"http://a.test/", "--redis", "tcp://x"}, 2, "--redis");
  Expect("trawl-worker", {"--out", "x"}, 2, "--coordinator");
  Expect("trawl-worker", {"--coordinator", "tcp://127.0.0.1:1", "--ca-file", "/nonexistent"}, 2,
         "--ca-file");
  Expect("trawl-worker", {"--coordinator", "tcp://127.0.0.1:1", "--dns", "192.0.2.1:x"}, 2,
         "--dns");
  Expect("trawl-coordinator", {"http://a.test/", "--user-agent", std::string(600, 'x')}, 2,
         "--user-agent");
  Expect("trawl-coordinator", {"http://a.test/x", "--exclude", "x"}, 2, "--exclude");
  Expect("trawl-worker", {"--coordinator", "rubbish", "--out", folder().string()}, 1, "rubbish");
  Expect("trawl-probe", {}, 2, "command");
  Expect("trawl-probe", {"guess"}, 2, "guess");
  Expect("trawl-probe", {"url", "--nonsense"}, 2, "--nonsense");
  Expect("trawl-export", {}, 2, "name one folder");
  Expect("trawl-export", {(folder() / "nothing").string()}, 1, "nothing");
}

TEST_F(Usage, NamesTheKeyOfAConfigurationFile) {
  const auto file = folder() / "crawl.toml";
  std::ofstream(file) << "depth = 2\nconcurrency = 10\nnonsense = 1\n";
  Expect("trawl-coordinator", {"http://a.test/", "--config", file.string()}, 2, "nonsense");
  std::ofstream(file) << "depth = \n";
  Expect("trawl-coordinator", {"http://a.test/", "--config", file.string()}, 2, "line 1");
}

TEST_F(Usage, TellsWhatCannotBeHad) {
  Expect("trawl-coordinator", Job({"--redis", "unix:///nonexistent/redis.sock"}), 1,
         "cannot reach Redis");
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor taken(io, {boost::asio::ip::make_address_v4("127.0.0.1"), 0});
  const std::string port = std::to_string(taken.local_endpoint().port());
  Expect("trawl-coordinator", Job({"--listen", "tcp://127.0.0.1:" + port}), 1, port);
  std::ofstream(folder() / "file") << "in the way";
  Expect("trawl-coordinator", Job({"--out", (folder() / "file").string()}), 1, "file");
  Expect("trawl-coordinator", Job({"--resume"}), 2, "--resume");
}

TEST_F(Usage, RefusesAJobThatExists) {
  TestSite site;
  site.SetHtml("/", "home");
  ASSERT_NO_FATAL_FAILURE(Crawl({site.Url("/")}, Fast()));
  Expect("trawl-coordinator",
         {site.Url("/"), "--job", "e2e", "--out", folder().string(), "--redis", redis().url()}, 2,
         "--resume");
  EXPECT_EQ(JobField("state"), "finished");
}

TEST_F(Usage, HelpAndVersionAreNoErrors) {
  for (const char* program : {"trawl-coordinator", "trawl-worker", "trawl-probe", "trawl-export"}) {
    for (const char* flag : {"--help", "--version"}) {
      Process process({Program(program), flag}, LogPath("help"));
      EXPECT_EQ(process.Wait(), 0);
      EXPECT_NE(process.out(), "");
      EXPECT_EQ(process.err(), "");
    }
  }
}

}  // namespace
}  // namespace trawl

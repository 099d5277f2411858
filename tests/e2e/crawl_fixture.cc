#include "tests/e2e/crawl_fixture.h"

#include <algorithm>
#include <sstream>

namespace trawl {
namespace {

constexpr char kJob[] = "e2e";

std::string Key(const std::string& name) { return "trawl:{" + std::string(kJob) + "}:" + name; }

}  // namespace

std::string CrawlFixture::Program(const std::string& name) {
  return std::string(TRAWL_BIN_DIR) + "/" + name;
}

std::filesystem::path CrawlFixture::LogPath(const std::string& name) {
  return folder() / (name + "-" + std::to_string(++logs_));
}

void CrawlFixture::StartCoordinator(const std::vector<std::string>& urls, Flags flags) {
  const std::filesystem::path endpoint_file = folder() / "endpoint";
  std::filesystem::remove(endpoint_file);
  Process::Command command = {Program("trawl-coordinator"),
                              "--quiet",
                              "--robots-retry-delay",
                              "20",
                              "--retry-delay",
                              "20",
                              "--job",
                              kJob,
                              "--redis",
                              redis_.url(),
                              "--out",
                              folder().string(),
                              "--endpoint-file",
                              endpoint_file.string()};
  command.insert(command.end(), flags.begin(), flags.end());
  command.insert(command.end(), urls.begin(), urls.end());
  coordinator_ = std::make_unique<Process>(std::move(command), LogPath("coordinator"));
  const bool up =
      WaitUntil([&] { return std::filesystem::exists(endpoint_file) || !coordinator_->running(); });
  ASSERT_TRUE(up && coordinator_->running()) << coordinator_->err();
  endpoint_ = ReadFile(endpoint_file);
  endpoint_.resize(endpoint_.find('\n'));
}

Process& CrawlFixture::StartWorker(Flags flags, const std::string& program) {
  Process::Command command = {Program(program), "--coordinator", endpoint_, "--out",
                              folder().string()};
  command.insert(command.end(), flags.begin(), flags.end());
  return workers_.emplace_back(std::move(command), LogPath("worker"));
}

int CrawlFixture::Finish(std::chrono::milliseconds patience) {
  const std::optional<int> code = coordinator_->Wait(patience);
  EXPECT_TRUE(code) << "the coordinator still runs";
  for (Process& worker : workers_) {
    EXPECT_TRUE(worker.Wait(std::chrono::seconds(10))) << "a worker still runs";
    EXPECT_EQ(worker.err(), "");
  }
  workers_.clear();
  return code.value_or(-1);
}

void CrawlFixture::Crawl(const std::vector<std::string>& urls, Flags flags, int workers) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator(urls, std::move(flags)));
  for (; workers > 0; --workers) StartWorker();
  ASSERT_EQ(Finish(), 0) << coordinator_->err();
  Export();
}

void CrawlFixture::Export() {
  Process exporter({Program("trawl-export"), folder().string()}, LogPath("export"));
  ASSERT_EQ(exporter.Wait(), 0) << exporter.err();
}

CrawlFixture::Rows CrawlFixture::Read(const std::string& file) const {
  Rows rows;
  std::istringstream lines(ReadFile(folder() / file));
  for (std::string line; std::getline(lines, line);) {
    rows.push_back(boost::json::parse(line).as_object());
  }
  return rows;
}

std::map<std::string, int> CrawlFixture::Pages() const {
  std::map<std::string, int> pages;
  for (const boost::json::object& row : Read("pages.jsonl")) {
    const bool once = pages
                          .emplace(std::string(row.at("url").as_string()),
                                   static_cast<int>(row.at("depth").as_int64()))
                          .second;
    EXPECT_TRUE(once) << row.at("url") << " came twice";
  }
  return pages;
}

std::map<std::string, std::string> CrawlFixture::Errors() const {
  std::map<std::string, std::string> errors;
  for (const boost::json::object& row : Read("errors.jsonl")) {
    errors.emplace(row.at("url").as_string(), row.at("reason").as_string());
  }
  return errors;
}

std::map<std::string, std::string> CrawlFixture::Redirects() const {
  std::map<std::string, std::string> redirects;
  for (const boost::json::object& row : Read("redirects.jsonl")) {
    redirects.emplace(row.at("url").as_string(), row.at("outcome").as_string());
  }
  return redirects;
}

void CrawlFixture::ExpectWhatTheOracleFinds(const std::vector<std::string>& urls, int depth) {
  Process::Command command = {"/usr/bin/python3",    TRAWL_ORACLE, "--depth",
                              std::to_string(depth), "--results",  folder().string()};
  command.insert(command.end(), urls.begin(), urls.end());
  Process oracle(std::move(command), LogPath("oracle"));
  EXPECT_EQ(oracle.Wait(), 0) << oracle.out() << oracle.err();
}

CrawlFixture::Flags CrawlFixture::With(Flags flags, const Flags& more) {
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

void CrawlFixture::ExpectConsistentCounters() {
  EXPECT_EQ(Stat("admitted"), Stat("fetched") + Stat("redirected") + Stat("failed"));
  EXPECT_EQ(Stat("fetched"), Read("pages.jsonl").size());
  EXPECT_EQ(Stat("redirected"), Read("redirects.jsonl").size());
  EXPECT_EQ(Stat("failed"), Read("errors.jsonl").size());
  EXPECT_EQ(JobField("state"), "finished");
}

std::size_t CrawlFixture::TimesTold(const std::string& words) const {
  const std::string text = coordinator_->err();
  std::size_t times = 0;
  for (std::size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++times;
  return times;
}

std::uint64_t CrawlFixture::Stat(const std::string& name) const {
  const auto reply = redis_.Run({"HGET", Key("stats"), name});
  return reply.empty() || reply[0].empty() ? 0 : std::stoull(reply[0]);
}

std::string CrawlFixture::JobField(const std::string& name) const {
  return redis_.Run({"HGET", Key("job"), name}).at(0);
}

void CrawlFixture::SetControl(const std::string& word) {
  redis_.Run({"SET", Key("control"), word});
}

}  // namespace trawl

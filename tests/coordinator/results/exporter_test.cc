#include "coordinator/results/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace trawl {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Lines = std::vector<std::string>;

class ExporterTest : public ::testing::Test {
 protected:
  ExporterTest() {
    std::string pattern = (fs::temp_directory_path() / "trawl-exporter-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    out_ = pattern;
    fs::create_directory(out_ / "parts");
  }
  ~ExporterTest() override { fs::remove_all(out_); }

  void Write(const std::string& part, const std::string& text) const {
    std::ofstream(out_ / "parts" / part, std::ios::binary) << text;
  }
  Lines Read(const std::string& name) const {
    std::ifstream file(out_ / name, std::ios::binary);
    Lines lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  fs::path out_;
};

TEST_F(ExporterTest, APagesRowCountsUnlessItWasRefused) {
  Write("pages-w1.jsonl", "1 0 {\"url\":\"a\"}\n1 1 {\"url\":\"b\"}\n2 0 {\"url\":\"c\"}\n");
  Write("pages-w2.jsonl", "3 0 {\"url\":\"b\"}\n11 0 {\"url\":\"d\"}\n");
  Write("outbox-00000001.log", "0 refused 1 1\n1 refused 2 1\n2 refused 1 10\n");
  const ExportCounts counts = ExportRows(out_);
  EXPECT_THAT(Read("pages.jsonl"),
              ElementsAre(R"({"url":"a"})", R"({"url":"c"})", R"({"url":"b"})", R"({"url":"d"})"));
  EXPECT_EQ(counts.pages, 4u);
  EXPECT_EQ(counts.refused, 1u);
  EXPECT_EQ(counts.redirects + counts.errors, 0u);
}

TEST_F(ExporterTest, AWithdrawnItemDoesNotCount) {
  Write("outbox-00000001.log",
        "0 failed {\"url\":\"a\"}\n"
        "1 redirected seen {\"url\":\"b\"}\n"
        "2 given_up worker_lost 4 http://d/ http://a/ 0 0 3\n"
        "3 withdrawn 1\n"
        "4 failed {\"url\":\"b\"}\n"
        "5 withdrawn 2\n");
  Write("outbox-00000002.log",
        "5 withdrawn 0\n"  // the power failed: item 2 is not withdrawn
        "6 withdrawn 77\n"
        "7 failed {\"url\":\"c\"}\n");
  const ExportCounts counts = ExportRows(out_);
  EXPECT_EQ(counts.redirects, 0u);
  EXPECT_EQ(counts.errors, 3u);
  const Lines errors = Read("errors.jsonl");
  EXPECT_THAT(errors, ElementsAre(HasSubstr("http://d/"), R"({"url":"b"})", R"({"url":"c"})"));
}

TEST_F(ExporterTest, EachItemOfTheOutboxGoesToItsFile) {
  Write("outbox-00000001.log",
        "0 failed {\"url\":\"a\"}\n"
        "1 redirected seen {\"url\":\"b\"}\n"
        "2 redirected too_many {\"url\":\"c\"}\n"
        "3 given_up worker_lost 4 http://d/ http://a/ 0 0 3\n"
        "4 refused 9 9\n");
  const ExportCounts counts = ExportRows(out_);
  EXPECT_EQ(counts.redirects, 2u);
  EXPECT_EQ(counts.errors, 2u);
  EXPECT_THAT(Read("redirects.jsonl"), ElementsAre(R"({"url":"b","outcome":"seen"})",
                                                   R"({"url":"c","outcome":"too_many"})"));
  const Lines errors = Read("errors.jsonl");
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0], R"({"url":"a"})");
  const json::object lost = json::parse(errors[1]).as_object();
  EXPECT_EQ(lost.at("url"), json::value("http://d/"));
  EXPECT_EQ(lost.at("depth"), json::value(4));
  EXPECT_EQ(lost.at("reason"), json::value("worker_lost"));
  EXPECT_EQ(lost.at("referrer"), json::value("http://a/"));
}

TEST_F(ExporterTest, AnItemThatWasWrittenTwiceCountsOnce) {
  Write("outbox-00000001.log", "0 failed {\"n\":0}\n1 failed {\"n\":1}\n1 failed {\"n\":1}\n");
  Write("outbox-00000002.log", "0 failed {\"n\":0}\n1 failed {\"n\":1}\n2 failed {\"n\":2}\n");
  Write("outbox-00000010.log", "2 failed {\"n\":2}\n3 failed {\"n\":3}\n");
  ExportRows(out_);
  EXPECT_THAT(Read("errors.jsonl"),
              ElementsAre(R"({"n":0})", R"({"n":1})", R"({"n":2})", R"({"n":3})"));
}

TEST_F(ExporterTest, ATornLineDoesNotCount) {
  Write("pages-w.jsonl", "1 0 {\"url\":\"a\"}\n1 1 {\"url\":\"b\"}");
  Write("outbox-00000001.log", "0 failed {\"n\":0}\n1 failed {\"n\":");
  Write("outbox-00000002.log", "1 failed {\"n\":1}\n2");
  const ExportCounts counts = ExportRows(out_);
  EXPECT_THAT(Read("pages.jsonl"), ElementsAre(R"({"url":"a"})"));
  EXPECT_THAT(Read("errors.jsonl"), ElementsAre(R"({"n":0})", R"({"n":1})"));
  EXPECT_EQ(counts.pages, 1u);
  EXPECT_EQ(counts.errors, 2u);
}

TEST_F(ExporterTest, ARowIsTakenAsItIs) {
  const std::string row =
      "{\"title\":\"a b  c\xC3\xA4\\n\",\"n\":\"" + std::string(1'000'000, 'x') + "\"}";
  Write("pages-w.jsonl", "18446744073709551615 999 " + row + "\n");
  ExportRows(out_);
  EXPECT_THAT(Read("pages.jsonl"), ElementsAre(row));
}

TEST_F(ExporterTest, LinesThatAreNoneOfItsGrammarDoNotCount) {
  Write("pages-w.jsonl", "\nx 0 {}\n1 x {}\n1\n-1 0 {}\n99999999999999999999999 0 {}\n");
  Write(
      "outbox-00000001.log",
      "\nx failed {}\n0 unknown {}\n1\n2 given_up dns x http://a/\n3 given_up dns 1\n4 refused 1\n"
      "-5 failed {}\n");
  const ExportCounts counts = ExportRows(out_);
  EXPECT_THAT(Read("pages.jsonl"), IsEmpty());
  EXPECT_EQ(counts.pages + counts.redirects + counts.errors, 0u);
}

TEST_F(ExporterTest, ReadsNoOtherFiles) {
  Write("pages.jsonl", "1 0 {}\n");
  Write("outbox.log", "0 failed {}\n");
  Write("xpages-w.jsonl", "1 0 {}\n");
  EXPECT_EQ(ExportRows(out_).pages, 0u);
}

TEST_F(ExporterTest, AJobWithoutRowsHasThreeEmptyFiles) {
  ExportRows(out_);
  for (const char* name : {"pages.jsonl", "redirects.jsonl", "errors.jsonl"}) {
    EXPECT_EQ(fs::file_size(out_ / name), 0u);
  }
}

TEST_F(ExporterTest, AnotherExportReplacesTheFirst) {
  Write("pages-w.jsonl", "1 0 {\"n\":1}\n1 1 {\"n\":2}\n");
  ExportRows(out_);
  Write("outbox-00000001.log", "0 refused 1 0\n");
  ExportRows(out_);
  EXPECT_THAT(Read("pages.jsonl"), ElementsAre(R"({"n":2})"));
  EXPECT_EQ(std::distance(fs::directory_iterator(out_), {}), 4) << "no drafts are left";
}

TEST_F(ExporterTest, NamesTheFileThatItCannotUseAndLeavesTheOldOnesAlone) {
  const auto complaint = [](const fs::path& out) -> std::string {
    try {
      ExportRows(out);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "no complaint";
  };
  EXPECT_THAT(complaint(out_ / "nowhere"), HasSubstr((out_ / "nowhere").string()));

  Write("pages-w.jsonl", "1 0 {\"n\":1}\n");
  ExportRows(out_);
  Write("pages-w.jsonl", "1 0 {\"n\":2}\n");
  const fs::path missing = out_ / "parts" / "pages-x.jsonl";
  fs::create_symlink(out_ / "nothing", missing);
  EXPECT_THAT(complaint(out_), HasSubstr(missing.string()));
  EXPECT_THAT(Read("pages.jsonl"), ElementsAre(R"({"n":1})"));

  fs::remove(missing);
  fs::remove(out_ / "errors.jsonl.new");
  fs::create_directory(out_ / "errors.jsonl.new");
  EXPECT_THAT(complaint(out_), HasSubstr("errors.jsonl"));
  EXPECT_THAT(Read("pages.jsonl"), ElementsAre(R"({"n":1})"));
}

TEST_F(ExporterTest, EveryUrlCountsOnceWhateverCrashed) {
  std::mt19937_64 random(1);
  for (int run = 0; run < 50; ++run) {
    fs::remove_all(out_ / "parts");
    fs::create_directory(out_ / "parts");
    // Every URL has a row for each of its leases, of which all but the last were refused.
    std::vector<std::string> rows[3];
    Lines items;
    Lines wanted;
    for (int url = 0; url < 30; ++url) {
      const int leases = static_cast<int>(random() % 3) + 1;
      for (int lease = 1; lease <= leases; ++lease) {
        const std::string id = std::to_string(url * 10 + lease) + " 0";
        rows[random() % 3].push_back(id + " {\"n\":" + std::to_string(url) + "}\n");
        if (lease < leases) items.push_back("refused " + id + "\n");
      }
      wanted.push_back("{\"n\":" + std::to_string(url) + "}");
    }
    for (int worker = 0; worker < 3; ++worker) {
      std::string text;
      for (const std::string& row : rows[worker]) text += row;
      Write("pages-w" + std::to_string(worker) + ".jsonl", text + "7 7 {\"torn");
    }
    std::size_t written = 0;
    for (int epoch = 1; written < items.size(); ++epoch) {
      // A coordinator begins again somewhere in what was written before it.
      std::size_t item = random() % (written + 1);
      const std::size_t end = std::min(items.size(), written + 1 + random() % 10);
      std::string text;
      for (; item < end; ++item) text += std::to_string(item) + " " + items[item];
      written = end;
      Write("outbox-0000000" + std::to_string(epoch) + ".log", text + "99 refu");
      if (epoch == 8) {
        written = items.size();
        for (text.clear(), item = 0; item < written; ++item) {
          text += std::to_string(item) + " " + items[item];
        }
        Write("outbox-00000009.log", text);
      }
    }
    ExportRows(out_);
    Lines pages = Read("pages.jsonl");
    std::sort(pages.begin(), pages.end());
    std::sort(wanted.begin(), wanted.end());
    ASSERT_EQ(pages, wanted) << run;
  }
}

TEST_F(ExporterTest, OfAUrlThatCameTwiceTheRowOfTheLatestLeaseCounts) {
  Write("pages-w1.jsonl", "7 0 {\"url\":\"a\",\"n\":2}\n3 1 {\"url\":\"b\",\"n\":1}\n");
  Write("pages-w2.jsonl",
        "3 0 {\"url\":\"a\",\"n\":1}\n9 0 {\"url\":\"a\",\"n\":3}\n3 1 {\"url\":\"b\",\"n\":1}\n");
  Write("outbox-00000001.log", "0 refused 9 0\n");
  const ExportCounts counts = ExportRows(out_);
  EXPECT_THAT(Read("pages.jsonl"), ElementsAre(R"({"url":"a","n":2})", R"({"url":"b","n":1})"));
  EXPECT_EQ(counts.refused, 1u);
  EXPECT_EQ(counts.repeated, 2u);
}

TEST_F(ExporterTest, WhatALaterEpochHasWrittenCounts) {
  Write("outbox-00000001.log",
        "0 failed {\"url\":\"a\"}\n1 failed {\"url\":\"b\"}\n"
        "2 refused 1 0\n");
  Write("outbox-00000002.log", "1 failed {\"url\":\"c\"}\n");
  Write("outbox-00000003.log", "");
  Write("outbox-00000004.log", "2 failed {\"url\":\"d\"}\n");
  Write("pages-w.jsonl", "1 0 {\"url\":\"e\"}\n");
  ExportRows(out_);
  EXPECT_THAT(Read("errors.jsonl"),
              ElementsAre(R"({"url":"a"})", R"({"url":"c"})", R"({"url":"d"})"));
  EXPECT_THAT(Read("pages.jsonl"), ElementsAre(R"({"url":"e"})")) << "its refusal is void";
}

TEST_F(ExporterTest, ATornLineSpoilsNothing) {
  Write("pages-w1.jsonl", "1 0 {\"url\":\"a\"}\n1 1 {\"url\":\"b");
  Write("pages-w2.jsonl", "rubbish\n\n2 0 {\"url\":\"c\"}\n");
  Write("outbox-00000001.log", "0 failed {\"url\":\"d\"}\n1 refused 1");
  Write("outbox-00000002.log", "1 refused 2 0\n2 failed {\"url\":\"e\"}\n");
  ExportRows(out_);
  EXPECT_THAT(Read("pages.jsonl"), ElementsAre(R"({"url":"a"})"));
  EXPECT_THAT(Read("errors.jsonl"), ElementsAre(R"({"url":"d"})", R"({"url":"e"})"));
}

TEST_F(ExporterTest, LittleMemoryMakesNoDifference) {
  std::mt19937 random(1);
  std::string pages[3];
  std::string outbox;
  std::set<std::pair<int, int>> refused;
  std::vector<std::tuple<int, int, std::string>> rows;
  for (int i = 0; i < 20'000; ++i) {
    const int lease = static_cast<int>(random() % 5'000);
    const std::string row = "{\"url\":\"" + std::to_string(random() % 15'000) + "\"}";
    rows.emplace_back(lease, i, row);
    pages[i % 3] += std::to_string(lease) + ' ' + std::to_string(i) + ' ' + row + '\n';
    if (random() % 4 > 0) continue;
    outbox += std::to_string(refused.size()) + " refused " + std::to_string(lease) + ' ' +
              std::to_string(i) + '\n';
    refused.emplace(lease, i);
  }
  for (int i = 0; i < 3; ++i) Write("pages-" + std::to_string(i) + ".jsonl", pages[i]);
  Write("outbox-00000001.log", outbox);

  std::map<std::string, int> wanted;  // row -> lease
  for (const auto& [lease, index, row] : rows) {
    if (refused.contains({lease, index})) continue;
    int& latest = wanted.try_emplace(row, lease).first->second;
    latest = std::max(latest, lease);
  }
  const ExportCounts much = ExportRows(out_);
  const Lines all = Read("pages.jsonl");
  EXPECT_EQ(all.size(), wanted.size());
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), wanted.size());
  EXPECT_EQ(much.refused, refused.size());
  EXPECT_EQ(much.repeated, rows.size() - refused.size() - wanted.size());
  ExportRows(out_, 4'000);
  EXPECT_EQ(Read("pages.jsonl"), all);
  EXPECT_EQ(std::distance(fs::directory_iterator(out_), fs::directory_iterator()), 4)
      << "the folder of parts and three files of results";
}

}  // namespace
}  // namespace trawl

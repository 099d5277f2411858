#include "coordinator/results/result_search.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/process.h"

namespace trawl {
namespace {

namespace fs = std::filesystem;
using Kind = UrlEnding::Kind;

class ResultSearch : public ::testing::Test {
 protected:
  ResultSearch() { fs::create_directory(out() / "parts"); }

  const fs::path& out() const { return folder_.path(); }
  void Write(const std::string& file, const std::string& text) const {
    std::ofstream(out() / file, std::ios::binary) << text;
  }
  /// "KIND row", or "" for nothing.
  std::string Find(const std::string& url) const {
    const std::optional<UrlEnding> ending = FindEnding(out(), url);
    if (!ending) return "";
    const char* const kind = ending->kind == Kind::kFetched      ? "fetched "
                             : ending->kind == Kind::kRedirected ? "redirected "
                                                                 : "failed ";
    return kind + ending->row;
  }

  TemporaryFolder folder_;
};

TEST_F(ResultSearch, FindsTheRowOfEveryKindOfEnding) {
  Write("parts/pages-w1.jsonl", "1 0 {\"url\":\"http://a/\",\"depth\":0}\n");
  Write("parts/outbox-00000001.log",
        "0 failed {\"url\":\"http://a/f\"}\n"
        "1 redirected seen {\"url\":\"http://a/r\"}\n"
        "2 given_up worker_lost 4 http://a/l http://a/ 0 0 3\n");
  EXPECT_EQ(Find("http://a/"), "fetched {\"url\":\"http://a/\",\"depth\":0}");
  EXPECT_EQ(Find("http://a/f"), "failed {\"url\":\"http://a/f\"}");
  EXPECT_EQ(Find("http://a/r"), "redirected {\"url\":\"http://a/r\",\"outcome\":\"seen\"}");
  EXPECT_NE(Find("http://a/l").find("worker_lost"), std::string::npos);
  EXPECT_EQ(Find("http://a/x"), "");
}

TEST_F(ResultSearch, AUrlIsNotTakenForAnotherThatBeginsOrEndsLikeIt) {
  Write("parts/pages-w1.jsonl", "1 0 {\"url\":\"http://a/12\",\"referrer\":\"http://a/1\"}\n");
  Write("parts/outbox-00000001.log", "0 given_up worker_lost 4 http://a/34 http://a/3 0 0 3\n");
  EXPECT_EQ(Find("http://a/1"), "");
  EXPECT_EQ(Find("http://a/3"), "");
}

TEST_F(ResultSearch, ARefusedRowDoesNotCount) {
  Write("parts/pages-w1.jsonl",
        "1 0 {\"url\":\"http://a/\",\"n\":1}\n2 0 {\"url\":\"http://a/b\",\"n\":1}\n");
  Write("parts/pages-w2.jsonl", "3 5 {\"url\":\"http://a/\",\"n\":2}\n");
  Write("parts/outbox-00000001.log", "0 refused 1 0\n1 refused 2 0\n");
  Write("parts/outbox-00000002.log", "2 failed {\"url\":\"http://a/b\"}\n");
  EXPECT_EQ(Find("http://a/"), "fetched {\"url\":\"http://a/\",\"n\":2}");
  EXPECT_EQ(Find("http://a/b"), "failed {\"url\":\"http://a/b\"}");
}

TEST_F(ResultSearch, AWithdrawnRowDoesNotCount) {
  Write("parts/outbox-00000001.log",
        "0 failed {\"url\":\"http://a/\"}\n1 redirected seen {\"url\":\"http://b/\"}\n"
        "2 withdrawn 0\n3 withdrawn 1\n4 failed {\"url\":\"http://b/\"}\n");
  EXPECT_EQ(Find("http://a/"), "");
  EXPECT_EQ(Find("http://b/"), "failed {\"url\":\"http://b/\"}");
}

TEST_F(ResultSearch, ATornLineAndRubbishDoNotCount) {
  Write("parts/pages-w1.jsonl",
        "rubbish\n\n1 x {\"url\":\"http://a/\"}\n1 0 {\"url\":\"http://a/\"}");
  Write("parts/outbox-00000001.log", "x\n0 unknown {\"url\":\"http://a/\"}\n0 lost\n");
  EXPECT_EQ(Find("http://a/"), "");
}

TEST_F(ResultSearch, AUrlIsComparedAsJsonHasIt) {
  Write("parts/pages-w1.jsonl", "1 0 {\"url\":\"http://a/?\\\\\",\"depth\":0}\n");
  EXPECT_NE(Find("http://a/?\\"), "");
}

TEST_F(ResultSearch, ExportedFilesServeWhereThePartsAreGone) {
  fs::remove_all(out() / "parts");
  EXPECT_EQ(Find("http://a/"), "");
  Write("pages.jsonl", "{\"url\":\"http://a/\"}\n");
  Write("redirects.jsonl", "{\"url\":\"http://a/r\"}\n");
  Write("errors.jsonl", "{\"url\":\"http://a/f\"}\n");
  EXPECT_EQ(Find("http://a/"), "fetched {\"url\":\"http://a/\"}");
  EXPECT_EQ(Find("http://a/r"), "redirected {\"url\":\"http://a/r\"}");
  EXPECT_EQ(Find("http://a/f"), "failed {\"url\":\"http://a/f\"}");
  EXPECT_FALSE(FindEnding(out() / "nowhere", "http://a/"));
}

}  // namespace
}  // namespace trawl

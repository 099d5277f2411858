#include "common/url_traps.h"

#include <gtest/gtest.h>

#include <string>

namespace trawl {
namespace {

constexpr UrlLimits kNoLimits{0, 0, 0, 0};

std::string_view BrokenBy(const std::string& target, const UrlLimits& limits = {}) {
  const Result<Url> url = Url::Parse("http://a.test" + target);
  return url ? LimitBrokenBy(*url, limits) : "no URL";
}

std::string Times(int count, const std::string& text) {
  std::string repeated;
  for (int i = 0; i < count; ++i) repeated += text;
  return repeated;
}

std::string DistinctSegments(int count) {
  std::string path;
  for (int i = 0; i < count; ++i) path += "/s" + std::to_string(i);
  return path;
}

std::string DistinctParams(int count) {
  std::string query = "/?";
  for (int i = 0; i < count; ++i) query += "p" + std::to_string(i) + "=&";
  return query;
}

TEST(UrlTraps, OrdinaryUrlsBreakNoLimit) {
  for (const char* target :
       {"/", "/index.html", "/2011/11/11/11/", "/en/en/docs/docs/", "/a/b/a/b/", "/a/b/a/b/a",
        "/?a=1&a=1&a=1&a=1&a=1", "/wiki/Main_Page?action=edit&section=2", "//a//b//c"}) {
    EXPECT_EQ(BrokenBy(target), "") << target;
  }
}

TEST(UrlTraps, AUrlHasAGreatestLengthInAll) {
  const std::string host = "http://a.test";
  const std::string fits = "/" + std::string(2'083 - host.size() - 1, 'x');
  EXPECT_EQ(BrokenBy(fits), "");
  EXPECT_EQ(BrokenBy(fits + "x"), "url_length");
  EXPECT_EQ(BrokenBy("/a?b", {.bytes = 16}), "url_length");
  EXPECT_EQ(BrokenBy("/a?b", {.bytes = 17}), "");
}

TEST(UrlTraps, APathHasAGreatestNumberOfSegments) {
  EXPECT_EQ(BrokenBy(DistinctSegments(40)), "");
  EXPECT_EQ(BrokenBy(DistinctSegments(40) + "/"), "") << "nothing behind the slash is no segment";
  EXPECT_EQ(BrokenBy(DistinctSegments(41)), "path_segments");
  EXPECT_EQ(BrokenBy(DistinctSegments(40) + "//"), "path_segments") << "nothing between two is one";
  EXPECT_EQ(BrokenBy(DistinctSegments(40) + "?a/b/c"), "") << "slashes of a query make none";
}

TEST(UrlTraps, ARunOfSegmentsRepeatsInARowSoOften) {
  const struct {
    std::string path;
    int limit;
    bool broken;
  } kCases[] = {
      {"/a/b/a/b/a/b/", 2, true},
      {"/a/b/a/b/a/b", 2, true},
      {"/x/y/a/b/a/b/a/b/z", 2, true},
      {"/a/b/a/b/a/x/b", 2, false},
      {"/a/b/x/a/b/y/a/b", 2, false},  // not in a row
      {"/a/b/c/a/b/c/a/b", 2, false},
      {"/a/b/c/a/b/c/a/b/c", 2, true},
      {"/a/b/a/b", 1, true},
      {"/a/b/a", 1, false},
      {"/a/b/a/b/a/b/a/b", 3, true},
      {"/a/b/a/b/a/b", 3, false},
      {"/ab/a/b/ab/a/b/abab", 2, false},  // whole segments are compared
      {"/a/b/a/b/a/B", 2, false},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(BrokenBy(c.path, {.repeated_segments = c.limit}), c.broken ? "repeated_segments" : "")
        << c.path << " " << c.limit;
  }
}

TEST(UrlTraps, ASingleSegmentMayRepeatTwiceAsOften) {
  for (int limit = 1; limit <= 3; ++limit) {
    const UrlLimits limits{.repeated_segments = limit};
    EXPECT_EQ(BrokenBy("/x" + Times(2 * limit, "/next") + "/", limits), "") << limit;
    EXPECT_EQ(BrokenBy("/x" + Times(2 * limit + 1, "/next"), limits), "repeated_segments") << limit;
  }
  EXPECT_EQ(BrokenBy("/a/////b"), "") << "four empty ones";
  EXPECT_EQ(BrokenBy("/a//////b"), "repeated_segments");
}

TEST(UrlTraps, LongRunsAreSeenUpToALimit) {
  const UrlLimits limits{.path_segments = 0, .repeated_segments = 1};
  EXPECT_EQ(BrokenBy(Times(2, DistinctSegments(kMaxRunSegments)), limits), "repeated_segments");
  EXPECT_EQ(BrokenBy(Times(2, DistinctSegments(kMaxRunSegments + 1)), limits), "");
  EXPECT_EQ(BrokenBy(DistinctSegments(100) + Times(3, "/y/z"), {.path_segments = 0}),
            "repeated_segments")
      << "wherever the run begins";
}

TEST(UrlTraps, AQueryHasAGreatestNumberOfParameters) {
  EXPECT_EQ(BrokenBy(DistinctParams(32)), "");
  EXPECT_EQ(BrokenBy(DistinctParams(33)), "query_params");
  EXPECT_EQ(BrokenBy("/?&&a&&&b&", {.query_params = 2}), "") << "empty ones do not count";
  EXPECT_EQ(BrokenBy("/?a&b&c", {.query_params = 2}), "query_params");
  EXPECT_EQ(BrokenBy("/a&b&c", {.query_params = 2}), "");
}

TEST(UrlTraps, ZeroIsNoLimit) {
  EXPECT_EQ(BrokenBy(Times(4'000, "/a"), kNoLimits), "");
  EXPECT_EQ(BrokenBy(DistinctSegments(1'000), kNoLimits), "");
  EXPECT_EQ(BrokenBy(DistinctParams(1'000), kNoLimits), "");
}

// The first one by the order in which they are listed, whatever else is wrong with the URL.
TEST(UrlTraps, OneLimitIsNamed) {
  EXPECT_EQ(BrokenBy(Times(2'000, "/a") + "?&a&b"), "url_length");
  EXPECT_EQ(BrokenBy(DistinctSegments(41) + DistinctParams(33)), "path_segments");
}

}  // namespace
}  // namespace trawl

#include "coordinator/results/result_rows.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace trawl {
namespace {

namespace json = boost::json;

const FrontierEntry kSeed{"http://a.test/", "", 0, 0, 0};
const FrontierEntry kLink{"http://a.test/x", "http://a.test/", 1, 0, 2};

json::object Parse(const std::string& row) { return json::parse(row).as_object(); }

TEST(ResultRows, ARedirectHasTheFieldsOfItsFile) {
  const std::string row = RedirectRow(kLink, 4, {302, "http://b.test/", true});
  EXPECT_EQ(Parse(RedirectRowWith(row, "too_many")), Parse(R"({
      "url": "http://a.test/x", "depth": 4, "status": 302, "to": "http://b.test/",
      "outcome": "too_many", "referrer": "http://a.test/"})"));
}

TEST(ResultRows, AFailureHasTheFieldsOfItsFile) {
  EXPECT_EQ(Parse(FailedRow(kSeed, 0, {Error::kHttpStatus, "gone", 410})), Parse(R"({
      "url": "http://a.test/", "depth": 0, "reason": "http_status", "detail": "gone",
      "status": 410, "attempts": 1, "referrer": null})"));
}

TEST(ResultRows, AFailureWithoutAnAnswerHasNoStatus) {
  const json::object row = Parse(FailedRow(kLink, 1, {Error::kDns, "", 0}));
  EXPECT_FALSE(row.contains("status"));
  EXPECT_EQ(row.at("referrer"), "http://a.test/");
}

TEST(ResultRows, EveryTryIsAnAttempt) {
  EXPECT_EQ(Parse(FailedRow(kLink, 1, {})).at("attempts"), 4) << "one fetch, two losses, this one";
}

TEST(ResultRows, ASitemapIsMarked) {
  FrontierEntry sitemap = kLink;
  for (const int level : {0, 1, 2}) {
    sitemap.sitemap = level;
    for (const std::string& row : {RedirectRow(sitemap, 4, {302, "http://b.test/", true}),
                                   FailedRow(sitemap, 1, {Error::kDns, "", 0}),
                                   GivenUpRow(sitemap, 1, Error::kWorkerLost)}) {
      EXPECT_EQ(Parse(row).contains("sitemap"), level > 0) << row;
    }
  }
}

TEST(ResultRows, ALostUrlTellsHowOftenItsWorkerWasLost) {
  const json::object row =
      Parse(GivenUpRow({"http://a.test/", "", 0, 0, 3}, 2, Error::kWorkerLost));
  EXPECT_EQ(row.at("reason"), "worker_lost");
  EXPECT_EQ(row.at("depth"), 2);
  EXPECT_EQ(row.at("attempts"), 3);
  EXPECT_NE(row.at("detail").as_string().find("3 times"), std::string::npos);
}

TEST(ResultRows, ARowIsOneLineWhateverIsInIt) {
  const std::string rubbish = "a\nb\r\"c\\\t}";
  for (const std::string& row : {RedirectRow(kSeed, 0, {301, rubbish, false}),
                                 FailedRow(kSeed, 0, {Error::kTls, rubbish, 0})}) {
    EXPECT_EQ(row.find_first_of("\n\r"), std::string::npos);
    const json::object object = Parse(row);
    EXPECT_EQ(object.contains("to") ? object.at("to") : object.at("detail"), json::value(rubbish));
  }
  EXPECT_EQ(Parse(RedirectRowWith(RedirectRow(kSeed, 0, {301, rubbish, false}), "malformed"))
                .at("outcome"),
            "malformed");
}

}  // namespace
}  // namespace trawl

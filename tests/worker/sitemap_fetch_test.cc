#include "worker/sitemap_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace trawl {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SitemapFetchTest : public ::testing::Test {
 protected:
  SitemapFetchTest() {
    item_.depth = 2;
    item_.entry = {kUrl, "http://a.test/robots.txt", 0, 0, 0, 1};
    head_.status = 200;
    head_.content_type = "application/xml";
  }

  /// Feeds the body until the fetch ends it.
  PageResult Fetch(const std::vector<std::string>& pieces, boost::system::error_code error = {}) {
    std::optional<PageResult> result;
    SitemapFetch fetch(context_, item_, Url::Parse(kUrl).value(),
                       [&](const WorkItem&, PageResult done) { result = std::move(done); });
    FetchOutcome outcome;
    outcome.head = head_;
    outcome.elapsed = milliseconds(42);
    outcome.error = error;
    read_ = fetch.OnHead(head_) == BodyWish::kRead;
    for (std::size_t i = 0; read_ && i < pieces.size() && !outcome.error; ++i) {
      outcome.error = fetch.OnBody(pieces[i]);
      outcome.body_bytes += pieces[i].size();
    }
    fetch.OnDone(std::move(outcome));
    return std::move(result).value();
  }

  static json::object Row(const PageResult& result) { return json::parse(result.row).as_object(); }

  static constexpr char kUrl[] = "http://a.test/sitemap.xml";

  TitleParser parser_;
  PageContext context_{{}, "w1", parser_};
  WorkItem item_;
  ResponseHead head_;
  bool read_ = false;
};

TEST_F(SitemapFetchTest, ReportsWhatItLists) {
  const PageResult result =
      Fetch({"<urlset><url><loc>http://a.test/1</loc></url><sitemap><loc>http://a.",
             "test/s2</loc></sitemap></urlset>"});
  EXPECT_EQ(std::get<Fetched>(result.outcome).links, 2u);
  EXPECT_THAT(result.links, ElementsAre("http://a.test/1"));
  EXPECT_THAT(result.sitemaps, ElementsAre("http://a.test/s2"));
  json::object row = Row(result);
  EXPECT_EQ(row.at("sitemap"), true);
  EXPECT_FALSE(row.contains("truncated"));
  EXPECT_EQ(row.at("url"), kUrl);
  EXPECT_EQ(row.at("depth"), 2);
  EXPECT_EQ(row.at("links"), 2);
  EXPECT_EQ(row.at("bytes"), 100);
  EXPECT_EQ(row.at("referrer"), "http://a.test/robots.txt");
  EXPECT_EQ(row.at("fields"), json::value(json::object()));
}

TEST_F(SitemapFetchTest, ReadsAnyType) {
  for (const char* type : {"", "text/html", "application/octet-stream", "image/png"}) {
    head_.content_type = type;
    EXPECT_THAT(Fetch({"http://a.test/1"}).links, ElementsAre("http://a.test/1")) << type;
  }
}

TEST_F(SitemapFetchTest, WhatGoesOnBeyondTheLimitsCountsUpToThem) {
  std::string lines;
  for (std::size_t i = 0; i <= SitemapParser::kMaxUrls; ++i) {
    lines += "http://a.test/" + std::to_string(i) + "\n";
  }
  const PageResult result = Fetch({lines, "http://a.test/last\n"});
  EXPECT_EQ(std::get<Fetched>(result.outcome).links, SitemapParser::kMaxUrls);
  EXPECT_EQ(result.links.size(), SitemapParser::kMaxUrls);
  json::object row = Row(result);
  EXPECT_EQ(row.at("truncated"), true);
  EXPECT_EQ(row.at("bytes"), lines.size()) << "the rest was not fetched";
}

TEST_F(SitemapFetchTest, EndsAsItsResponseDoes) {
  head_.status = 404;
  EXPECT_EQ(std::get<Failed>(Fetch({"http://a.test/1"}).outcome).reason, Error::kHttpStatus);
  EXPECT_FALSE(read_);
  head_.status = 301;
  head_.location = "/other.xml";
  EXPECT_EQ(std::get<Redirected>(Fetch({}).outcome).to, "http://a.test/other.xml");
  head_.status = 200;
  const PageResult reset = Fetch({}, Error::kReset);
  EXPECT_EQ(std::get<Failed>(reset.outcome).reason, Error::kReset);
  EXPECT_THAT(reset.links, IsEmpty());
  EXPECT_EQ(reset.row, "");
}

TEST_F(SitemapFetchTest, AsksForXmlAndHasALimitOfItsOwn) {
  context_.settings.max_body_bytes = 1;
  const FetchRequest request =
      SitemapFetch::RequestFor(context_, Url::Parse("http://a.test/s").value());
  EXPECT_TRUE(request.accept.starts_with("application/xml")) << request.accept;
  EXPECT_GT(request.limits.body_bytes, SitemapParser::kMaxBytes);
}

TEST_F(SitemapFetchTest, MayReachThePrivateAddressesThatPagesMay) {
  context_.settings.private_hosts = {"localhost"};
  for (const auto& [url, allowed] :
       {std::pair("http://localhost/s", true), std::pair("http://127.0.0.1/s", false),
        std::pair("http://a.test/s", false)}) {
    const FetchRequest request = SitemapFetch::RequestFor(context_, Url::Parse(url).value());
    EXPECT_EQ(request.private_allowed, allowed) << url;
  }
}

}  // namespace
}  // namespace trawl

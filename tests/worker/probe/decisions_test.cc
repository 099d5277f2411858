#include "worker/probe/decisions.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

namespace trawl {
namespace {

namespace json = boost::json;

json::object AsItIs(const Question& question) {
  return DecideUrl(UrlRewrite(CrawlOptions()), question);
}

TEST(DecideUrl, ResolvesAgainstTheBase) {
  const struct {
    const char* question;
    const char* answer;
  } kCases[] = {{R"({"base":"http://a.test/x/y","href":"../z#f"})", R"({"url":"http://a.test/z"})"},
                {R"({"base":"","href":"HTTP://A.test"})", R"({"url":"http://a.test/"})"},
                {R"({"href":"http://a.test/%7e"})", R"({"url":"http://a.test/~"})"},
                {R"({"base":null,"href":"z"})", R"({"url":null})"},
                {R"({"base":"http://a.test/","href":"mailto:x@a.test"})", R"({"url":null})"},
                {R"({"base":"http://a.test/","href":""})", R"({"url":"http://a.test/"})"},
                {R"({"base":"http://a.test/"})", R"({"error":"'href' is missing"})"},
                {R"({"base":1,"href":""})", R"({"error":"'base' is not a text"})"}};
  for (const auto& c : kCases) EXPECT_EQ(AnswerLine(c.question, AsItIs), c.answer);
}

TEST(DecideUrl, NothingIsRelativeToABaseThatIsNoUrl) {
  const struct {
    const char* base;
    const char* answer;
  } kCases[] = {{"http://", R"({"url":null})"},
                {"rubbish", R"({"url":null})"},
                {":", R"({"url":null})"},
                {"1x:y", R"({"url":null})"},
                {"about:blank", R"({"url":"http://b.test/"})"},
                {"FILE:///x", R"({"url":"http://b.test/"})"}};
  for (const auto& c : kCases) {
    const json::object question{{"base", c.base}, {"href", "http://b.test/"}};
    EXPECT_EQ(AnswerLine(json::serialize(question), AsItIs), c.answer) << c.base;
  }
}

TEST(DecideUrl, RewritesAsTheCrawlDoes) {
  CrawlOptions crawl;
  crawl.sort_query = true;
  crawl.strip_names = {"c"};
  const auto answer = [rewrite = UrlRewrite(crawl)](const Question& question) {
    return DecideUrl(rewrite, question);
  };
  EXPECT_EQ(AnswerLine(R"({"href":"http://a.test/?b=1&c=2&a=3"})", answer),
            R"({"url":"http://a.test/?a=3&b=1"})");
}

TEST(DecideRobots, TellsTheRuleAndWhatElseTheFileHas) {
  const json::object question{{"robots",
                               "User-agent: *\nDisallow: /\n"
                               "User-agent: trawl\nDisallow: /x\nAllow: /x/y\nCrawl-delay: 2.5\n"
                               "Sitemap: http://a.test/s.xml\n"},
                              {"agent", "trawl/1.0 (+http://b.test/)"},
                              {"url", "http://a.test/x/y?q"}};
  EXPECT_EQ(json::parse(AnswerLine(json::serialize(question), DecideRobots)),
            (json::value{{"allowed", true},
                         {"rule", "Allow: /x/y"},
                         {"crawl_delay", 2.5},
                         {"sitemaps", {"http://a.test/s.xml"}}}));
}

TEST(DecideRobots, WhatIsNotThereIsNull) {
  const json::object question{{"robots_base64", ""}, {"agent", "x"}, {"url", "http://a.test/"}};
  EXPECT_EQ(AnswerLine(json::serialize(question), DecideRobots),
            R"({"allowed":true,"rule":null,"crawl_delay":null,"sitemaps":[]})");
}

TEST(DecideRobots, AUrlMayLackItsScheme) {
  const struct {
    const char* url;
    bool allowed;
  } kCases[] = {{"http://a.test/x", false},
                {"a.test/x", false},
                {"/x", false},
                {"//x", true},
                {"/y", true},
                {"a.test", true},
                {"", true},
                {"mailto:x", true}};
  for (const auto& c : kCases) {
    const json::object question{
        {"robots", "User-agent: *\nDisallow: /x"}, {"agent", "x"}, {"url", c.url}};
    EXPECT_EQ(json::parse(AnswerLine(json::serialize(question), DecideRobots)).at("allowed"),
              json::value(c.allowed))
        << c.url;
  }
}

TEST(DecideRobots, NeedsItsKeys) {
  for (const char* line :
       {R"({"agent":"x","url":"/"})", R"({"robots":"","url":"/"})", R"({"robots":"","agent":"x"})",
        R"({"robots":"","agent":1,"url":"/"})"}) {
    EXPECT_TRUE(json::parse(AnswerLine(line, DecideRobots)).as_object().contains("error")) << line;
  }
}

TEST(DecideLinks, FindsWhatACrawlFinds) {
  const json::object question{{"base_url", "http://a.test/x/"},
                              {"html",
                               "<title>A  \u00e4</title><base href=/y/><a href=1?\u00e4>"
                               "<a href=2 rel=nofollow><a href=1?\u00e4><a href=mailto:x>"
                               "<meta http-equiv=refresh content='0; url=3'>"}};
  const json::value answer = json::parse(AnswerLine(json::serialize(question), DecideLinks));
  EXPECT_EQ(answer.at("links"), (json::value{"http://a.test/y/1?%C3%A4", "http://a.test/y/2"}));
  EXPECT_EQ(answer.at("title"), "A \u00e4");
  EXPECT_EQ(answer.at("charset"), "utf-8");
  EXPECT_EQ(answer.at("refresh"), "http://a.test/y/3");
  EXPECT_EQ(answer.at("nofollow_links"), json::array{"http://a.test/y/2"});
}

TEST(DecideLinks, SaysWhatThePageSaysToTheAgent) {
  const struct {
    const char* agent;
    bool nofollow, noindex;
  } kCases[] = {{"", false, true}, {R"("agent":"otherbot",)", true, false}};
  for (const auto& [agent, nofollow, noindex] : kCases) {
    const std::string line = std::string("{") + agent +
                             R"("base_url":"http://a.test/","html":)"
                             R"("<meta name=trawl content=noindex>)"
                             R"(<meta name=otherbot content=nofollow>"})";
    const json::value answer = json::parse(AnswerLine(line, DecideLinks));
    EXPECT_EQ(answer.at("nofollow"), nofollow) << agent;
    EXPECT_EQ(answer.at("noindex"), noindex) << agent;
  }
}

TEST(DecideLinks, WhatIsNotThereIsEmptyOrNull) {
  const json::value answer =
      json::parse(AnswerLine(R"({"base_url":"http://a.test/","html_base64":""})", DecideLinks));
  EXPECT_EQ(answer.at("links"), json::array());
  EXPECT_EQ(answer.at("title"), "");
  EXPECT_EQ(answer.at("charset"), "windows-1252");
  EXPECT_EQ(answer.at("refresh"), nullptr);
}

TEST(DecideLinks, BytesAreInTheCharsetOfTheirContentType) {
  const json::value answer = json::parse(
      AnswerLine(R"({"base_url":"http://a.test/","html_base64":"PHRpdGxlPs/w6DwvdGl0bGU+",)"
                 R"("content_type":"text/html; charset=\"windows-1251\""})",
                 DecideLinks));
  EXPECT_EQ(answer.at("title"), "При");
  EXPECT_EQ(answer.at("charset"), "windows-1251");
}

TEST(DecideLinks, NeedsItsKeys) {
  for (const char* line :
       {R"({"html":""})", R"({"base_url":"http://a.test/"})", R"({"base_url":"","html":""})",
        R"({"base_url":"/x","html":""})", R"({"base_url":"http://a.test/","html":{}})"}) {
    EXPECT_TRUE(json::parse(AnswerLine(line, DecideLinks)).as_object().contains("error")) << line;
  }
}

TEST(DecideSitemap, ListsUrlsAndSitemaps) {
  const struct {
    const char* body;
    json::value urls, sitemaps;
  } kCases[] = {
      {"<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://b.test/</loc></url></urlset>",
       {"http://a.test/1", "http://b.test/"},
       json::array()},
      {"<sitemapindex><sitemap><loc>http://a.test/2.xml</loc></sitemap></sitemapindex>",
       json::array(),
       {"http://a.test/2.xml"}},
      {"http://a.test/1\nhttp://a.test/2\n", {"http://a.test/1", "http://a.test/2"}, json::array()},
      {"", json::array(), json::array()}};
  for (const auto& c : kCases) {
    const json::object question{{"url", "http://a.test/s"}, {"body", c.body}};
    const json::value answer = json::parse(AnswerLine(json::serialize(question), DecideSitemap));
    EXPECT_EQ(answer.at("urls"), c.urls) << c.body;
    EXPECT_EQ(answer.at("sitemaps"), c.sitemaps) << c.body;
  }
}

TEST(DecideSitemap, BytesAreInTheCharsetOfTheirContentType) {
  const json::value answer = json::parse(
      AnswerLine(R"({"url":"http://a.test/s","content_type":"text/plain; charset=iso-8859-1",)"
                 R"("body_base64":"aHR0cDovL2EudGVzdC/k"})",
                 DecideSitemap));
  EXPECT_EQ(answer.at("urls"), json::array{"http://a.test/%C3%A4"});
}

TEST(DecideSitemap, NeedsItsKeys) {
  for (const char* line :
       {R"({"body":""})", R"({"url":"http://a.test/s"})", R"({"url":"x","body":""})",
        R"({"url":"http://a.test/","body":1})", R"({"url":"http://a.test/","body_base64":"%"})"}) {
    EXPECT_TRUE(json::parse(AnswerLine(line, DecideSitemap)).as_object().contains("error")) << line;
  }
}

}  // namespace
}  // namespace trawl

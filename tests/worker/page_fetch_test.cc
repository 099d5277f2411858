#include "worker/page_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/utf8.h"

namespace trawl {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

constexpr char kInvalid[] = "a\xFF\xC3(\xE2\x82\xED\xA0\x80z";

/// A parser that does as it is told, and remembers the page.
class FakeParser : public PageParser {
 public:
  bool WantsBody() const override { return wants_body; }
  json::object Parse(const Page& page) override {
    url = page.url.text();
    status = page.head.status;
    depth = page.depth;
    charset = page.charset;
    title = page.title;
    body = page.body;
    links = page.links;
    if (!complaint.empty()) throw std::runtime_error(complaint);
    return fields;
  }

  bool wants_body = false;
  json::object fields = {{"field", 1}};
  std::string complaint;

  std::string url, charset, title, body;
  int status = 0, depth = 0;
  std::vector<std::string> links;
};

class PageFetchTest : public ::testing::Test {
 protected:
  PageFetchTest() {
    context_.settings.content_types = {"text/html", "application/xhtml+xml"};
    context_.settings.max_links_per_page = 100;
    item_.depth = 3;
    item_.entry.referrer = "http://a.test/from";
    head_.status = 200;
    head_.content_type = "text/html; charset=utf-8";
  }

  /// A fetch of http://a.test/dir/page that gets this body, if it wants one.
  PageResult Fetch(const std::vector<std::string>& pieces = {}) {
    std::optional<PageResult> result;
    auto fetch = std::make_unique<PageFetch>(
        context_, item_, Url::Parse("http://a.test/dir/page").value(),
        [&](const WorkItem&, PageResult done) { result = std::move(done); });
    FetchOutcome outcome;
    outcome.head = head_;
    outcome.elapsed = milliseconds(42);
    read_ = fetch->OnHead(head_) == BodyWish::kRead;
    for (const std::string& piece : pieces) {
      if (!read_) break;
      EXPECT_FALSE(fetch->OnBody(piece));
      outcome.body_bytes += piece.size();
    }
    fetch->OnDone(std::move(outcome));
    return std::move(result).value();
  }
  /// A fetch that ended with an error after its head, if it had one.
  PageResult Fail(boost::system::error_code error, const std::string& detail) {
    std::optional<PageResult> result;
    PageFetch fetch(context_, item_, Url::Parse("http://a.test/").value(),
                    [&](const WorkItem&, PageResult done) { result = std::move(done); });
    FetchOutcome outcome;
    if (head_.status != 0) {
      fetch.OnHead(head_);
      outcome.head = head_;
    }
    outcome.error = error;
    outcome.detail = detail;
    fetch.OnDone(std::move(outcome));
    return std::move(result).value();
  }

  static json::object Row(const PageResult& result) {
    EXPECT_EQ(result.row, ValidUtf8(result.row));
    EXPECT_EQ(result.row.find('\n'), std::string::npos);
    boost::system::error_code error;
    const json::value row = json::parse(result.row, error);
    EXPECT_FALSE(error) << result.row;
    return error ? json::object() : row.as_object();
  }

  FakeParser parser_;
  PageContext context_{{}, "w1", parser_};
  WorkItem item_;
  ResponseHead head_;
  bool read_ = false;
};

TEST_F(PageFetchTest, ARowHasTheFieldsOfPagesJsonl) {
  const PageResult result = Fetch({"<title>A &amp; B</title><a href=x>", "<a href=/y>"});
  const json::object row = Row(result);
  std::vector<std::string> names;
  for (const auto& field : row) names.emplace_back(field.key());
  EXPECT_THAT(names, ElementsAre("url", "depth", "status", "content_type", "charset", "bytes",
                                 "digest", "title", "links", "referrer", "fetched_at", "elapsed_ms",
                                 "worker", "fields"));
  BodyDigest digest;
  digest.Update("<title>A &amp; B</title><a href=x><a href=/y>");
  const std::vector<std::pair<const char*, json::value>> kWanted = {
      {"url", "http://a.test/dir/page"},      {"depth", 3},         {"status", 200},
      {"content_type", "text/html"},          {"charset", "utf-8"}, {"bytes", 45},
      {"digest", json::value(digest.Text())}, {"title", "A & B"},   {"links", 2},
      {"referrer", "http://a.test/from"},     {"elapsed_ms", 42},   {"worker", "w1"},
      {"fields", json::object{{"field", 1}}}};
  for (const auto& [name, value] : kWanted) EXPECT_EQ(row.at(name), value) << name;
  EXPECT_THAT(std::string(row.at("fetched_at").as_string()),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z"));
  EXPECT_THAT(result.links, ElementsAre("http://a.test/dir/x", "http://a.test/y"));
  EXPECT_EQ(std::get<Fetched>(result.outcome).body_bytes, 45u);
  EXPECT_EQ(std::get<Fetched>(result.outcome).links, 2u);
  EXPECT_EQ(result.elapsed, milliseconds(42));
}

TEST_F(PageFetchTest, ASeedHasNoReferrer) {
  item_.entry.referrer.clear();
  EXPECT_EQ(Row(Fetch({"x"})).at("referrer"), json::value(nullptr));
}

TEST_F(PageFetchTest, ARefreshTargetIsALink) {
  const std::string refresh = "<meta http-equiv=refresh content='0; url=next'>";
  const PageResult once = Fetch({refresh + "<a href=x>"});
  EXPECT_THAT(once.links, ElementsAre("http://a.test/dir/x", "http://a.test/dir/next"));
  const PageResult twice = Fetch({refresh + "<a href=next>"});
  EXPECT_THAT(twice.links, ElementsAre("http://a.test/dir/next"));
  EXPECT_EQ(std::get<Fetched>(twice.outcome).links, 1u);
}

TEST_F(PageFetchTest, ObeysWhatThePageSaysToRobots) {
  struct Case {
    std::string tag, body;  // of X-Robots-Tag, and of the page before its links
    bool noindex, nofollow;
  };
  const std::string agent = "trawl/1 (+http://x.test/)";
  context_.settings.user_agent = agent;
  parser_.wants_body = true;
  for (const Case& c : std::vector<Case>{
           {"", "", false, false},
           {"noindex", "", true, false},
           {"nofollow", "", false, true},
           {"none", "", true, true},
           {"otherbot: none", "", false, false},
           {"otherbot: none\ntrawl: noindex", "", true, false},
           {"", "<meta name=robots content=noindex>", true, false},
           {"", "<meta name=robots content='nofollow, noarchive'>", false, true},
           {"", "<meta name=trawl content=none>", true, true},
           {"", "<meta name=otherbot content=none>", false, false},
           {"noindex", "<meta name=robots content=nofollow>", true, true},
       }) {
    head_.robots_tag = c.tag;
    parser_.body = "(not asked)";
    const PageResult result = Fetch({c.body + "<a href=/x>x</a>"});
    const json::object row = Row(result);
    EXPECT_EQ(row.contains("noindex"), c.noindex) << c.tag << c.body;
    EXPECT_EQ(row.contains("nofollow"), c.nofollow) << c.tag << c.body;
    EXPECT_EQ(row.at("fields").as_object().empty(), c.noindex) << c.tag << c.body;
    EXPECT_EQ(parser_.body == "(not asked)", c.noindex) << c.tag << c.body;
    EXPECT_EQ(result.links.empty(), c.nofollow) << c.tag << c.body;
    EXPECT_EQ(row.at("links"), 1) << c.tag << c.body;
  }
}

TEST_F(PageFetchTest, EachWordToRobotsHasASwitch) {
  head_.robots_tag = "none";
  context_.settings.ignore_robots_tag = true;
  json::object row = Row(Fetch({"<a href=/x>x</a>"}));
  EXPECT_FALSE(row.contains("noindex") || row.contains("nofollow"));

  const std::string meta = "<meta name=robots content=none>";
  EXPECT_TRUE(Row(Fetch({meta})).contains("noindex"));
  context_.settings.ignore_meta_robots = true;
  row = Row(Fetch({meta}));
  EXPECT_FALSE(row.contains("noindex") || row.contains("nofollow"));

  const std::string page = "<a rel=nofollow href=/x>x</a><a href=/y>y</a>";
  EXPECT_THAT(Fetch({page}).links, ElementsAre("http://a.test/y"));
  context_.settings.ignore_rel_nofollow = true;
  EXPECT_THAT(Fetch({page}).links, ElementsAre("http://a.test/x", "http://a.test/y"));
}

TEST_F(PageFetchTest, FollowsAMarkedLinkThatIsAlsoTheRefreshTarget) {
  EXPECT_THAT(
      Fetch({"<meta http-equiv=refresh content='0; url=/x'><a rel=nofollow href=/x>x</a>"}).links,
      ElementsAre("http://a.test/x"));
}

TEST_F(PageFetchTest, ATagOfWhatIsNoPageCountsToo) {
  context_.settings.content_types = {"*/*"};
  head_.content_type = "application/pdf";
  head_.robots_tag = "noindex";
  const json::object row = Row(Fetch({"%PDF"}));
  EXPECT_EQ(row.at("noindex"), true);
}

TEST_F(PageFetchTest, OnlyAWantedTypeOfASuccessIsRead) {
  const struct {
    int status;
    const char* content_type;
    bool read;
  } kCases[] = {{200, "text/html", true},
                {203, "Text/HTML ;charset=x", true},
                {200, " application/xhtml+xml", true},
                {200, "text/plain", false},
                {200, "text/htmlx", false},
                {200, "", false},
                {404, "text/html", false},
                {302, "text/html", false},
                {500, "text/html", false}};
  for (const auto& c : kCases) {
    head_.status = c.status;
    head_.content_type = c.content_type;
    const PageResult result = Fetch({"<a href=x>"});
    EXPECT_EQ(read_, c.read) << c.status << " " << c.content_type;
    EXPECT_EQ(result.row.empty(), !c.read);
    EXPECT_EQ(result.links.empty(), !c.read);
  }
}

TEST_F(PageFetchTest, AnotherTypeFailsByItsName) {
  const struct {
    const char* content_type;
    const char* detail;
  } kCases[] = {{"image/png", "image/png"}, {"", "no Content-Type"}};
  for (const auto& c : kCases) {
    head_.content_type = c.content_type;
    const Failed failed = std::get<Failed>(Fetch().outcome);
    EXPECT_EQ(failed.reason, Error::kContentType);
    EXPECT_EQ(failed.detail, c.detail);
    EXPECT_EQ(failed.status, 200);
  }
}

TEST_F(PageFetchTest, AllTypesMayBeWantedButOnlyHtmlHasLinks) {
  context_.settings.content_types = {"*/*"};
  for (const char* type : {"image/png", "", "text/plain; charset=\"UTF-8\""}) {
    head_.content_type = type;
    const PageResult result = Fetch({"<a href=x>"});
    EXPECT_TRUE(read_);
    EXPECT_EQ(Row(result).at("bytes"), json::value(10));
    EXPECT_THAT(result.links, IsEmpty());
  }
  EXPECT_EQ(Row(Fetch()).at("charset"), json::value("utf-8"));
}

TEST_F(PageFetchTest, AnErrorStatusFailsWithIt) {
  for (const int status : {404, 500, 304, 300, 100, 999}) {
    head_.status = status;
    head_.location = "http://b.test/";
    const Failed failed = std::get<Failed>(Fetch().outcome);
    EXPECT_EQ(failed.reason, Error::kHttpStatus);
    EXPECT_EQ(failed.status, status);
    EXPECT_THAT(failed.detail, HasSubstr(std::to_string(status)));
  }
}

TEST_F(PageFetchTest, ARedirectIsReportedAndNotFollowed) {
  const struct {
    const char* location;
    const char* to;
    bool crawlable;
  } kCases[] = {{"http://b.test", "http://b.test/", true},
                {"other?q#part", "http://a.test/dir/other?q", true},
                {"//b.test/%7ex", "http://b.test/~x", true},
                {"\xC3\xA4", "http://a.test/dir/%C3%A4", true},
                {"mailto:a@b", "mailto:a@b", false},
                {"http://", "http://", false},
                {"http://[bad", "http://[bad", false}};
  for (const int status : {301, 302, 303, 307, 308}) {
    for (const auto& c : kCases) {
      head_.status = status;
      head_.location = c.location;
      const PageResult result = Fetch();
      const auto* redirected = std::get_if<Redirected>(&result.outcome);
      ASSERT_NE(redirected, nullptr) << c.location;
      EXPECT_EQ(redirected->status, status);
      EXPECT_EQ(redirected->to, c.to);
      EXPECT_EQ(redirected->crawlable, c.crawlable) << c.location;
      EXPECT_EQ(result.row, "");
    }
  }
  head_.location.clear();
  EXPECT_EQ(std::get<Failed>(Fetch().outcome).reason, Error::kHttpStatus);
}

TEST_F(PageFetchTest, AFailedFetchHasItsReason) {
  PageResult result = Fail(Error::kReset, "half a body");
  EXPECT_EQ(std::get<Failed>(result.outcome).reason, Error::kReset);
  EXPECT_EQ(std::get<Failed>(result.outcome).detail, "half a body");
  EXPECT_EQ(std::get<Failed>(result.outcome).status, 200);
  EXPECT_EQ(result.row, "");
  head_ = {};
  result = Fail(Error::kTimeout, "");
  EXPECT_EQ(std::get<Failed>(result.outcome).reason, Error::kTimeout);
  EXPECT_NE(std::get<Failed>(result.outcome).detail, "");
  EXPECT_EQ(std::get<Failed>(result.outcome).status, 0);
}

TEST_F(PageFetchTest, AParserSeesThePage) {
  Fetch({"<title>T</title>", "<a href=x>"});
  EXPECT_EQ(parser_.url, "http://a.test/dir/page");
  EXPECT_EQ(parser_.status, 200);
  EXPECT_EQ(parser_.depth, 3);
  EXPECT_EQ(parser_.charset, "utf-8");
  EXPECT_EQ(parser_.title, "T");
  EXPECT_THAT(parser_.links, ElementsAre("http://a.test/dir/x"));
  EXPECT_EQ(parser_.body, "") << "it did not want it";
  parser_.wants_body = true;
  Fetch({"<title>T</title>", "<a href=x>"});
  EXPECT_EQ(parser_.body, "<title>T</title><a href=x>");
}

TEST_F(PageFetchTest, AParserGetsTheTextOfAPageInUtf8WhateverItsCharset) {
  parser_.wants_body = true;
  const struct {
    std::string content_type;
    std::vector<std::string> pieces;
    std::string body;
  } kCases[] = {
      {"text/html; charset=\"Windows-1251\"", {"\xCF\xF0", "\xE8"}, "При"},
      {"text/html; charset=shift_jis", {"\x93", "\xFA\x96\x7B\x81<br>"}, "日本\uFFFD<br>"},
      {"text/html", {"\xEF\xBB", "\xBF\xC3", "\xA4"}, "ä"},
      {"text/html", {"<meta char", "set=koi8-r>\xF0"}, "<meta charset=koi8-r>П"},
      {"text/html", {"\x93x\x94"}, "“x”"},
      {"application/xhtml+xml",
       {"<?xml encoding='iso-8859-2'?>\xB3"},
       "<?xml encoding='iso-8859-2'?>ł"},
      {"application/xhtml+xml", {"<title>\xC3\xA4</title>"}, "<title>ä</title>"},
      {"text/html; charset=utf-8", {"a\xC3"}, "a\uFFFD"},
      {"text/html", {}, ""},
  };
  for (const auto& c : kCases) {
    head_.content_type = c.content_type;
    Fetch(c.pieces);
    EXPECT_EQ(parser_.body, c.body) << c.content_type;
  }
}

TEST_F(PageFetchTest, AnXhtmlPageThatDoesNotTellIsInUtf8) {
  for (const auto& [type, title] : {std::pair("application/xhtml+xml", "ä"), {"text/html", "Ã¤"}}) {
    head_.content_type = type;
    EXPECT_EQ(Row(Fetch({"<title>\xC3\xA4</title>"})).at("title"), json::value(title));
  }
}

TEST_F(PageFetchTest, AParserGetsTheBytesOfWhatIsNoPage) {
  parser_.wants_body = true;
  context_.settings.content_types = {"*/*"};
  head_.content_type = "text/plain; charset=iso-8859-1";
  Fetch({"\xEF\xBB\xBF\xE4", "\xFF"});
  EXPECT_EQ(parser_.body, "\xEF\xBB\xBF\xE4\xFF");
  EXPECT_EQ(parser_.charset, "windows-1252");
}

TEST_F(PageFetchTest, TheCharsetOfWhatIsNoPageIsTheHeaders) {
  context_.settings.content_types = {"*/*"};
  for (const auto& [type, charset] : {std::pair("text/plain; charset=\" LATIN1 \"", "windows-1252"),
                                      {"text/plain; charset=none", ""},
                                      {"text/plain", ""}}) {
    head_.content_type = type;
    EXPECT_EQ(Row(Fetch()).at("charset"), json::value(charset)) << type;
  }
}

TEST_F(PageFetchTest, AParserThatThrowsLeavesARowThatTellsOfIt) {
  parser_.complaint = "no price";
  const PageResult result = Fetch({"<a href=x>"});
  const json::object row = Row(result);
  EXPECT_EQ(row.at("fields"), (json::object{{"parser_error", "no price"}}));
  EXPECT_EQ(result.links.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Fetched>(result.outcome));
}

// ---- Text that is none ----

TEST_F(PageFetchTest, ARowIsJsonInUtf8WhateverThePageSends) {
  head_.content_type = "text/html; charset=" + std::string(kInvalid);
  parser_.complaint = kInvalid;
  item_.entry.referrer = "http://a.test/";
  const std::string bad = kInvalid;
  Row(Fetch({"<title>" + bad + "</title><a href='" + bad + "'>" + bad}));
  head_.content_type = "text/html";
  Row(Fetch(
      {"<meta charset='" + bad + "'><title>" + bad + "\n\"\\</title><base href=" + bad + ">"}));
}

TEST_F(PageFetchTest, ARowIsJsonInUtf8WhateverTheParserReturns) {
  parser_.fields = {{"text", kInvalid}, {kInvalid, 1}, {"in", {{"deep", {kInvalid}}}}};
  Row(Fetch({"x"}));
}

TEST_F(PageFetchTest, WhatIsReportedIsUtf8OfBoundedLength) {
  const std::string bad = kInvalid + std::string(100'000, '\xFF');
  const auto check = [](const std::string& text) {
    EXPECT_EQ(text, ValidUtf8(text));
    EXPECT_LE(text.size(), kMaxTextBytes);
    EXPECT_NE(text, "");
  };
  head_.content_type = bad;
  check(std::get<Failed>(Fetch().outcome).detail);
  check(std::get<Failed>(Fail(Error::kTls, bad).outcome).detail);
  head_.status = 301;
  head_.location = "http://[" + bad;
  const auto redirected = std::get<Redirected>(Fetch().outcome);
  EXPECT_FALSE(redirected.crawlable);
  check(redirected.to);
}

// ---- What is asked for ----

TEST_F(PageFetchTest, ARequestHasTheJobsLimits) {
  context_.settings.fetch_timeout = milliseconds(77);
  context_.settings.max_body_bytes = 88;
  const FetchRequest request = context_.RequestFor(Url::Parse("http://a.test/").value());
  EXPECT_EQ(request.limits.total, milliseconds(77));
  EXPECT_EQ(request.limits.body_bytes, 88u);
  EXPECT_THAT(request.accept, HasSubstr("text/html"));
}

TEST_F(PageFetchTest, MayReachPrivateAddressesWhereTheJobSaysSo) {
  context_.settings.private_hosts = {"localhost", "[::1]"};
  const struct {
    const char* url;
    bool allow_private, allowed;
  } kCases[] = {{"http://localhost:81/", false, true}, {"http://[::1]/", false, true},
                {"http://127.0.0.1/", false, false},   {"http://a.test/", false, false},
                {"http://127.0.0.1/", true, true},     {"http://a.test/", true, true}};
  for (const auto& c : kCases) {
    context_.settings.allow_private = c.allow_private;
    const FetchRequest request = context_.RequestFor(Url::Parse(c.url).value());
    EXPECT_EQ(request.private_allowed, c.allowed) << c.url;
  }
}

TEST(RetryAfter, IsSecondsOrADate) {
  const std::chrono::system_clock::time_point now{std::chrono::seconds(784111777)};
  const struct {
    const char* value;
    milliseconds wait;
  } kCases[] = {
      {"", milliseconds(0)},
      {"0", milliseconds(0)},
      {"120", milliseconds(120'000)},
      {" 5\t", milliseconds(5'000)},
      {"-5", milliseconds(0)},
      {"5 seconds", milliseconds(0)},
      {"soon", milliseconds(0)},
      {"3600", kMaxRetryAfter},
      {"3601", kMaxRetryAfter},
      {"99999999999999999999999", kMaxRetryAfter},
      {"Sun, 06 Nov 1994 08:50:37 GMT", milliseconds(60'000)},
      {"Sun, 06 Nov 1994 08:48:37 GMT", milliseconds(0)},
      {"Sun, 06 Nov 2094 08:48:37 GMT", kMaxRetryAfter},
      {"Sun, 06 Nov 9999 08:48:37 GMT", kMaxRetryAfter},
      {"Sun, 06 Nov 1601 08:48:37 GMT", milliseconds(0)},
  };
  for (const auto& [value, wait] : kCases) EXPECT_EQ(ParseRetryAfter(value, now), wait) << value;
}

TEST_F(PageFetchTest, TellsHowManyLinksOfAPageItLeftOut) {
  context_.settings.max_links_per_page = 2;
  const std::string links = "<a href=/1><a href=/2><a href=/3><a href=/4>";
  const PageResult result = Fetch({links});
  EXPECT_THAT(result.links, ElementsAre("http://a.test/1", "http://a.test/2"));
  EXPECT_EQ(std::get<Fetched>(result.outcome).links, 2u);
  EXPECT_EQ(std::get<Fetched>(result.outcome).links_left_out, 2u);
  EXPECT_EQ(std::get<Fetched>(Fetch({"<meta name=robots content=nofollow>" + links}).outcome)
                .links_left_out,
            0u)
      << "none would have been followed";
}

}  // namespace
}  // namespace trawl

#include "worker/http/response_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/support/test_page.h"

namespace trawl {
namespace {

/// Everything that a reader says of a response.
struct Seen : FetchObserver {
  BodyWish OnHead(const ResponseHead&) override {
    ++heads;
    return BodyWish::kRead;
  }
  boost::system::error_code OnBody(std::string_view bytes) override {
    body += bytes;
    return {};
  }
  void OnDone(FetchOutcome) override {}

  int heads = 0;
  int status = 0;
  std::string body;
  boost::system::error_code error;
  bool keeps_alive = false;
};

/// Reads a response that arrives in pieces of `step` bytes and then ends.
Seen Read(std::string_view response, std::size_t step) {
  Seen seen;
  ContentDecoder decoder;
  const FetchLimits limits = {.head_bytes = 2000, .body_bytes = 100'000};
  ResponseReader reader(limits, seen, decoder);
  std::string pending;
  while (!response.empty() && !reader.done()) {
    pending += response.substr(0, step);
    response.remove_prefix(std::min(step, response.size()));
    pending.erase(0, reader.Put(pending));
    EXPECT_LE(pending.size(), ResponseReader::kMaxPendingBytes);
  }
  reader.PutEnd(true);
  EXPECT_TRUE(reader.done());
  seen.error = reader.error();
  seen.status = reader.head().status;
  seen.keeps_alive = reader.keeps_alive();
  EXPECT_EQ(reader.body_bytes(), seen.body.size());
  return seen;
}

const std::string kNul(1, '\0');
const std::string kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string Interims(int count) {
  std::string heads;
  for (; count > 0; --count) heads += "HTTP/1.1 100 Continue\r\n\r\n";
  return heads;
}

TEST(ResponseReader, SeesTheSameHoweverTheBytesArrive) {
  const struct {
    const char* name;
    std::string response;
    int status;
    std::string body;
    bool keeps_alive;
  } cases[] = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext", 200, "text", true},
      {"one length twice", "HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\ntext", 200, "text",
       true},
      {"no reason", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", 404, "", true},
      {"no reason and no blank", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 404, "", true},
      {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 4\n\ntext", 200, "text", true},
      {"some LF bare", "HTTP/1.1 200 OK\r\nContent-Length: 4\n\r\ntext", 200, "text", true},
      {"LF at the end bare", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\ntext", 200, "text", true},
      {"blanks before the colon", "HTTP/1.1 200 OK\r\nContent-Length \t: 4\r\n\r\ntext", 200,
       "text", true},
      {"folded", "HTTP/1.1 200 OK\r\nX: a\r\n b : c\r\nContent-Length:\r\n 4\r\n\r\ntext", 200,
       "text", true},
      {"not modified", "HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", 304, "", true},
      {"until close", "HTTP/1.0 200 OK\r\n\r\ntext", 200, "text", false},
      {"kept by 1.0", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
       200, "x", true},
      {"interim", "HTTP/1.1 103 Hint\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 204, "", true},
      {"empty chunked", kChunked + "0\r\n\r\n", 200, "", true},
      {"chunked", kChunked + "3\r\none\r\nA;x=\"y\"\r\n1234567890\r\n000\r\n\r\n", 200,
       "one1234567890", true},
      {"trailer", kChunked + "1\r\nx\r\n0\r\nContent-Type: x\r\nX-Sum: 12\r\n\r\n", 200, "x", true},
  };
  for (const auto& c : cases) {
    for (const std::size_t step : {1u, 2u, 3u, 5u, 1000u}) {
      SCOPED_TRACE(std::string(c.name) + " in steps of " + std::to_string(step));
      const Seen seen = Read(c.response, step);
      EXPECT_FALSE(seen.error) << seen.error.message();
      EXPECT_EQ(seen.heads, 1);
      EXPECT_EQ(seen.status, c.status);
      EXPECT_EQ(seen.body, c.body);
      EXPECT_EQ(seen.keeps_alive, c.keeps_alive);
    }
  }
}

TEST(ResponseReader, StandsButEndsTheConnectionWhenMoreFollows) {
  const struct {
    std::string response;
    std::string body;
  } kCases[] = {
      {"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ""},
      {"HTTP/1.1 204 No\r\n\r\ntext", ""},
      {"HTTP/1.1 304 No\r\n\r\ntext", ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext and more", "text"},
      {kChunked + "1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", "x"},
  };
  for (const auto& [response, body] : kCases) {
    const Seen seen = Read(response, response.size());
    EXPECT_FALSE(seen.error) << response;
    EXPECT_EQ(seen.body, body) << response;
    EXPECT_FALSE(seen.keeps_alive) << response;
  }
  // The body that a 204 must not have may come later.
  EXPECT_FALSE(Read("HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\n", 100).keeps_alive);
  EXPECT_FALSE(Read("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", 100).keeps_alive);
  EXPECT_TRUE(Read("HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", 100).keeps_alive);
}

TEST(ResponseReader, RefusesTheSameHoweverTheBytesArrive) {
  const struct {
    std::string response;
    Error error;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntex", Error::kTruncated},
      {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", Error::kReset},
      {"", Error::kReset},
      {"H", Error::kReset},
      {kChunked + "3\r\none\r\n0\r\n", Error::kTruncated},
      {kChunked + "3\r\none", Error::kTruncated},
      {kChunked + "3\r\nonetwo\r\n0\r\n\r\n", Error::kMalformed},
      {"<html>text</html>", Error::kMalformed},
      {"http/1.1 200 OK\r\n\r\n", Error::kMalformed},
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", Error::kMalformed},
      {"HTTP/2 200\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 20\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 2000\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nX: a" + kNul + "b\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 O" + kNul + "K\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nX" + kNul + ": a\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nno header\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\n x: 1\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
       Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\ntext", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0x4\r\n\r\ntext", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\ntext", Error::kMalformed},
      {kChunked + "3\none\n0\n\n", Error::kMalformed},
      {kChunked + "0\r\nX: 1\n\r\n", Error::kMalformed},
      {kChunked + "3\r\none0\r\n\r\n", Error::kMalformed},
      {kChunked + "\r\none\r\n0\r\n\r\n", Error::kMalformed},
      {kChunked + "0x3\r\none\r\n0\r\n\r\n", Error::kMalformed},
      {kChunked + "3 3\r\none\r\n0\r\n\r\n", Error::kMalformed},
      {kChunked + "+3\r\none\r\n0\r\n\r\n", Error::kMalformed},
      {Interims(1'000), Error::kTooLarge},
      {kChunked + "-3\r\none\r\n0\r\n\r\n", Error::kMalformed},
      {kChunked + "fffffffffffffffff\r\none\r\n0\r\n\r\n", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ntext", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\ntext", Error::kMalformed},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", Error::kTooLarge},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n", Error::kTooLarge},
      {kChunked + "20000\r\n" + std::string(0x20000, 'x') + "\r\n0\r\n\r\n", Error::kTooLarge},
  };
  for (const auto& c : cases) {
    for (const std::size_t step : {1u, 2u, 7u, 60'000u}) {
      SCOPED_TRACE(::testing::PrintToString(c.response.substr(0, 80)) + " in steps of " +
                   std::to_string(step));
      const Seen seen = Read(c.response, step);
      EXPECT_EQ(seen.error, c.error) << seen.error.message();
      EXPECT_FALSE(seen.keeps_alive);
    }
  }
}

TEST(ResponseReader, SurvivesDamagedResponses) {
  const std::string whole = kChunked + "3\r\none\r\nA;x=\"y\"\r\n1234567890\r\n0\r\nX: 1\r\n\r\n";
  constexpr int kRounds = 3000;
  std::mt19937 random(1);
  for (int round = 0; round < kRounds; ++round) {
    std::string damaged = whole;
    for (int hits = 0; hits < 3; ++hits) {
      const std::size_t at = random() % damaged.size();
      switch (random() % 3) {
        case 0:
          damaged[at] = "\r\n0;: a\xff"[random() % 8];
          break;
        case 1:
          damaged.erase(at, random() % 4);
          break;
        default:
          damaged.insert(at, "\r\n");
          break;
      }
    }
    Read(damaged, 1 + random() % 20);
  }
}

TEST(ResponseReader, KeepsCookiesOnlyWhenAskedForAndUpToALimit) {
  const struct {
    std::size_t limit;
    std::vector<std::string> kept;
  } kCases[] = {{0, {}}, {2, {}}, {6, {"a=1", "c=4"}}, {100, {"a=1", "b=23456", "c=4"}}};
  for (const auto& [limit, kept] : kCases) {
    SCOPED_TRACE(limit);
    Seen seen;
    ContentDecoder decoder;
    ResponseReader reader({.set_cookie_bytes = limit}, seen, decoder);
    reader.Put(
        "HTTP/1.1 204 No Content\r\nSet-Cookie: a=1\r\nset-cookie: b=23456\r\nSet-Cookie: "
        "c=4\r\n\r\n");
    EXPECT_TRUE(reader.done());
    EXPECT_EQ(reader.head().set_cookies, kept);
  }
}

}  // namespace
}  // namespace trawl

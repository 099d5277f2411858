#include "worker/http/response_head.h"

#include <gtest/gtest.h>

#include <string>

namespace trawl {
namespace {

TEST(ResponseHead, BeginsWithTheNameOfTheProtocol) {
  for (const char* begin : {"", "H", "HTTP", "HTTP/", "HTTP/1.1 200"}) {
    EXPECT_TRUE(BeginsResponse(begin)) << begin;
  }
  for (const char* begin : {"<", "h", "HTTQ", "http/1.1", " HTTP/1.1", "\r\n"}) {
    EXPECT_FALSE(BeginsResponse(begin)) << begin;
  }
}

TEST(ResponseHead, EndsWithItsFirstEmptyLine) {
  const std::string kHeads[] = {"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n",
                                "HTTP/1.1 200 OK\r\n\n", "HTTP/1.1 200 OK\n\r\n"};
  for (const std::string& head : kHeads) {
    for (const std::string rest : {"", "x", "\r\n\r\n"}) {
      std::size_t searched = 0;
      EXPECT_EQ(HeadBytes(head + rest, searched), head.size()) << head;
    }
  }
}

TEST(ResponseHead, EndsAtTheSamePlaceWhenItComesByteByByte) {
  const std::string bytes = "HTTP/1.1 200 OK\r\nA: b\nC\r\r\n\r\nrest\n\n";
  std::size_t searched = 0;
  std::size_t arrived = 0;
  std::optional<std::size_t> end;
  while (!end) end = HeadBytes(bytes.substr(0, ++arrived), searched);
  EXPECT_EQ(*end, bytes.find("rest"));
  EXPECT_EQ(arrived, *end);
}

TEST(ResponseHead, IsMendedOnlyWhereItHasTo) {
  const struct {
    std::string head;
    std::string mended;  // empty: it is as it should be
  } kCases[] = {
      {"HTTP/1.1 200 OK\r\nA: b : c\r\n folded : d\r\n\r\n", ""},
      {"HTTP/1.1 200 \r\n\r\n", ""},
      {"HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n"},
      {"HTTP/1.1 200\n\n", "HTTP/1.1 200 \r\n\r\n"},
      {"HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nA: b\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nA: b\r\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nA \t: b\r\nC: d\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"},
      {"HTTP/1.1 20\r\n\r\n", "HTTP/1.1 20\r\n\r\n"},
  };
  for (const auto& [head, mended] : kCases) {
    std::string storage;
    const std::string_view answer = MendedHead(head, storage);
    EXPECT_EQ(answer, mended.empty() ? head : mended) << head;
    EXPECT_EQ(answer.data() == head.data(), mended.empty()) << head;
  }
}

}  // namespace
}  // namespace trawl

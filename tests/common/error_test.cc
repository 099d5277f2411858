#include "common/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace trawl {
namespace {

std::vector<Error> AllErrors() {
  std::vector<Error> errors;
  for (int value = static_cast<int>(Error::kHttpStatus); value <= static_cast<int>(Error::kUsage);
       ++value) {
    errors.push_back(static_cast<Error>(value));
  }
  return errors;
}

TEST(Error, HasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (const Error error : AllErrors()) {
    const std::string_view word = ReasonWord(error);
    EXPECT_FALSE(word.empty());
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), word.npos) << word;
    EXPECT_TRUE(words.insert(word).second) << word;
  }
}

TEST(Error, IsNamedByItsWord) {
  for (const Error error : AllErrors()) EXPECT_EQ(ReasonFromWord(ReasonWord(error)), error);
  for (const char* word : {"", "Timeout", "timeout ", "no such word"}) {
    EXPECT_EQ(ReasonFromWord(word), Error::kMalformed) << word;
  }
}

TEST(Error, HasAMessageOfItsOwn) {
  std::set<std::string> messages;
  for (const Error error : AllErrors()) {
    const std::string message = make_error_code(error).message();
    EXPECT_EQ(message.find("unknown"), message.npos) << message;
    EXPECT_TRUE(messages.insert(message).second) << message;
  }
  EXPECT_EQ(ErrorCategory().message(0), "unknown error 0");
  EXPECT_EQ(ErrorCategory().message(9999), "unknown error 9999");
}

TEST(Error, IsAnErrorCodeOfItsCategory) {
  const boost::system::error_code code = Error::kTimeout;
  EXPECT_EQ(code, Error::kTimeout);
  EXPECT_NE(code, Error::kDns);
  EXPECT_TRUE(code.failed());
  EXPECT_STREQ(code.category().name(), "trawl");
}

TEST(Error, EndsAResult) {
  const Result<int> result = Error::kDns;
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error(), Error::kDns);
}

}  // namespace
}  // namespace trawl

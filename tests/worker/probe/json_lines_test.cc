#include "worker/probe/json_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "common/utf8.h"

namespace trawl {
namespace {

namespace json = boost::json;
using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Tells what the question has under "a".
json::object Echo(const Question& question) { return {{"a", question.Text("a")}}; }

/// The answers to an input, as lines.
std::vector<std::string> AnswersTo(const std::string& input,
                                   std::size_t max_line_bytes = kMaxQuestionBytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  std::fwrite(input.data(), 1, input.size(), file.get());
  std::rewind(file.get());
  std::ostringstream output;
  EXPECT_TRUE(AnswerLines(::fileno(file.get()), output, Echo, max_line_bytes));
  std::vector<std::string> lines;
  std::istringstream text(output.str());
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::string ErrorOf(const std::string& line) {
  return std::string(json::parse(line).at("error").as_string());
}

TEST(JsonLines, EveryLineHasItsAnswerInOrder) {
  EXPECT_THAT(AnswersTo("{\"a\":\"1\"}\n{\"a\":\"2\"}\n"),
              ElementsAre("{\"a\":\"1\"}", "{\"a\":\"2\"}"));
  EXPECT_THAT(AnswersTo(""), ElementsAre());
}

TEST(JsonLines, TheLastLineNeedsNoEnd) {
  EXPECT_THAT(AnswersTo("{\"a\":\"1\"}\n{\"a\":\"2\"}"),
              ElementsAre("{\"a\":\"1\"}", "{\"a\":\"2\"}"));
}

TEST(JsonLines, BlanksAroundTheObjectDoNotMatter) {
  EXPECT_THAT(AnswersTo(" {\"a\" : \"1\"}\t\r\n"), ElementsAre("{\"a\":\"1\"}"));
}

TEST(JsonLines, ABadLineIsAnsweredWithItsErrorAndEndsNothing) {
  const struct {
    std::string line;
    const char* error;
  } kCases[] = {{"", "empty line"},
                {" \t\r", "empty line"},
                {"rubbish", "not JSON"},
                {"{", "not JSON"},
                {"{\"a\":\"\t\"}", "not JSON"},
                {"{\"a\":\"1\"} {\"a\":\"1\"}", "not JSON"},
                {"{\"a\":\"\\u12\"}", "not JSON"},
                {"\0\0"s, "not JSON"},
                {std::string(100'000, '['), "not JSON"},
                {std::string(100'000, '\xFF'), "not JSON"},
                {"[]", "not a JSON object"},
                {"null", "not a JSON object"},
                {"7", "not a JSON object"},
                {"\"a\"", "not a JSON object"},
                {"{}", "'a' is missing"},
                {"{\"a\":null}", "'a' is missing"},
                {"{\"a\":1}", "'a' is not a text"},
                {"{\"a\":[\"1\"]}", "'a' is not a text"}};
  std::string input;
  for (const auto& c : kCases) input += c.line + "\n{\"a\":\"next\"}\n";
  const std::vector<std::string> answers = AnswersTo(input);
  ASSERT_EQ(answers.size(), 2 * std::size(kCases));
  for (std::size_t i = 0; i < std::size(kCases); ++i) {
    EXPECT_THAT(ErrorOf(answers[2 * i]), HasSubstr(kCases[i].error)) << kCases[i].line;
    EXPECT_EQ(answers[2 * i + 1], "{\"a\":\"next\"}");
  }
}

TEST(JsonLines, WhatIsNoCharacterIsAReplacementCharacter) {
  const struct {
    std::string text;  // inside of the JSON text
    std::string want;
  } kCases[] = {{"\xFF", "\uFFFD"},
                {"a\xC3", "a\uFFFD"},
                {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
                {"\\ud800", "\uFFFD"},
                {"\\uDFFFx", "\uFFFDx"},
                {"\\ud83d\\ude00", "\U0001F600"},
                {"\\ud83d\\ud83d\\ude00", "\uFFFD\U0001F600"},
                {"\\ude00\\ud83d", "\uFFFD\uFFFD"},
                {"\\ud83dx\\ude00", "\uFFFDx\uFFFD"},
                {"\\ud83d\\n", "\uFFFD\n"},
                {"\\\\ud800", "\\ud800"},
                {"\\\\\\ud800", "\\\uFFFD"},
                {"\\u00e4\\u0041", "\u00E4A"},
                {"\\u0000\\u001f", "\0\x1F"s}};
  for (const auto& c : kCases) {
    const std::string answer = AnswerLine("{\"a\":\"" + c.text + "\"}", Echo);
    EXPECT_EQ(json::parse(answer).at("a"), json::value(c.want)) << c.text << " " << answer;
  }
}

TEST(JsonLines, UnknownKeysAreIgnored) {
  EXPECT_EQ(AnswerLine("{\"b\":{\"c\":[1,{}]},\"a\":\"1\",\"\":null}", Echo), "{\"a\":\"1\"}");
}

TEST(JsonLines, ALineThatIsTooLongIsSkippedAndAnswered) {
  const std::string fits = "{\"a\":\"" + std::string(100'000, 'x') + "\"}";
  const std::string input = fits + "\n" + fits + "y\n{\"a\":\"1\"}\n" + std::string(300'000, 'z');
  const std::vector<std::string> answers = AnswersTo(input, fits.size());
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(answers[0], fits);
  EXPECT_THAT(ErrorOf(answers[1]), HasSubstr("longer than"));
  EXPECT_EQ(answers[2], "{\"a\":\"1\"}");
  EXPECT_THAT(ErrorOf(answers[3]), HasSubstr("longer than"));
}

TEST(JsonLines, AnswersAndErrorsAreValidUtf8) {
  const auto invalid = [](const Question&) -> json::object { return {{"a", "x\xFF"}}; };
  EXPECT_EQ(AnswerLine("{}", invalid), "{\"a\":\"x\uFFFD\"}");
  const auto fails = [](const Question&) -> json::object { throw std::runtime_error("x\xFF"); };
  EXPECT_EQ(AnswerLine("{}", fails), "{\"error\":\"x\uFFFD\"}");
}

TEST(JsonLines, TellWhenTheOutputTakesNoMore) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  std::fputs("{}\n{}\n", file.get());
  std::rewind(file.get());
  std::ostringstream output;
  output.setstate(std::ios::badbit);
  EXPECT_FALSE(AnswerLines(::fileno(file.get()), output, Echo));
  constexpr int kNoFile = -1;
  std::ostringstream good;
  EXPECT_FALSE(AnswerLines(kNoFile, good, Echo));
}

TEST(JsonLines, BytesComeAsTextOrAsBase64) {
  const Answer size = [](const Question& question) -> json::object {
    return {{"size", question.Bytes("b").size()}};
  };
  const struct {
    const char* line;
    const char* answer;
  } kCases[] = {{R"({"b":"\u00e4"})", R"({"size":2})"},
                {R"({"b_base64":"5AA="})", R"({"size":2})"},
                {R"({"b":"xyz","b_base64":"5A=="})", R"({"size":1})"},
                {R"({"b_base64":""})", R"({"size":0})"},
                {R"({"b_base64":"%"})", R"({"error":"'b_base64' is not base64"})"},
                {R"({"b_base64":1})", R"({"error":"'b_base64' is not a text"})"},
                {R"({})", R"({"error":"'b' or 'b_base64' is missing"})"}};
  for (const auto& c : kCases) EXPECT_EQ(AnswerLine(c.line, size), c.answer) << c.line;
}

}  // namespace
}  // namespace trawl

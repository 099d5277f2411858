// Questions as JSON lines, and their answers: what `trawl-probe COMMAND` does with standard input.
//
// Every line gets one line of valid UTF-8 JSON, in order, written out before the next is read. A
// line that is not understood is answered with {"error": "..."}: only the end of the input ends the
// loop.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trawl {

/// A longer line is answered with an error, and skipped without being kept.
inline constexpr std::size_t kMaxQuestionBytes = std::size_t{64} * 1024 * 1024;

/// What is wrong with a question, for the one who asked.
class BadQuestion : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One line's object. Its texts are valid UTF-8. Keys that nobody asks for do not matter, and null
/// is as good as no such key.
class Question {
 public:
  /// Bytes that are not UTF-8 and escapes that stand for half a surrogate pair count as U+FFFD.
  /// Throws BadQuestion when the line is not a JSON object.
  static Question Parse(std::string_view line);

  // Each throws BadQuestion when the key has something else than a text.

  /// A text that has to be there.
  std::string_view Text(std::string_view key) const;
  std::optional<std::string_view> TextIfAny(std::string_view key) const;
  /// The bytes of KEY, or of KEY_base64 in base64; one of them has to be there.
  std::string Bytes(const std::string& key) const;
  /// The bytes of a text in base64, if there is one.
  std::optional<std::string> Base64IfAny(const std::string& key) const;

 private:
  explicit Question(boost::json::object object) : object_(std::move(object)) {}

  boost::json::object object_;
};

/// May throw std::exception: its text is then the answer's `error`.
using Answer = std::function<boost::json::object(const Question& question)>;

/// The answer to one line, without a line end.
std::string AnswerLine(std::string_view line, const Answer& answer);

/// Answers all lines that can be read from the file descriptor `input`; the last one needs no line
/// end. False when `output` takes no more, or the input broke.
bool AnswerLines(int input, std::ostream& output, const Answer& answer,
                 std::size_t max_line_bytes = kMaxQuestionBytes);

}  // namespace trawl

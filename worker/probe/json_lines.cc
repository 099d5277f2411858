#include "worker/probe/json_lines.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdint>
#include <ostream>

#include "common/base64.h"
#include "common/utf8.h"

namespace trawl {
namespace {

namespace json = boost::json;

/// Reads lines that may be longer than anyone wants to keep.
class LineReader {
 public:
  LineReader(int file, std::size_t max_bytes) : file_(file), max_bytes_(max_bytes) {}

  /// The next line, without its end; false at the end of the input. Only its first bytes when it is
  /// too long.
  bool Next(std::string& line) {
    line.clear();
    too_long_ = false;
    bool begun = false;
    while (!rest_.empty() || Fill()) {
      begun = true;
      const std::size_t end = rest_.find('\n');
      Keep(line, rest_.substr(0, end));
      if (end != rest_.npos) {
        rest_.remove_prefix(end + 1);
        return true;
      }
      rest_ = {};
    }
    return begun;
  }

  bool too_long() const { return too_long_; }
  bool broken() const { return broken_; }

 private:
  void Keep(std::string& line, std::string_view piece) {
    too_long_ |= piece.size() > max_bytes_ - line.size();
    line += piece.substr(0, max_bytes_ - line.size());
  }

  bool Fill() {
    ssize_t count = 0;
    do {
      count = ::read(file_, buffer_.data(), buffer_.size());
    } while (count < 0 && errno == EINTR);
    broken_ = count < 0;
    if (count <= 0) return false;
    rest_ = {buffer_.data(), static_cast<std::size_t>(count)};
    return true;
  }

  const int file_;
  const std::size_t max_bytes_;
  std::array<char, 64 * 1024> buffer_;
  std::string_view rest_;  // of the buffer
  bool too_long_ = false;
  bool broken_ = false;
};

/// The code unit of an escape "\uXXXX" at the front of a text.
std::optional<std::uint32_t> EscapedUnit(std::string_view text) {
  constexpr std::size_t kEscape = 6;
  if (text.size() < kEscape || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  for (char c : text.substr(2, 4)) {
    unit <<= 4;
    if (c >= '0' && c <= '9') {
      unit |= static_cast<std::uint32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      unit |= static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return unit;
}

bool IsHighSurrogate(std::optional<std::uint32_t> unit) {
  return unit && *unit >= 0xD800 && *unit < 0xDC00;
}
bool IsLowSurrogate(std::optional<std::uint32_t> unit) {
  return unit && *unit >= 0xDC00 && *unit < 0xE000;
}

/// JSON's grammar allows escapes of lone surrogates (RFC 8259, section 8.2); the parser does not.
void MendSurrogates(std::string& text) {
  std::size_t at = text.find('\\');
  while (at != text.npos) {
    const std::string_view rest = std::string_view(text).substr(at);
    const std::optional<std::uint32_t> unit = EscapedUnit(rest);
    std::size_t length = unit ? 6 : 2;
    if (IsHighSurrogate(unit) && IsLowSurrogate(EscapedUnit(rest.substr(length)))) {
      length *= 2;
    } else if (IsHighSurrogate(unit) || IsLowSurrogate(unit)) {
      text.replace(at, length, "\\uFFFD");
    }
    at = text.find('\\', at + length);
  }
}

std::string ErrorLine(std::string_view text) {
  return json::serialize(json::object{{"error", ValidUtf8(text)}});
}

}  // namespace

Question Question::Parse(std::string_view line) {
  std::string text = ValidUtf8(line);
  MendSurrogates(text);
  if (text.find_first_not_of(" \t\r") == text.npos) throw BadQuestion("empty line");
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error) throw BadQuestion("not JSON: " + error.message());
  if (!value.is_object()) throw BadQuestion("not a JSON object");
  return Question(std::move(value.as_object()));
}

std::optional<std::string_view> Question::TextIfAny(std::string_view key) const {
  const json::value* const value = object_.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_string()) throw BadQuestion("'" + std::string(key) + "' is not a text");
  return std::string_view(value->get_string());
}

std::string_view Question::Text(std::string_view key) const {
  const auto text = TextIfAny(key);
  if (!text) throw BadQuestion("'" + std::string(key) + "' is missing");
  return *text;
}

std::optional<std::string> Question::Base64IfAny(const std::string& key) const {
  const auto text = TextIfAny(key);
  if (!text) return std::nullopt;
  std::optional<std::string> bytes = DecodeBase64(*text);
  if (!bytes) throw BadQuestion("'" + key + "' is not base64");
  return bytes;
}

std::string Question::Bytes(const std::string& key) const {
  const std::string coded_key = key + "_base64";
  if (auto bytes = Base64IfAny(coded_key)) return *std::move(bytes);
  const auto text = TextIfAny(key);
  if (!text) throw BadQuestion("'" + key + "' or '" + coded_key + "' is missing");
  return std::string(*text);
}

std::string AnswerLine(std::string_view line, const Answer& answer) {
  try {
    return ValidUtf8(json::serialize(answer(Question::Parse(line))));
  } catch (const std::exception& error) {
    return ErrorLine(error.what());
  }
}

bool AnswerLines(int input, std::ostream& output, const Answer& answer,
                 std::size_t max_line_bytes) {
  LineReader reader(input, max_line_bytes);
  std::string line;
  while (output && reader.Next(line)) {
    if (reader.too_long()) {
      line = std::string();  // so that its memory is given back
      output << ErrorLine("the line is longer than " + std::to_string(max_line_bytes) + " bytes");
    } else {
      output << AnswerLine(line, answer);
    }
    output << '\n' << std::flush;
  }
  return output && !reader.broken();
}

}  // namespace trawl

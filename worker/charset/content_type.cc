#include <algorithm>

#include "common/text.h"
#include "worker/charset.h"

namespace trawl {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool IsInQuotedString(unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7F); }

/// Reads one header value of a list, parameter after parameter.
class ParameterReader {
 public:
  explicit ParameterReader(std::string_view text) : text_(text) { SkipTo(";,"); }

  /// The value of the first valid parameter `name` of this list element; leaves the reader at the
  /// element's end.
  std::optional<std::string> Find(std::string_view name) {
    std::optional<std::string> found;
    while (at_ < text_.size() && text_[at_] == ';') {
      ++at_;
      at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size());
      const std::string parameter = LowerCase(SkipTo(";=,"));
      if (at_ == text_.size() || text_[at_] != '=') continue;
      ++at_;
      const std::optional<std::string> value = Value();
      if (!found && value && parameter == name) found = value;
    }
    return found;
  }

  /// On to the next element; false at the end.
  bool Next() {
    if (at_ == text_.size()) return false;
    ++at_;
    SkipTo(";,");
    return true;
  }

 private:
  std::string_view SkipTo(std::string_view ends) {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(ends, at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

  /// Nothing when it is not valid.
  std::optional<std::string> Value() {
    std::string value;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        value += text_[at_];
      }
      SkipTo(";,");
    } else {
      value = SkipTo(";,");
      value.erase(value.find_last_not_of(kBlanks) + 1);
      if (value.empty()) return std::nullopt;
    }
    if (!std::all_of(value.begin(), value.end(), IsInQuotedString)) return std::nullopt;
    return value;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Encoding FallbackEncodingOf(std::string_view content_type) {
  const std::size_t begin = std::min(content_type.find_first_not_of(kBlanks), content_type.size());
  content_type.remove_prefix(begin);
  const std::string_view type = content_type.substr(0, content_type.find_first_of(" \t\r\n;,"));
  return LowerCase(type) == "application/xhtml+xml" ? Encoding::Utf8() : Encoding::Windows1252();
}

std::string CharsetLabelOf(std::string_view content_type) {
  std::string label;
  ParameterReader reader(content_type);
  do {
    if (std::optional<std::string> charset = reader.Find("charset")) label = std::move(*charset);
  } while (reader.Next());
  return label;
}

}  // namespace trawl

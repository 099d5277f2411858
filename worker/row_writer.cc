#include "worker/row_writer.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace trawl {
namespace {

bool NeedsEscape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

/// RFC 8259, section 7.
void AppendEscape(char c, std::string& text) {
  static constexpr char kHex[] = "0123456789abcdef";
  text += '\\';
  switch (c) {
    case '"':
    case '\\':
      text += c;
      break;
    case '\b':
      text += 'b';
      break;
    case '\f':
      text += 'f';
      break;
    case '\n':
      text += 'n';
      break;
    case '\r':
      text += 'r';
      break;
    case '\t':
      text += 't';
      break;
    default:
      text += "u00";
      text += kHex[static_cast<unsigned char>(c) >> 4];
      text += kHex[static_cast<unsigned char>(c) & 15];
  }
}

}  // namespace

RowWriter& RowWriter::Text(std::string_view name, std::string_view value) {
  Name(name);
  text_ += '"';
  while (true) {
    const auto plain_end = std::find_if(value.begin(), value.end(), NeedsEscape);
    text_.append(value.begin(), plain_end);
    if (plain_end == value.end()) break;
    AppendEscape(*plain_end, text_);
    value.remove_prefix(static_cast<std::size_t>(plain_end - value.begin()) + 1);
  }
  text_ += '"';
  return *this;
}

RowWriter& RowWriter::Number(std::string_view name, std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  return Json(name, std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

RowWriter& RowWriter::Json(std::string_view name, std::string_view value) {
  Name(name);
  text_ += value;
  return *this;
}

void RowWriter::Name(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  text_ += '"';
  text_ += name;
  text_ += "\":";
}

std::string RowWriter::Finish() {
  text_ += '}';
  return std::move(text_);
}

}  // namespace trawl

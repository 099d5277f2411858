#include "worker/row_writer.h"

#include <array>
#include <charconv>
#include <iterator>
#include <utility>

namespace trawl {
namespace {

constexpr auto kNeedsEscape = [] {
  std::array<bool, 256> needs{};
  for (int c = 0; c < 0x20; ++c) needs[c] = true;
  needs['"'] = needs['\\'] = true;
  return needs;
}();

bool NeedsEscape(char c) { return kNeedsEscape[static_cast<unsigned char>(c)]; }

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
    std::size_t plain = 0;
    while (plain < value.size() && !NeedsEscape(value[plain])) ++plain;
    text_.append(value, 0, plain);
    if (plain == value.size()) break;
    AppendEscape(value[plain], text_);
    value.remove_prefix(plain + 1);
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

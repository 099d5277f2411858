#include "common/utf8.h"

#include <cstdint>
#include <cstring>

namespace trawl {

Utf8Sequence ReadUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return {1, false, false};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // Bounds of the second byte keep out overlong forms, surrogates and what is above U+10FFFF.
  unsigned lower = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned upper = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < size; ++i) {
    if (i == text.size()) return {i, false, true};
    if (byte(i) < lower || byte(i) > upper) return {i, false, false};
    lower = 0x80;
    upper = 0xBF;
  }
  return {size, true, false};
}

char32_t TakeCodePoint(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  char32_t code_point = byte(0);
  if (code_point < 0x80) {
    text.remove_prefix(1);
    return code_point;
  }
  const Utf8Sequence sequence = ReadUtf8(text);
  if (sequence.valid) {
    code_point &= 0x7Fu >> sequence.bytes;
    for (std::size_t i = 1; i < sequence.bytes; ++i)
      code_point = code_point << 6 | (byte(i) & 0x3F);
  } else {
    code_point = 0xFFFD;
  }
  text.remove_prefix(sequence.bytes);
  return code_point;
}

void AppendCodePoint(char32_t code_point, std::string& out) {
  const auto tail = [&](int shift) {
    return static_cast<char>(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    const char bytes[] = {static_cast<char>(0xC0 | code_point >> 6), tail(0)};
    out.append(bytes, sizeof bytes);
  } else if (code_point < 0x10000) {
    const char bytes[] = {static_cast<char>(0xE0 | code_point >> 12), tail(6), tail(0)};
    out.append(bytes, sizeof bytes);
  } else {
    const char bytes[] = {static_cast<char>(0xF0 | code_point >> 18), tail(12), tail(6), tail(0)};
    out.append(bytes, sizeof bytes);
  }
}

const char* EndOfAscii(const char* begin, const char* end) {
  std::uint64_t word;
  while (static_cast<std::size_t>(end - begin) >= sizeof word) {
    std::memcpy(&word, begin, sizeof word);
    if (word & 0x8080808080808080) break;
    begin += sizeof word;
  }
  while (begin != end && static_cast<unsigned char>(*begin) < 0x80) ++begin;
  return begin;
}

std::size_t AppendUtf8(std::string_view bytes, std::string& out) {
  const char* const end = bytes.data() + bytes.size();
  const char* run = bytes.data();  // what is valid since is not yet in `out`
  const char* next = run;
  while ((next = EndOfAscii(next, end)) != end) {
    const Utf8Sequence sequence = ReadUtf8({next, static_cast<std::size_t>(end - next)});
    if (!sequence.valid) {
      out.append(run, next);
      if (sequence.cut) return static_cast<std::size_t>(next - bytes.data());
      out += kReplacementCharacter;
      run = next + sequence.bytes;
    }
    next += sequence.bytes;
  }
  out.append(run, end);
  return bytes.size();
}

std::string ValidUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  if (AppendUtf8(bytes, text) < bytes.size()) text += kReplacementCharacter;
  return text;
}

std::string_view CutUtf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace trawl

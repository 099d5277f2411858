#include "common/utf8.h"

#include <cstdint>
#include <cstring>

namespace trawl {

namespace {

inline Utf8Sequence Read(const char* text, const char* end) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const auto available = static_cast<std::size_t>(end - text);
  const unsigned lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return {1, false, false};
  if (available < 2) return {1, false, true};
  // Bounds of the second byte keep out overlong forms, surrogates and what is above U+10FFFF.
  const unsigned lower = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned upper = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lower || byte(1) > upper) return {1, false, false};
  if (lead < 0xE0) return {2, true, false};
  if (available < 3) return {2, false, true};
  if (!continues(2)) return {2, false, false};
  if (lead < 0xF0) return {3, true, false};
  if (available < 4) return {3, false, true};
  return continues(3) ? Utf8Sequence{4, true, false} : Utf8Sequence{3, false, false};
}

}  // namespace

Utf8Sequence ReadUtf8(std::string_view text) {
  return Read(text.data(), text.data() + text.size());
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
    do {
      const Utf8Sequence sequence = Read(next, end);
      if (!sequence.valid) {
        out.append(run, next);
        if (sequence.cut) return static_cast<std::size_t>(next - bytes.data());
        out += kReplacementCharacter;
        run = next + sequence.bytes;
      }
      next += sequence.bytes;
    } while (next != end && static_cast<unsigned char>(*next) >= 0x80);
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

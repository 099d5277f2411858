// Names of tags and attributes as numbers that are compared and switched on: a name of up to eight
// ASCII letters is its own bytes in lower case, a longer one a hash of them. Two long names with
// the same number would be taken for one element; a page that brings that about harms only itself.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace trawl::html {

/// HTML Standard: tab, line feed, form feed, space; and carriage return, which its input stream
/// turns into a line feed.
constexpr bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

constexpr bool IsLetter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

constexpr char LowerLetter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// Of each byte what it counts for in a tag's name: letters in lower case, 0xFF for NUL, which
/// stands for U+FFFD there, and 0 for what ends the name: blanks, "/" and ">".
inline constexpr auto kTagNameBytes = [] {
  std::array<unsigned char, 256> bytes{};
  for (int i = 1; i < 256; ++i)
    bytes[i] = static_cast<unsigned char>(LowerLetter(static_cast<char>(i)));
  bytes[0] = 0xFF;
  for (const unsigned char c : {' ', '\t', '\n', '\r', '\f', '/', '>'}) bytes[c] = 0;
  return bytes;
}();

constexpr unsigned char TagNameByte(char c) { return kTagNameBytes[static_cast<unsigned char>(c)]; }

/// Takes a name byte by byte, whatever its case.
class NameKey {
 public:
  constexpr NameKey() = default;
  explicit constexpr NameKey(std::string_view name) {
    for (const char c : name) Add(c);
  }

  constexpr void Add(char c) { AddByte(TagNameByte(c)); }

  /// What TagNameByte() makes of a byte.
  constexpr void AddByte(unsigned char byte) {
    if (length_ < kExactBytes) {
      value_ = value_ << 8 | byte;
    } else {
      value_ = ((value_ ^ byte) * 0x9E37'79B9'7F4A'7C15) | kHashed;
    }
    ++length_;
  }

  constexpr std::uint64_t value() const { return value_; }
  constexpr bool empty() const { return length_ == 0; }

 private:
  static constexpr std::uint32_t kExactBytes = 8;
  static constexpr std::uint64_t kHashed = std::uint64_t{1} << 63;  // no ASCII byte has this bit

  std::uint64_t value_ = 0;
  std::uint32_t length_ = 0;
};

constexpr std::uint64_t KeyOf(std::string_view name) { return NameKey(name).value(); }

}  // namespace trawl::html

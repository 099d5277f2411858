// Text from the web is bytes that claim to be text. What is no UTF-8 counts as the Encoding
// Standard's UTF-8 decoder has it (section 8.1.1): one U+FFFD for each longest piece that could
// have begun a character, or else for each byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trawl {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

struct Utf8Sequence {
  std::size_t bytes;  // of the character, or of what one U+FFFD replaces
  bool valid;
  bool cut;  // not valid, but further bytes could make it so
};

/// Reads the non-ASCII character that `text`, which is not empty, begins with.
Utf8Sequence ReadUtf8(std::string_view text);

/// Takes the character that `text`, which is not empty, begins with off its front.
char32_t TakeCodePoint(std::string_view& text);

/// `code_point` is at most U+10FFFF and no surrogate.
void AppendCodePoint(char32_t code_point, std::string& out);

/// Where the run of ASCII that [begin, end) starts with ends.
const char* EndOfAscii(const char* begin, const char* end);

/// Appends `bytes` as valid UTF-8, and returns how many it has used: all but the beginning of a
/// character at the end (at most 3 bytes).
std::size_t AppendUtf8(std::string_view bytes, std::string& out);

/// The text with every ill-formed UTF-8 sequence replaced by U+FFFD.
std::string ValidUtf8(std::string_view bytes);

/// At most `limit` bytes of a valid UTF-8 text, cut between characters.
std::string_view CutUtf8(std::string_view text, std::size_t limit);

}  // namespace trawl

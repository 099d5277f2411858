// Small work on text: ASCII letters, blanks, parts between separators.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

namespace trawl {

/// With its ASCII letters in lower case.
std::string LowerCase(std::string_view text);

/// Equal but for the case of ASCII letters.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

/// What a stranger says of itself, fit for a line of a log: with `?` for all but visible ASCII and
/// spaces.
std::string Printable(std::string_view text);

/// The text without the blanks around it.
std::string_view Trimmed(std::string_view text, std::string_view blanks);

/// Takes the text up to the next separator, and the separator, off the front.
std::string_view TakePart(std::string_view& text, char separator);

/// Takes the text up to the next space, and the space, off the front.
std::string_view TakeWord(std::string_view& text);

/// Takes a word that is a whole number off the front; false when it is none or out of range.
template <class Number>
bool TakeNumber(std::string_view& text, Number& number) {
  const std::string_view word = TakeWord(text);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace trawl

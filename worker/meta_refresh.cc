#include "worker/meta_refresh.h"

#include <algorithm>

#include "worker/html/name.h"

namespace trawl {
namespace {

using html::IsSpace;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void SkipSpaces(std::string_view& text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
}

/// Takes a letter off the front, whatever its case.
bool TakeLetter(std::string_view& text, char lower) {
  if (text.empty() || (text.front() | 0x20) != lower) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes "url" and "=" with blanks around; leaves the text alone when they are not there.
void TakeUrlLabel(std::string_view& text) {
  std::string_view rest = text;
  if (!TakeLetter(rest, 'u') || !TakeLetter(rest, 'r') || !TakeLetter(rest, 'l')) return;
  SkipSpaces(rest);
  if (rest.empty() || rest.front() != '=') return;
  rest.remove_prefix(1);
  SkipSpaces(rest);
  text = rest;
}

}  // namespace

std::optional<Refresh> ParseRefresh(std::string_view content) {
  SkipSpaces(content);
  const auto time_end = std::find_if_not(content.begin(), content.end(), IsDigit);
  const std::size_t digits = static_cast<std::size_t>(time_end - content.begin());
  if (digits == 0 && (content.empty() || content.front() != '.')) return std::nullopt;
  content.remove_prefix(digits);
  while (!content.empty() && (IsDigit(content.front()) || content.front() == '.')) {
    content.remove_prefix(1);
  }
  constexpr Refresh kReload{true, {}};
  if (content.empty()) return kReload;
  if (content.front() != ';' && content.front() != ',' && !IsSpace(content.front())) {
    return std::nullopt;
  }
  SkipSpaces(content);
  if (!content.empty() && (content.front() == ';' || content.front() == ',')) {
    content.remove_prefix(1);
  }
  SkipSpaces(content);
  if (content.empty()) return kReload;
  TakeUrlLabel(content);
  if (!content.empty() && (content.front() == '"' || content.front() == '\'')) {
    const char quote = content.front();
    content.remove_prefix(1);
    content = content.substr(0, content.find(quote));
  }
  return Refresh{false, content};
}

}  // namespace trawl

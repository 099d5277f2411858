#include "common/frontier_entry.h"

#include <charconv>

namespace trawl {
namespace {

/// Takes the text up to the next space off the front.
std::string_view TakeWord(std::string_view& text) {
  const std::size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return word;
}

bool TakeCount(std::string_view& text, int& count) {
  const std::string_view word = TakeWord(text);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
  return error == std::errc() && end == word.data() + word.size() && count >= 0;
}

}  // namespace

std::string FrontierEntry::Text() const {
  const bool counted = attempt != 0 || hops != 0 || losses != 0;
  std::string text = url;
  if (counted || !referrer.empty()) {
    text += ' ';
    text += referrer.empty() ? "-" : referrer;
  }
  if (counted) {
    for (int count : {attempt, hops, losses}) {
      text += ' ';
      text += std::to_string(count);
    }
  }
  return text;
}

Result<FrontierEntry> FrontierEntry::Parse(std::string_view text) {
  FrontierEntry entry;
  entry.url = TakeWord(text);
  if (entry.url.empty()) return Error::kBadMessage;
  entry.referrer = TakeWord(text);
  if (entry.referrer == "-") entry.referrer.clear();
  if (text.empty()) return entry;
  const bool counted = TakeCount(text, entry.attempt) && TakeCount(text, entry.hops) &&
                       TakeCount(text, entry.losses) && text.empty();
  if (!counted) return Error::kBadMessage;
  return entry;
}

}  // namespace trawl

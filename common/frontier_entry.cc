#include "common/frontier_entry.h"

#include "common/text.h"

namespace trawl {
namespace {

bool TakeCount(std::string_view& text, int& count) { return TakeNumber(text, count) && count >= 0; }

}  // namespace

std::string FrontierEntry::Text() const {
  const bool counted = attempt != 0 || hops != 0 || losses != 0 || sitemap != 0;
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
  if (sitemap != 0) text += ' ' + std::to_string(sitemap);
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
                       TakeCount(text, entry.losses);
  if (!counted) return Error::kBadMessage;
  if (text.empty()) return entry;
  if (!TakeCount(text, entry.sitemap) || !text.empty()) return Error::kBadMessage;
  return entry;
}

}  // namespace trawl

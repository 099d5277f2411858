// The text of a frontier entry, as it stands in Redis: refused, or an entry whose own text means
// it.
#include <string>
#include <string_view>

#include "common/frontier_entry.h"
#include "tests/fuzz/fuzz.h"

namespace trawl {

void FuzzOne(std::string_view input) {
  const auto entry = FrontierEntry::Parse(input);
  if (!entry.has_value()) {
    Check(entry.error() == Error::kBadMessage, "what is no entry is a bad message", {input});
    return;
  }
  Check(!entry->url.empty() && entry->attempt >= 0 && entry->hops >= 0 && entry->losses >= 0 &&
            entry->sitemap >= 0,
        "an entry has a URL and counts", {input});
  const std::string text = entry->Text();
  const auto parsed = FrontierEntry::Parse(text);
  Check(parsed.has_value() && *parsed == *entry, "the text of an entry means it", {input, text});
  Check(text.size() <= input.size() + 1, "and is not longer", {input, text});
}

}  // namespace trawl

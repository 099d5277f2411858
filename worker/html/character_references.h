// Character references ("&amp;", "&#x20AC;"), HTML Standard 13.2.5.72 to 13.2.5.80.
#pragma once

#include <string>
#include <string_view>

namespace trawl::html {

enum class ReferencePlace { kText, kAttribute };

/// Appends a text or a whole attribute value with its references replaced, and NUL by U+FFFD. Bytes
/// that are not ASCII pass as they are. In an attribute a name without its semicolon stands for
/// itself before "=", a letter or a digit ("?a=1&copy=2").
void AppendDecoded(std::string_view raw, ReferencePlace place, std::string& out);

/// What a reference stands for, and its length from the "&" on.
struct Reference {
  std::size_t bytes = 0;  // 0: no reference, the "&" stands for itself
  std::string text;       // UTF-8
};

/// The reference that `raw` begins with; its first byte is "&".
Reference ReadReference(std::string_view raw, ReferencePlace place);

}  // namespace trawl::html

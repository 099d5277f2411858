// The table of named character references.
#pragma once

#include <array>
#include <string_view>

namespace trawl::html {

struct NamedReference {
  std::string_view name;  // what follows the "&", with its ";" where that belongs to it
  std::string_view text;  // UTF-8
};

/// Sorted by name, in byte order.
extern const std::array<NamedReference, 2231> kNamedReferences;

}  // namespace trawl::html

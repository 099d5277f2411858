// The Encoding Standard's indexes (section 5): which character each pointer, a number made from a
// character's bytes, stands for. The characters come from ICU's converters; where ICU differs from
// the standard, index_corrections.cc has the standard's. Each index is made when it is first asked
// for (a few ms) and stays. For one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "worker/charset/encoding_table.h"

namespace trawl {

class CharacterIndex {
 public:
  struct Entry {
    char32_t code_point;
    std::uint32_t pointer;
    auto operator<=>(const Entry&) const = default;
  };

  /// `code_points[pointer]`, 0 where the index has none.
  explicit CharacterIndex(std::vector<char32_t> code_points)
      : code_points_(std::move(code_points)) {}

  /// 0 when there is none; `pointer` may be anything.
  char32_t CodePoint(std::size_t pointer) const {
    return pointer < code_points_.size() ? code_points_[pointer] : 0;
  }
  /// All pointers of a character, in order.
  std::span<const Entry> Pointers(char32_t code_point) const;

 private:
  std::vector<char32_t> code_points_;
  mutable std::vector<Entry> by_code_point_;  // sorted; made when it is first asked for
};

/// Of a kSingleByte: pointer = byte - 0x80.
const CharacterIndex& SingleByteIndex(const EncodingInfo& encoding);

const CharacterIndex& Gb18030Index();
/// The characters of four bytes below U+10000 ("index gb18030 ranges" written out).
const CharacterIndex& Gb18030FourByteIndex();
const CharacterIndex& Big5Index();
const CharacterIndex& EucKrIndex();
const CharacterIndex& Jis0208Index();
const CharacterIndex& Jis0212Index();

}  // namespace trawl

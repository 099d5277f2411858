// Where ICU's converters (72.1) give other characters than the Encoding Standard's indexes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace trawl {

/// `count` pointers from `pointer` on stand for the characters from `code_point` on; for none when
/// it is 0.
struct IndexCorrection {
  std::uint16_t pointer;
  char32_t code_point;
  std::uint8_t count = 1;
};

/// Of the index of a single-byte encoding, by the standard's name; most need none.
std::span<const IndexCorrection> SingleByteCorrections(std::string_view encoding);

/// GB 18030-2022, which ICU has not yet, and 0xA3 0xA0 as U+3000.
std::span<const IndexCorrection> Gb18030Corrections();

/// Characters of HKSCS that ICU has elsewhere, in the Private Use Area or not at all.
std::span<const IndexCorrection> Big5Corrections();

}  // namespace trawl

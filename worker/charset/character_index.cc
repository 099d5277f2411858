#include "worker/charset/character_index.h"

#include <unicode/ucnv.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "worker/charset/index_corrections.h"

namespace trawl {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};

/// Asks one of ICU's converters for one character after the other.
class Converter {
 public:
  explicit Converter(const char* name) {
    UErrorCode error = U_ZERO_ERROR;
    converter_.reset(ucnv_open(name, &error));
    ucnv_setToUCallBack(converter_.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr,
                        &error);
    if (U_FAILURE(error)) {
      throw std::runtime_error("ICU's data has no converter for " + std::string(name));
    }
  }

  /// 0 when `bytes` are no character, or several.
  char32_t CodePoint(std::string_view bytes) {
    ucnv_reset(converter_.get());
    UErrorCode error = U_ZERO_ERROR;
    UChar units[4];
    const std::int32_t size =
        ucnv_toUChars(converter_.get(), units, static_cast<std::int32_t>(std::size(units)),
                      bytes.data(), static_cast<std::int32_t>(bytes.size()), &error);
    if (U_FAILURE(error) || size == 0) return 0;
    UChar32 code_point;
    std::int32_t used = 0;
    U16_NEXT(units, used, size, code_point);
    return used == size ? static_cast<char32_t>(code_point) : 0;
  }

 private:
  std::unique_ptr<UConverter, CloseConverter> converter_;
};

/// ICU has user-defined areas in the Private Use Area where the standard has nothing.
bool IsPrivateUse(char32_t code_point) { return code_point >= 0xE000 && code_point <= 0xF8FF; }

/// `bytes_of(pointer)` is what the converter is asked for each of `size` pointers.
template <class BytesOf>
std::vector<char32_t> Ask(const char* converter_name, std::size_t size, bool private_use,
                          BytesOf bytes_of) {
  Converter converter(converter_name);
  std::vector<char32_t> code_points(size);
  for (std::size_t pointer = 0; pointer < size; ++pointer) {
    const char32_t code_point = converter.CodePoint(bytes_of(pointer));
    if (private_use || !IsPrivateUse(code_point)) code_points[pointer] = code_point;
  }
  return code_points;
}

CharacterIndex Corrected(std::vector<char32_t> code_points,
                         std::span<const IndexCorrection> corrections) {
  for (const IndexCorrection& correction : corrections) {
    for (std::uint8_t i = 0; i < correction.count; ++i) {
      code_points.at(correction.pointer + i) =
          correction.code_point == 0 ? 0 : correction.code_point + i;
    }
  }
  return CharacterIndex(std::move(code_points));
}

std::string Bytes(std::initializer_list<std::size_t> bytes) {
  std::string text;
  for (const std::size_t byte : bytes) text += static_cast<char>(byte);
  return text;
}

}  // namespace

std::span<const CharacterIndex::Entry> CharacterIndex::Pointers(char32_t code_point) const {
  if (by_code_point_.empty()) {
    for (std::uint32_t pointer = 0; pointer < code_points_.size(); ++pointer) {
      if (code_points_[pointer] != 0) by_code_point_.push_back({code_points_[pointer], pointer});
    }
    std::sort(by_code_point_.begin(), by_code_point_.end());
  }
  const auto begin =
      std::lower_bound(by_code_point_.begin(), by_code_point_.end(), Entry{code_point, 0});
  const auto end = std::lower_bound(begin, by_code_point_.end(), Entry{code_point + 1, 0});
  return {begin, end};
}

const CharacterIndex& SingleByteIndex(const EncodingInfo& encoding) {
  static std::map<const EncodingInfo*, CharacterIndex> indexes;
  const auto known = indexes.find(&encoding);
  if (known != indexes.end()) return known->second;
  CharacterIndex index = Corrected(Ask(encoding.converter, 128, true,
                                       [](std::size_t pointer) { return Bytes({0x80 + pointer}); }),
                                   SingleByteCorrections(encoding.name));
  return indexes.emplace(&encoding, std::move(index)).first->second;
}

const CharacterIndex& Gb18030Index() {
  static const CharacterIndex index =
      Corrected(Ask("gb18030", 126 * 190, true,
                    [](std::size_t pointer) {
                      const std::size_t trail = pointer % 190;
                      return Bytes({0x81 + pointer / 190, trail + (trail < 0x3F ? 0x40 : 0x41)});
                    }),
                Gb18030Corrections());
  return index;
}

const CharacterIndex& Gb18030FourByteIndex() {
  static const CharacterIndex index(Ask("gb18030", 39420, true, [](std::size_t pointer) {
    return Bytes({0x81 + pointer / 12600, 0x30 + pointer / 1260 % 10, 0x81 + pointer / 10 % 126,
                  0x30 + pointer % 10});
  }));
  return index;
}

const CharacterIndex& Big5Index() {
  static const CharacterIndex index =
      Corrected(Ask("big5-hkscs", 126 * 157, false,
                    [](std::size_t pointer) {
                      const std::size_t trail = pointer % 157;
                      return Bytes({0x81 + pointer / 157, trail + (trail < 0x3F ? 0x40 : 0x62)});
                    }),
                Big5Corrections());
  return index;
}

const CharacterIndex& EucKrIndex() {
  static const CharacterIndex index(
      Ask("windows-949-2000", 126 * 190, false, [](std::size_t pointer) {
        return Bytes({0x81 + pointer / 190, 0x41 + pointer % 190});
      }));
  return index;
}

const CharacterIndex& Jis0208Index() {
  // Asked for as Shift_JIS, which reaches all 120 rows.
  static const CharacterIndex index(
      Ask("ibm-943_P15A-2003", 60 * 188, false, [](std::size_t pointer) {
        const std::size_t lead = pointer / 188;
        const std::size_t trail = pointer % 188;
        return Bytes({lead + (lead < 0x1F ? 0x81 : 0xC1), trail + (trail < 0x3F ? 0x40 : 0x41)});
      }));
  return index;
}

const CharacterIndex& Jis0212Index() {
  // The rows from 0xF3 on are IBM's own.
  static const CharacterIndex index(
      Ask("euc-jp-2007", (0xF3 - 0xA1) * 94, false, [](std::size_t pointer) {
        return Bytes({0x8F, 0xA1 + pointer / 94, 0xA1 + pointer % 94});
      }));
  return index;
}

}  // namespace trawl

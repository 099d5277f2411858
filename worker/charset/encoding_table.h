// The Encoding Standard's encodings and their labels (section 4.2), and how each is decoded.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace trawl {

enum class Decoding : std::uint8_t {
  kUtf8,
  kUtf16Be,
  kUtf16Le,
  kSingleByte,
  kGbk,  // decoded as gb18030
  kGb18030,
  kBig5,
  kEucJp,
  kIso2022Jp,
  kShiftJis,
  kEucKr,
  kReplacement,
  kUserDefined,
};

struct EncodingInfo {
  std::string_view name;  // lower case
  Decoding decoding;
  const char* converter;    // ICU's, of a kSingleByte
  std::string_view labels;  // lower case, with spaces between
};

std::span<const EncodingInfo> EncodingTable();

/// Without ASCII blanks around `label` and whatever its case; null when there is none.
const EncodingInfo* FindEncoding(std::string_view label);

}  // namespace trawl

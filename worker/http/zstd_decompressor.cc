#include "worker/http/zstd_decompressor.h"

#include <algorithm>
#include <new>

namespace trawl {
namespace {

constexpr int kMaxWindowLog = 23;

/// Whether a frame's first bytes are those of RFC 8878, sections 3.1.1 and 3.1.2, as far as they
/// are there. The library also reads the formats of before, whose windows know no limit.
bool IsFrame(std::string_view begin) {
  constexpr std::string_view kFrame = "\x28\xb5\x2f\xfd";
  constexpr std::string_view kSkippableEnd = "\x2a\x4d\x18";  // after 0x50 to 0x5F
  if (kFrame.starts_with(begin)) return true;
  return (static_cast<unsigned char>(begin[0]) & 0xf0) == 0x50 &&
         kSkippableEnd.starts_with(begin.substr(1));
}

}  // namespace

ZstdDecompressor::ZstdDecompressor() : stream_(ZSTD_createDStream()) {
  if (!stream_) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
}

Decompressor::Piece ZstdDecompressor::Next(std::string_view& encoded) {
  // At the end of a frame without more bytes the library would ask for another one.
  if (whole_ && encoded.empty()) return {{}, Status::kEnded};
  const std::size_t missing = std::min(kMagicBytes - magic_.size(), encoded.size());
  std::string_view taken = encoded;
  if (missing > 0) {
    magic_ += encoded.substr(0, missing);
    encoded.remove_prefix(missing);
    if (!IsFrame(magic_)) return {{}, Status::kBroken};
    taken = std::string_view(magic_).substr(magic_.size() - missing);
  }
  ZSTD_inBuffer in = {taken.data(), taken.size(), 0};
  ZSTD_outBuffer out = {output(), kPieceBytes, 0};
  const std::size_t result = ZSTD_decompressStream(stream_.get(), &out, &in);
  const std::string_view decoded = Given(out.pos);
  if (ZSTD_isError(result)) return {decoded, Status::kBroken};
  if (missing == 0) encoded.remove_prefix(in.pos);
  whole_ = result == 0;
  if (whole_) magic_.clear();
  return {decoded, whole_ ? Status::kEnded : Status::kGoing};
}

}  // namespace trawl

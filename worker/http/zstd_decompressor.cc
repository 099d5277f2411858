#include "worker/http/zstd_decompressor.h"

#include <new>

namespace trawl {
namespace {

constexpr int kMaxWindowLog = 23;

}  // namespace

void ZstdDecompressor::Start() {
  if (!stream_) {
    stream_.reset(ZSTD_createDStream());
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }
  ZSTD_DCtx_reset(stream_.get(), ZSTD_reset_session_only);
  whole_ = true;
  ForgetOutput();
}

Decompressor::Piece ZstdDecompressor::Next(std::string_view& encoded) {
  // At the end of a frame without more bytes the library would ask for another one.
  if (whole_ && encoded.empty()) return {{}, Status::kEnded};
  ZSTD_inBuffer in = {encoded.data(), encoded.size(), 0};
  ZSTD_outBuffer out = {output(), kPieceBytes, 0};
  const std::size_t result = ZSTD_decompressStream(stream_.get(), &out, &in);
  encoded.remove_prefix(in.pos);
  const std::string_view decoded = Given(out.pos);
  if (ZSTD_isError(result)) return {decoded, Status::kBroken};
  whole_ = result == 0;
  return {decoded, whole_ ? Status::kEnded : Status::kGoing};
}

}  // namespace trawl

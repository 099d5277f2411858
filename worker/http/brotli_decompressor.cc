#include "worker/http/brotli_decompressor.h"

#include <new>

namespace trawl {

Decompressor::Piece BrotliDecompressor::Next(std::string_view& encoded) {
  if (ended_) encoded = {};
  if (ended_ || (fresh_ && encoded.empty())) {
    return {{}, ended_ ? Status::kEnded : Status::kGoing};
  }
  if (!state_) state_.reset(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
  if (!state_) throw std::bad_alloc();
  fresh_ = false;

  auto next_in = reinterpret_cast<const std::uint8_t*>(encoded.data());
  std::size_t available_in = encoded.size();
  auto next_out = reinterpret_cast<std::uint8_t*>(output());
  std::size_t available_out = kPieceBytes;
  const BrotliDecoderResult result = BrotliDecoderDecompressStream(
      state_.get(), &available_in, &next_in, &available_out, &next_out, nullptr);
  encoded.remove_prefix(encoded.size() - available_in);
  const std::string_view decoded = Given(kPieceBytes - available_out);
  if (result == BROTLI_DECODER_RESULT_ERROR) return {decoded, Status::kBroken};
  ended_ = result == BROTLI_DECODER_RESULT_SUCCESS;
  if (ended_) {
    state_.reset();
    encoded = {};
  }
  return {decoded, ended_ ? Status::kEnded : Status::kGoing};
}

}  // namespace trawl

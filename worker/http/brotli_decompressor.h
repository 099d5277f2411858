// The coding "br" (RFC 7932), by libbrotlidec. Its window is at most 16 MiB: the large windows that
// are no part of the RFC are refused.
#pragma once

#include <brotli/decode.h>

#include <memory>

#include "worker/http/decompressor.h"

namespace trawl {

class BrotliDecompressor : public Decompressor {
 public:
  /// Bytes after the end of the stream are taken and dropped.
  Piece Next(std::string_view& encoded) override;
  bool whole() const override { return fresh_ || ended_; }

 private:
  struct Destroy {
    void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
  };

  std::unique_ptr<BrotliDecoderState, Destroy> state_;
  bool fresh_ = true;
  bool ended_ = false;
};

}  // namespace trawl

// The coding "zstd" (RFC 8878), by libzstd: any number of frames. Its window, and so its memory, is
// at most 8 MiB, as RFC 9659 has it for HTTP.
#pragma once

#include <zstd.h>

#include <memory>
#include <string>

#include "worker/http/decompressor.h"

namespace trawl {

class ZstdDecompressor : public Decompressor {
 public:
  ZstdDecompressor();

  Piece Next(std::string_view& encoded) override;
  bool whole() const override { return whole_; }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };

  static constexpr std::size_t kMagicBytes = 4;

  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::string magic_;  // of the frame, as far as it has come
  bool whole_ = true;
};

}  // namespace trawl

// The coding "zstd" (RFC 8878), by libzstd: any number of frames. Its window is at most 8 MiB, as
// RFC 9659 has it for HTTP.
#pragma once

#include <zstd.h>

#include <memory>

#include "worker/http/decompressor.h"

namespace trawl {

class ZstdDecompressor : public Decompressor {
 public:
  /// Makes ready for a new stream; the library's memory is used again.
  void Start();

  Piece Next(std::string_view& encoded) override;
  bool whole() const override { return whole_; }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };

  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool whole_ = true;
};

}  // namespace trawl

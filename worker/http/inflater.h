// The codings "gzip" and "deflate", by zlib.
#pragma once

#include <zlib.h>

#include "worker/http/decompressor.h"

namespace trawl {

class Inflater : public Decompressor {
 public:
  enum class Format { kGzip, kDeflate };

  Inflater() = default;
  ~Inflater() override;

  /// Makes ready for a new stream; zlib's memory is used again.
  void Start(Format format);

  /// Bytes after the end of the stream are taken and dropped, unless the first of them begins
  /// another gzip member.
  Piece Next(std::string_view& encoded) override;

  bool whole() const override { return fresh_ || ended_; }

 private:
  bool Prepare(unsigned char first);

  z_stream stream_ = {};
  bool initialised_ = false;
  Format format_ = Format::kGzip;
  bool fresh_ = true;
  bool ended_ = false;
  bool trailing_ = false;  // a byte came after the end that began no member: none begins any more
};

}  // namespace trawl

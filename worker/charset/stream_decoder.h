// The Encoding Standard's decoders, a class for each kind of encoding.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "worker/charset/encoding_table.h"

namespace trawl {

class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  virtual void Decode(std::string_view bytes, std::string& out) = 0;
  virtual void Finish(std::string& out) = 0;
};

std::unique_ptr<StreamDecoder> MakeStreamDecoder(const EncodingInfo& encoding);

// Makers of the decoders of one file each, for MakeStreamDecoder().
std::unique_ptr<StreamDecoder> MakeUnicodeDecoder(Decoding decoding);
std::unique_ptr<StreamDecoder> MakeMultiByteDecoder(Decoding decoding);
std::unique_ptr<StreamDecoder> MakeIso2022JpDecoder();

}  // namespace trawl

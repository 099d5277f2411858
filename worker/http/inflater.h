// One content coding undone by zlib, a piece at a time.
#pragma once

#include <zlib.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace trawl {

class Inflater {
 public:
  enum class Format { kGzip, kDeflate };
  enum class Status { kGoing, kEnded, kBroken };

  static constexpr std::size_t kPieceBytes = 64 * 1024;

  Inflater() = default;
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Makes ready for a new stream; zlib's memory is used again.
  void Start(Format format);

  struct Piece {
    std::string_view decoded;  // at most kPieceBytes; valid until the next call
    Status status;
  };

  /// Takes from the front of `encoded` and gives the next piece; call again until `encoded` is
  /// empty and the piece is not full. Bytes after the end of the stream are taken and dropped,
  /// unless the first of them begins another gzip member.
  Piece Next(std::string_view& encoded);

  /// No byte has come yet, or the stream has come to its end.
  bool whole() const { return fresh_ || ended_; }
  std::uint64_t output_bytes() const { return output_bytes_; }

 private:
  bool Prepare(unsigned char first);

  z_stream stream_ = {};
  bool initialised_ = false;
  Format format_ = Format::kGzip;
  bool fresh_ = true;
  bool ended_ = false;
  bool trailing_ = false;  // a byte came after the end that began no member: none begins any more
  std::uint64_t output_bytes_ = 0;
  std::unique_ptr<std::array<char, kPieceBytes>> output_;
};

}  // namespace trawl

// One content coding undone, a piece at a time. Memory is bounded whatever comes in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace trawl {

class Decompressor {
 public:
  enum class Status { kGoing, kEnded, kBroken };

  static constexpr std::size_t kPieceBytes = 64 * 1024;

  struct Piece {
    std::string_view decoded;  // at most kPieceBytes; valid until the next call
    Status status;
  };

  virtual ~Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /// Takes from the front of `encoded` and gives the next piece; call again until `encoded` is
  /// empty and the piece is not full.
  virtual Piece Next(std::string_view& encoded) = 0;

  /// No byte has come yet, or the stream has come to its end.
  virtual bool whole() const = 0;

  /// Given since the stream began.
  std::uint64_t output_bytes() const { return output_bytes_; }

 protected:
  Decompressor() = default;

  char* output() {
    if (!output_) output_ = std::make_unique_for_overwrite<std::array<char, kPieceBytes>>();
    return output_->data();
  }
  /// The first `bytes` of output(), counted.
  std::string_view Given(std::size_t bytes) {
    output_bytes_ += bytes;
    return {output_->data(), bytes};
  }
  void ForgetOutput() { output_bytes_ = 0; }

 private:
  std::uint64_t output_bytes_ = 0;
  std::unique_ptr<std::array<char, kPieceBytes>> output_;
};

}  // namespace trawl

#include "worker/http/inflater.h"

#include <algorithm>
#include <limits>
#include <new>

namespace trawl {
namespace {

constexpr int kMaxWindowBits = 15;
constexpr int kGzipWrapper = 16;  // added to the window bits
constexpr unsigned char kGzipMagic = 0x1f;

// A zlib stream begins with the method 8 in its low four bits (RFC 1950, section 2.2). A raw one
// cannot: those bits would be a stored block with padding that is not zero, which no encoder
// writes.
bool BeginsZlib(unsigned char first) { return (first & 0x0f) == 8; }

}  // namespace

Inflater::~Inflater() {
  if (initialised_) inflateEnd(&stream_);
}

void Inflater::Start(Format format) {
  format_ = format;
  fresh_ = true;
  ended_ = false;
  trailing_ = false;
  ForgetOutput();
}

bool Inflater::Prepare(unsigned char first) {
  const int window_bits = format_ == Format::kGzip ? kMaxWindowBits + kGzipWrapper
                          : BeginsZlib(first)      ? kMaxWindowBits
                                                   : -kMaxWindowBits;
  stream_.next_in = nullptr;
  stream_.avail_in = 0;
  if (initialised_) return inflateReset2(&stream_, window_bits) == Z_OK;
  initialised_ = inflateInit2(&stream_, window_bits) == Z_OK;
  if (!initialised_) throw std::bad_alloc();
  return true;
}

Decompressor::Piece Inflater::Next(std::string_view& encoded) {
  if (ended_ && !encoded.empty()) {
    // gzip(1) ignores what follows the last member too; servers pad with zeros.
    const bool begins_member = format_ == Format::kGzip && !trailing_ &&
                               static_cast<unsigned char>(encoded.front()) == kGzipMagic;
    if (!begins_member) {
      trailing_ = true;
      encoded = {};
      return {{}, Status::kEnded};
    }
    if (!Prepare(kGzipMagic)) return {{}, Status::kBroken};
    ended_ = false;
  }
  if (fresh_) {
    if (encoded.empty()) return {{}, Status::kGoing};
    if (!Prepare(static_cast<unsigned char>(encoded.front()))) return {{}, Status::kBroken};
    fresh_ = false;
  }
  if (ended_) return {{}, Status::kEnded};

  const std::size_t offered =
      std::min<std::size_t>(encoded.size(), std::numeric_limits<uInt>::max());
  // zlib does not write to its input; its interface is older than const.
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(encoded.data()));
  stream_.avail_in = static_cast<uInt>(offered);
  stream_.next_out = reinterpret_cast<Bytef*>(output());
  stream_.avail_out = static_cast<uInt>(kPieceBytes);
  const int result = inflate(&stream_, Z_NO_FLUSH);
  encoded.remove_prefix(offered - stream_.avail_in);
  const std::string_view decoded = Given(kPieceBytes - stream_.avail_out);
  ended_ = result == Z_STREAM_END;
  if (ended_) return {decoded, Status::kEnded};
  // Z_BUF_ERROR: no progress for want of input, which is no error.
  const bool going = result == Z_OK || result == Z_BUF_ERROR;
  return {decoded, going ? Status::kGoing : Status::kBroken};
}

}  // namespace trawl

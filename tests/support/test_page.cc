#include "tests/support/test_page.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace trawl {
namespace {

constexpr std::size_t kChunkBytes = 8 * 1024;

std::string Chunked(std::string_view body) {
  std::string out;
  while (!body.empty()) {
    out += Chunk(body.substr(0, kChunkBytes));
    body.remove_prefix(std::min(kChunkBytes, body.size()));
  }
  return out;
}

std::string EncodeBrotli(std::string_view body) {
  std::string out(BrotliEncoderMaxCompressedSize(body.size()) + 16, '\0');
  std::size_t size = out.size();
  if (!BrotliEncoderCompress(1, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, body.size(),
                             reinterpret_cast<const std::uint8_t*>(body.data()), &size,
                             reinterpret_cast<std::uint8_t*>(out.data()))) {
    throw std::runtime_error("BrotliEncoderCompress");
  }
  out.resize(size);
  return out;
}

std::string EncodeZstd(std::string_view body) {
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 1);
  if (ZSTD_isError(size)) throw std::runtime_error("ZSTD_compress");
  out.resize(size);
  return out;
}

// RFC 9110, section 8.6: these have no body and need no length.
bool HasLength(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

std::string Encode(Coding coding, std::string_view body) {
  if (coding == Coding::kIdentity) return std::string(body);
  if (coding == Coding::kBrotli) return EncodeBrotli(body);
  if (coding == Coding::kZstd) return EncodeZstd(body);
  // zlib's window bits choose the wrapper: +16 gzip, negative none.
  const int window_bits = coding == Coding::kGzip ? 15 + 16 : coding == Coding::kDeflate ? 15 : -15;
  z_stream stream = {};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

std::string Chunk(std::string_view data) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return std::string(size).append(data).append("\r\n");
}

TestAnswer::TestAnswer(TestPage p) : page(std::move(p)) {
  if (!page.raw.empty()) return;
  const bool unmeasured = page.generator || page.fault == TestPage::Fault::kEndlessBody;
  if (unmeasured && page.framing == TestPage::Framing::kLength) {
    page.framing = TestPage::Framing::kChunked;
  }

  head = "HTTP/1.1 " + std::to_string(page.status) + " Test\r\n";
  if (!page.content_type.empty()) head += "Content-Type: " + page.content_type + "\r\n";
  for (const auto& [name, value] : page.headers) head += name + ": " + value + "\r\n";
  if (page.coding == Coding::kGzip) head += "Content-Encoding: gzip\r\n";
  if (page.coding == Coding::kBrotli) head += "Content-Encoding: br\r\n";
  if (page.coding == Coding::kZstd) head += "Content-Encoding: zstd\r\n";
  if (page.coding == Coding::kDeflate || page.coding == Coding::kRawDeflate) {
    head += "Content-Encoding: deflate\r\n";
  }

  payload = Encode(page.coding, page.body);
  if (page.framing == TestPage::Framing::kChunked) {
    head += "Transfer-Encoding: chunked\r\n";
    payload = Chunked(payload);
    if (!unmeasured) payload += kLastChunk;
  } else if (page.framing == TestPage::Framing::kLength && HasLength(page.status)) {
    head += "Content-Length: " + std::to_string(payload.size()) + "\r\n";
  }
}

}  // namespace trawl

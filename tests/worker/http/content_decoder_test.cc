#include "worker/http/content_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/test_page.h"

namespace trawl {
namespace {

using boost::system::error_code;

constexpr std::uint64_t kNoLimit = 1ULL << 40;

struct Decoded {
  error_code error;
  std::string text;
  std::size_t largest_piece = 0;
};

Decoded Decode(ContentDecoder& decoder, std::string_view codings, std::string_view encoded,
               std::size_t step = 1 << 20, std::uint64_t max_bytes = kNoLimit) {
  Decoded decoded;
  decoded.error = decoder.Start(codings, max_bytes);
  while (!decoded.error && !encoded.empty()) {
    decoded.error = decoder.Write(encoded.substr(0, step), [&](std::string_view piece) {
      decoded.text += piece;
      decoded.largest_piece = std::max(decoded.largest_piece, piece.size());
      return error_code();
    });
    encoded.remove_prefix(std::min(step, encoded.size()));
  }
  if (!decoded.error) decoded.error = decoder.Finish();
  return decoded;
}

std::string LongText() {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  return text;
}

std::string Gzip(std::string_view text) { return Encode(Coding::kGzip, text); }
std::string Deflate(std::string_view text) { return Encode(Coding::kDeflate, text); }
std::string Brotli(std::string_view text) { return Encode(Coding::kBrotli, text); }
std::string Zstd(std::string_view text) { return Encode(Coding::kZstd, text); }
std::string RawDeflate(std::string_view text) { return Encode(Coding::kRawDeflate, text); }

/// A frame that decoders skip (RFC 8878, section 3.1.2).
std::string SkippedFrame() { return std::string("\x5a\x2a\x4d\x18\x03\x00\x00\x00xyz", 11); }

TEST(ContentDecoder, GivesBackWhatWasEncodedHoweverItIsCut) {
  const std::string text = LongText();
  const std::string half = text.substr(0, text.size() / 2);
  const std::string rest = text.substr(text.size() / 2);
  const struct {
    const char* codings;
    std::string encoded;
  } cases[] = {
      {"", text},
      {"identity", text},
      {"gzip", Gzip(text)},
      {"X-GZip", Gzip(text)},
      {"deflate", Deflate(text)},
      {"deflate", RawDeflate(text)},
      {"gzip", Gzip(half) + Gzip(rest)},
      {"gzip", Gzip("") + Gzip(text) + Gzip("")},
      {"gzip", Gzip(text) + std::string(512, '\0')},
      {"gzip", Gzip(text) + '\n' + Gzip("what follows no member is none")},
      {"br", Brotli(text)},
      {"BR", Brotli(text) + "what follows"},
      {"zstd", Zstd(text)},
      {"zstd", Zstd(half) + SkippedFrame() + Zstd("") + Zstd(rest)},
      {"br, zstd", Zstd(Brotli(text))},
      {"gzip, br", Brotli(Gzip(text))},
      {"deflate , gzip", Gzip(Deflate(text))},
      {"gzip,identity,\tgzip,", Gzip(Gzip(text))},
  };
  ContentDecoder decoder;  // one for all: it is made to be used again
  for (const auto& c : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
      SCOPED_TRACE(std::string(c.codings) + " in steps of " + std::to_string(step));
      const Decoded decoded = Decode(decoder, c.codings, c.encoded, step);
      EXPECT_FALSE(decoded.error) << decoder.detail();
      EXPECT_TRUE(decoded.text == text);
      EXPECT_LE(decoded.largest_piece, ContentDecoder::kPieceBytes);
    }
  }
}

TEST(ContentDecoder, TakesAnEmptyBodyInAnyCoding) {
  ContentDecoder decoder;
  for (const char* codings : {"", "gzip", "deflate", "br", "zstd", "gzip, deflate"}) {
    EXPECT_FALSE(Decode(decoder, codings, "").error) << codings;
  }
}

/// RFC 7932, section 9.1 has no such window bits; the library's own extension does.
std::string LargeWindow() { return std::string("\x11\x1e\x03", 3); }
/// A frame whose header asks for a window of 16 MiB (RFC 8878, section 3.1.1.1.2).
std::string WideWindow() { return std::string("\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00", 9); }

/// A frame of a format from before RFC 8878, with a window of 128 MiB.
std::string OldFrame() { return std::string("\x27\xb5\x2f\xfd\x00\x88", 6); }
TEST(ContentDecoder, RefusesWhatIsNotTheDeclaredCoding) {
  std::string damaged = Gzip(LongText());
  damaged[damaged.size() / 2] ^= 0x55;
  std::string wrong_sum = Gzip("text");
  wrong_sum[wrong_sum.size() - 6] ^= 1;  // within the CRC-32 (RFC 1952, section 2.3.1)
  const struct {
    const char* codings;
    std::string encoded;
    Error error;
    const char* detail;
  } cases[] = {
      {"gzip", "plain text", Error::kMalformed, "broken content coding"},
      {"deflate", "\xff\xff\xff", Error::kMalformed, "broken content coding"},
      {"gzip", damaged, Error::kMalformed, "broken content coding"},
      {"gzip", wrong_sum, Error::kMalformed, "broken content coding"},
      {"compress", "x", Error::kMalformed, "unknown content coding compress"},
      {"br", std::string(100, '\xff'), Error::kMalformed, "broken content coding"},
      {"br", LargeWindow(), Error::kMalformed, "broken content coding"},
      {"zstd", "plain text", Error::kMalformed, "broken content coding"},
      {"zstd", WideWindow(), Error::kMalformed, "broken content coding"},
      {"zstd", OldFrame(), Error::kMalformed, "broken content coding"},
      {"zstd", Zstd("text") + OldFrame(), Error::kMalformed, "broken content coding"},
      {"zstd", Zstd("text") + Zstd("more").substr(0, 2), Error::kTruncated, ""},
      {"zstd", Zstd("text") + "rest", Error::kMalformed, "broken content coding"},
      {"br", Brotli(LongText()).substr(0, 1000), Error::kTruncated, ""},
      {"zstd", Zstd(LongText()).substr(0, 1000), Error::kTruncated, ""},
      {"zstd", Zstd("text") + Zstd("more").substr(0, 9), Error::kTruncated, ""},
      {"gzip, gzip, gzip", Gzip("x"), Error::kMalformed, "more than 2 content codings"},
      {"gzip", Gzip("text").substr(0, 12), Error::kTruncated, ""},
      {"deflate", Deflate("text").substr(0, 5), Error::kTruncated, ""},
      {"gzip", Gzip("text") + Gzip("more").substr(0, 9), Error::kTruncated, ""},
      {"deflate, gzip", Gzip(Deflate(LongText()).substr(0, 1000)), Error::kTruncated, ""},
  };
  ContentDecoder decoder;
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.codings) + " " + c.detail);
    EXPECT_EQ(Decode(decoder, c.codings, c.encoded).error, c.error);
    EXPECT_EQ(decoder.detail(), c.detail);
  }
}

TEST(ContentDecoder, StopsABombAtTheLimit) {
  const std::string zeros(64 * 1024 * 1024, '\0');
  const std::string bomb = Gzip(zeros);
  ASSERT_LT(bomb.size(), zeros.size() / 100);
  const struct {
    const char* codings;
    std::string encoded;
  } cases[] = {{"gzip", bomb},
               {"gzip, gzip", Gzip(bomb)},
               {"deflate", Deflate(zeros)},
               {"br", Brotli(zeros)},
               {"zstd", Zstd(zeros)},
               {"br, gzip", Gzip(Brotli(zeros))},
               {"gzip, zstd", Zstd(bomb)},
               {"", zeros}};
  ContentDecoder decoder;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.codings);
    const Decoded decoded = Decode(decoder, c.codings, c.encoded, 64 * 1024, 100'000);
    EXPECT_EQ(decoded.error, Error::kTooLarge);
    EXPECT_LE(decoded.text.size(), 100'000u);
  }
}

TEST(ContentDecoder, RefusesABodyThatBecomesManyTimesAsLarge) {
  const std::string zeros(16 * 1024 * 1024, '\0');
  const struct {
    const char* codings;
    std::string encoded;
  } cases[] = {{"gzip", Gzip(zeros)},
               {"deflate", Deflate(zeros)},
               {"br", Brotli(zeros)},
               {"zstd", Zstd(zeros)},
               {"gzip, br", Brotli(Gzip(zeros))}};
  for (const auto& c : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{64} * 1024}) {
      SCOPED_TRACE(std::string(c.codings) + " in steps of " + std::to_string(step));
      ContentDecoder decoder;
      const Decoded decoded = Decode(decoder, c.codings, c.encoded, step);
      EXPECT_EQ(decoded.error, Error::kTooLarge);
      EXPECT_EQ(decoder.detail(), "more than 200 times as large when decoded");
      const std::size_t most = std::max<std::size_t>(ContentDecoder::kRatioFromBytes,
                                                     ContentDecoder::kMaxRatio * c.encoded.size());
      EXPECT_LE(decoded.text.size(), most + ContentDecoder::kPieceBytes);
    }
  }
}

TEST(ContentDecoder, LetsASmallOrAnEvenlyCodedBodyBecomeAnyTimesAsLarge) {
  ContentDecoder decoder;
  EXPECT_FALSE(Decode(decoder, "br", Brotli(std::string(1'000'000, 'a'))).error);
  std::string rows;
  while (rows.size() < 4'000'000) rows += "<tr><td>" + std::to_string(rows.size()) + "</td></tr>\n";
  EXPECT_FALSE(Decode(decoder, "br", Brotli(rows)).error);
  EXPECT_FALSE(Decode(decoder, "zstd", Zstd(rows)).error);
}

// The first coding unpacks to much, the second to nothing: the limit must hold for both.
TEST(ContentDecoder, CountsTheOutputOfEveryCoding) {
  const std::string empty_member = Gzip("");
  std::string empty_members;
  while (empty_members.size() < 1'000'000) empty_members += empty_member;
  ContentDecoder decoder;
  const Decoded decoded = Decode(decoder, "gzip, gzip", Gzip(empty_members), 1 << 20, 100'000);
  EXPECT_EQ(decoded.error, Error::kTooLarge);
}

TEST(ContentDecoder, AllowsExactlyTheLimit) {
  ContentDecoder decoder;
  EXPECT_FALSE(Decode(decoder, "gzip", Gzip(std::string(1000, 'a')), 7, 1000).error);
  EXPECT_EQ(Decode(decoder, "gzip", Gzip(std::string(1001, 'a')), 7, 1000).error, Error::kTooLarge);
}

TEST(ContentDecoder, EndsWithTheSinksError) {
  ContentDecoder decoder;
  ASSERT_FALSE(decoder.Start("gzip", kNoLimit));
  int calls = 0;
  const error_code error = decoder.Write(Gzip(LongText()), [&](std::string_view) {
    ++calls;
    return error_code(Error::kStore);
  });
  EXPECT_EQ(error, Error::kStore);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace trawl

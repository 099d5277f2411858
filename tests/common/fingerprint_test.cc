#include "common/fingerprint.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>
#include <utility>

namespace trawl {
namespace {

// The seen set outlives a program, so a fingerprint must never change. The values are those of
// XXH3's reference implementation with seed 0.
TEST(Fingerprint, IsXxh3) {
  EXPECT_EQ(static_cast<std::uint64_t>(FingerprintOf("")), 0x2D06800538D394C2u);
  EXPECT_EQ(FingerprintOf("http://example.com/"),
            FingerprintOf(std::string("http://example.com/")));
}

TEST(Fingerprint, TellsUrlsApart) {
  std::unordered_set<Fingerprint> seen;
  for (int i = 0; i < 100'000; ++i) {
    EXPECT_TRUE(seen.insert(FingerprintOf("http://example.com/" + std::to_string(i))).second) << i;
  }
}

TEST(BodyDigest, IsXxh128OfAllBytes) {
  EXPECT_EQ(BodyDigest().Text(), "xxh128:99aa06d3014798d86001c324468d497f");
}

TEST(BodyDigest, DoesNotDependOnThePieces) {
  const std::string body = std::string(100'000, 'x') + std::string(1, '\0') + "end";
  BodyDigest whole;
  whole.Update(body);
  for (const std::size_t piece : {1, 7, 4096, 99'999}) {
    BodyDigest pieces;
    for (std::size_t at = 0; at < body.size(); at += piece) pieces.Update(body.substr(at, piece));
    EXPECT_EQ(pieces.Text(), whole.Text()) << piece;
  }
}

TEST(BodyDigest, TextDoesNotEndTheDigest) {
  BodyDigest asked;
  asked.Update("a");
  const std::string first = asked.Text();
  EXPECT_EQ(asked.Text(), first);
  asked.Update("b");
  BodyDigest whole;
  whole.Update("ab");
  EXPECT_EQ(asked.Text(), whole.Text());
}

TEST(BodyDigest, MovesWithItsState) {
  BodyDigest source;
  source.Update("a");
  BodyDigest moved = std::move(source);
  moved.Update("b");
  BodyDigest whole;
  whole.Update("ab");
  EXPECT_EQ(moved.Text(), whole.Text());
}

}  // namespace
}  // namespace trawl

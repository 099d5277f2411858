#include "common/fingerprint.h"

#include <xxhash.h>

#include <algorithm>
#include <new>

namespace trawl {

Fingerprint FingerprintOf(std::string_view canonical_url) {
  return static_cast<Fingerprint>(XXH3_64bits(canonical_url.data(), canonical_url.size()));
}

void BodyDigest::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

BodyDigest::BodyDigest() : state_(XXH3_createState()) {
  if (!state_) throw std::bad_alloc();
  XXH3_128bits_reset(state_.get());
}

BodyDigest::~BodyDigest() = default;
BodyDigest::BodyDigest(BodyDigest&&) noexcept = default;
BodyDigest& BodyDigest::operator=(BodyDigest&&) noexcept = default;

void BodyDigest::Update(std::string_view bytes) {
  XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
}

std::string BodyDigest::Text() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text = "xxh128:";
  for (unsigned char byte : canonical.digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

std::uint64_t BodyDigest::Short() const {
  return std::max<std::uint64_t>(XXH3_128bits_digest(state_.get()).low64, 1);
}

}  // namespace trawl

// Fingerprints name URLs in the seen set; digests name bodies in rows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace trawl {

/// 64-bit XXH3 of a canonical URL. Kept signed, because Redis keeps integers signed (an intset).
using Fingerprint = std::int64_t;

Fingerprint FingerprintOf(std::string_view canonical_url);

/// The XXH3 128-bit digest of a body that arrives in pieces.
class BodyDigest {
 public:
  BodyDigest();
  ~BodyDigest();
  BodyDigest(BodyDigest&&) noexcept;
  BodyDigest& operator=(BodyDigest&&) noexcept;

  void Update(std::string_view bytes);
  /// "xxh128:" and 32 hex digits, of all bytes so far.
  std::string Text() const;
  /// 64 bits of it, to tell bodies apart; never 0.
  std::uint64_t Short() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace trawl

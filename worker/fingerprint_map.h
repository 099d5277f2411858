// Numbers by fingerprint, for what is looked up for each link of each page: open addressing in one
// piece of memory. Nothing is ever removed. Who makes pages does not know which fingerprints would
// lie side by side: that is drawn anew by each process.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "common/fingerprint.h"

namespace trawl {

class FingerprintMap {
 public:
  static constexpr std::uint32_t kAbsent = 0xFFFF'FFFF;

  /// kAbsent without one.
  std::uint32_t Find(Fingerprint key) const { return slots_[SlotOf(key)].number; }

  /// Adds a fingerprint, unless it is there.
  void Add(Fingerprint key, std::uint32_t number) {
    if (Find(key) != kAbsent) return;
    if (2 * ++size_ > slots_.size()) Grow();
    slots_[SlotOf(key)] = {key, number};
  }

  /// How many slots the longest search has to look at. Takes time in the number of all.
  std::size_t LongestSearch() const {
    std::size_t longest = 0;
    for (std::size_t at = 0; at < slots_.size(); ++at) {
      if (slots_[at].number == kAbsent) continue;
      const std::size_t way = (at - PlaceOf(slots_[at].key)) & (slots_.size() - 1);
      longest = std::max(longest, way + 1);
    }
    return longest;
  }

 private:
  struct Slot {
    Fingerprint key = 0;
    std::uint32_t number = kAbsent;
  };

  static std::uint64_t Multiplier() {
    std::random_device random;
    return std::uint64_t{random()} << 32 | random() | 1;
  }

  /// Where its search begins.
  std::size_t PlaceOf(Fingerprint key) const {
    static const std::uint64_t multiplier = Multiplier();
    std::uint64_t mixed = static_cast<std::uint64_t>(key) * multiplier;
    mixed ^= mixed >> 32;
    return (mixed * multiplier) >> (64 - std::countr_zero(slots_.size()));
  }

  /// That of the key, or the free one where it belongs.
  std::size_t SlotOf(Fingerprint key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = PlaceOf(key);
    while (slots_[slot].number != kAbsent && slots_[slot].key != key) slot = (slot + 1) & mask;
    return slot;
  }

  void Grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number != kAbsent) slots_[SlotOf(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(64);  // a power of two, half of them free
  std::size_t size_ = 0;
};

}  // namespace trawl

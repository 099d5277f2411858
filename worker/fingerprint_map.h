// Numbers by fingerprint, for what is looked up for each link of each page: open addressing in one
// piece of memory. Nothing is ever removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/fingerprint.h"

namespace trawl {

class FingerprintMap {
 public:
  static constexpr std::uint32_t kAbsent = 0xFFFF'FFFF;

  /// kAbsent without one.
  std::uint32_t Find(Fingerprint key) const { return slots_[SlotOf(key)].number; }

  /// Adds a fingerprint that is absent.
  void Add(Fingerprint key, std::uint32_t number) {
    if (2 * ++size_ > slots_.size()) Grow();
    slots_[SlotOf(key)] = {key, number};
  }

 private:
  struct Slot {
    Fingerprint key = 0;
    std::uint32_t number = kAbsent;
  };

  /// That of the key, or the free one where it belongs.
  std::size_t SlotOf(Fingerprint key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = static_cast<std::size_t>(key) & mask;
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

// Which links the store has settled: it would change nothing to offer them again. Forgets what it
// has no room for, but never errs: what it knows is so. No I/O, no clock.
//
// Most links of a site repeat from page to page: workers leave out of their reports what they know
// to be settled, and the coordinator does not ask the store for what other workers have reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/fingerprint.h"

namespace trawl {

class LinkMemory {
 public:
  static constexpr int kSlotBits = 20;

  /// The link was settled at that depth or a smaller one.
  bool Knows(Fingerprint link, int depth) const;
  void Learn(Fingerprint link, int depth);
  void Clear();

 private:
  /// Low bits of the fingerprint choose the slot. It holds the others, with what is left for the
  /// depth + 1 in their place; 0: nothing. Depths that do not fit are not learnt.
  static constexpr std::uint64_t kDepthMask = (std::uint64_t{1} << kSlotBits) - 1;

  struct Unmap {
    void operator()(std::uint64_t* slots) const;
  };
  // None before the first is learnt. Of its own pages of the system, which come as zeros when they
  // are touched: one that learns little costs little.
  std::unique_ptr<std::uint64_t[], Unmap> slots_;
};

}  // namespace trawl

#include "common/link_memory.h"

namespace trawl {

bool LinkMemory::Knows(Fingerprint link, int depth) const {
  if (slots_.empty()) return false;
  const auto bits = static_cast<std::uint64_t>(link);
  const std::uint64_t slot = slots_[bits & kDepthMask];
  return slot != 0 && (slot & ~kDepthMask) == (bits & ~kDepthMask) &&
         static_cast<int>(slot & kDepthMask) - 1 <= depth;
}

void LinkMemory::Learn(Fingerprint link, int depth) {
  if (depth < 0 || static_cast<std::uint64_t>(depth) >= kDepthMask || Knows(link, depth)) return;
  if (slots_.empty()) slots_.resize(kDepthMask + 1);
  const auto bits = static_cast<std::uint64_t>(link);
  slots_[bits & kDepthMask] = (bits & ~kDepthMask) | (static_cast<std::uint64_t>(depth) + 1);
}

void LinkMemory::Clear() { slots_ = {}; }

}  // namespace trawl

#include "common/link_memory.h"

#include <sys/mman.h>

#include <new>

namespace trawl {
namespace {

constexpr std::size_t kBytes = (std::size_t{1} << LinkMemory::kSlotBits) * sizeof(std::uint64_t);

std::uint64_t* MapZeros() {
  void* const pages =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  ::madvise(pages, kBytes, MADV_NOHUGEPAGE);  // of which one touch would make two megabytes zeros
  return static_cast<std::uint64_t*>(pages);
}

}  // namespace

void LinkMemory::Unmap::operator()(std::uint64_t* slots) const { ::munmap(slots, kBytes); }

bool LinkMemory::Knows(Fingerprint link, int depth) const {
  if (!slots_) return false;
  const auto bits = static_cast<std::uint64_t>(link);
  const std::uint64_t slot = slots_[bits & kDepthMask];
  return slot != 0 && (slot & ~kDepthMask) == (bits & ~kDepthMask) &&
         static_cast<int>(slot & kDepthMask) - 1 <= depth;
}

void LinkMemory::Learn(Fingerprint link, int depth) {
  if (depth < 0 || static_cast<std::uint64_t>(depth) >= kDepthMask || Knows(link, depth)) return;
  if (!slots_) slots_.reset(MapZeros());
  const auto bits = static_cast<std::uint64_t>(link);
  slots_[bits & kDepthMask] = (bits & ~kDepthMask) | (static_cast<std::uint64_t>(depth) + 1);
}

void LinkMemory::Clear() { slots_.reset(); }

}  // namespace trawl

// Which bodies a host has answered with lately, and how often: a host that has the same one under
// ever new URLs is a trap. Of the last kBodies different ones only, so that a host costs little;
// not kept over a restart of the coordinator, which then counts anew.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace trawl {

class RecentBodies {
 public:
  static constexpr std::size_t kBodies = 8;

  /// How often the host has answered with the body of this digest.
  std::uint64_t Times(std::uint64_t digest) const {
    const auto found = std::find_if(bodies_.begin(), bodies_.end(),
                                    [&](const Body& body) { return body.digest == digest; });
    return found == bodies_.end() ? 0 : found->times;
  }

  /// It has done so once more.
  void Add(std::uint64_t digest) {
    const Body body{digest, Times(digest) + 1};
    std::erase_if(bodies_, [&](const Body& other) { return other.digest == digest; });
    if (bodies_.size() == kBodies) bodies_.pop_back();
    bodies_.insert(bodies_.begin(), body);
  }

 private:
  struct Body {
    std::uint64_t digest;
    std::uint64_t times;
  };

  std::vector<Body> bodies_;  // latest first
};

}  // namespace trawl

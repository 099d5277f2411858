// How many URLs of each depth have left their host queues and are not terminal: they are leased, or
// wait for another try. A round is not closed before none of its own is left. No I/O, no clock.
#pragma once

#include <cstdint>
#include <map>

namespace trawl {

class RoundWork {
 public:
  void Leased(int depth, std::int64_t change) { Count(depth, &Urls::leased, change); }
  void Delayed(int depth, std::int64_t change) {
    Count(depth, &Urls::delayed, change);
    delayed_ += change;
  }

  /// The least depth of such URLs; -1: there are none.
  int LeastDepth() const { return urls_.empty() ? -1 : urls_.begin()->first; }
  /// At all depths.
  std::uint64_t delayed() const { return static_cast<std::uint64_t>(delayed_); }

 private:
  struct Urls {
    std::int64_t leased = 0;
    std::int64_t delayed = 0;
  };

  void Count(int depth, std::int64_t Urls::*count, std::int64_t change) {
    Urls& urls = urls_[depth];
    urls.*count += change;
    if (urls.leased == 0 && urls.delayed == 0) urls_.erase(depth);
  }

  std::map<int, Urls> urls_;  // by depth; none is of zeros alone
  std::int64_t delayed_ = 0;
};

}  // namespace trawl

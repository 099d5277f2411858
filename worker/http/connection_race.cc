#include "worker/http/connection_race.h"

#include <algorithm>

namespace trawl {

using boost::asio::ip::address;

ConnectionRace::ConnectionRace(const std::vector<address>& addresses) {
  std::vector<address> families[2];  // IPv6, IPv4
  for (const address& a : addresses) families[a.is_v6() ? 0 : 1].push_back(a);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    for (const auto& family : families) {
      if (i < family.size()) addresses_.push_back(family[i]);
    }
  }
}

std::optional<address> ConnectionRace::Next(TimePoint now) {
  if (next_ == addresses_.size() || now < due_) return std::nullopt;
  due_ = now + kAttemptDelay;
  ++under_way_;
  return addresses_[next_++];
}

void ConnectionRace::OnFailure() {
  --under_way_;
  due_ = TimePoint::min();
}

TimePoint ConnectionRace::next_at() const {
  return next_ == addresses_.size() ? TimePoint::max() : due_;
}

}  // namespace trawl

// Decides which of a host's addresses is tried next and when (Happy Eyeballs, RFC 8305, sections 4
// and 5): IPv6 and IPv4 in turn, IPv6 first, an attempt when the one before has failed or has not
// ended after a while. No I/O; time comes in as `now`.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <optional>
#include <vector>

#include "common/clock.h"

namespace trawl {

class ConnectionRace {
 public:
  // RFC 8305, section 5.
  static constexpr milliseconds kAttemptDelay{250};

  /// Of each family in the order in which to try them.
  explicit ConnectionRace(const std::vector<boost::asio::ip::address>& addresses);

  /// The address to try now, if there is one; ask until there is none. It is under way then.
  std::optional<boost::asio::ip::address> Next(TimePoint now);

  /// An address that was under way cannot be connected to.
  void OnFailure();

  /// When Next() has an answer even though no attempt has failed; TimePoint::max() for never.
  TimePoint next_at() const;

  /// All attempts have failed, and no address is left.
  bool lost() const { return under_way_ == 0 && next_ == addresses_.size(); }

 private:
  std::vector<boost::asio::ip::address> addresses_;
  std::size_t next_ = 0;
  std::size_t under_way_ = 0;
  TimePoint due_ = TimePoint::min();
};

}  // namespace trawl

// TLS sessions by which the next connection to an origin need not begin from scratch (RFC 8446,
// section 2.2; RFC 5077). Each is given once, so that one with which the handshake fails does not
// come again; it comes back where the server gives no new one (RFC 8446, section C.4, would rather
// have none). Bounded in sessions and in the bytes of one; the oldest goes first. Time comes in as
// `now`.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/clock.h"

namespace trawl {

struct TlsSession {
  std::string der;  // much smaller than what OpenSSL makes of it
  WallTime until;   // the server's certificate is to be verified anew from then on
};

class TlsSessions {
 public:
  /// Since the last full handshake, which alone verifies the certificate, however often the server
  /// has renewed the session since (RFC 5246, section F.1.4).
  static constexpr std::chrono::hours kMaxAge{24};
  /// Most have a certificate of one or two kilobytes and a ticket.
  static constexpr std::size_t kMaxSessionBytes = 16 * 1024;

  explicit TlsSessions(std::size_t max_sessions) : max_sessions_(max_sessions) {}

  void Put(std::string_view origin, TlsSession session);

  /// The last one of the origin, which is not kept any longer; none when its time is over.
  std::optional<TlsSession> Take(std::string_view origin, WallTime now);

  std::size_t size() const { return sessions_.size(); }

 private:
  struct Kept {
    std::string origin;
    TlsSession session;
  };
  using Position = std::list<Kept>::iterator;

  void Remove(Position session);

  const std::size_t max_sessions_;
  std::list<Kept> sessions_;                                  // the newest first
  std::unordered_map<std::string_view, Position> by_origin_;  // keys are the sessions' origins
};

}  // namespace trawl

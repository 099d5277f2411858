// TLS sessions by which the next connection to an origin need not begin from scratch (RFC 8446,
// section 2.2; RFC 5077). Each is given once, so that one with which the handshake fails does not
// come again; it comes back where the server gives no new one (RFC 8446, section C.4, would rather
// have none). Bounded in sessions and in the bytes of one; the oldest goes first.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace trawl {

class TlsSessions {
 public:
  /// Most have a certificate of one or two kilobytes and a ticket.
  static constexpr std::size_t kMaxSessionBytes = 16 * 1024;

  explicit TlsSessions(std::size_t max_sessions) : max_sessions_(max_sessions) {}

  /// `session`: in DER, much smaller than what OpenSSL makes of it.
  void Put(std::string_view origin, std::string session);

  /// The last one of the origin, which is not kept any longer; empty when there is none.
  std::string Take(std::string_view origin);

  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    std::string origin;
    std::string der;
  };
  using Position = std::list<Session>::iterator;

  void Remove(Position session);

  const std::size_t max_sessions_;
  std::list<Session> sessions_;                               // the newest first
  std::unordered_map<std::string_view, Position> by_origin_;  // keys are the sessions' origins
};

}  // namespace trawl

// TLS sessions by which the next connection to an origin need not begin from scratch (RFC 8446,
// section 2.2; RFC 5077). Bounded in sessions and in the bytes of one; that of the origin which was
// not connected to for longest goes first.
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

  /// The last one of the origin as Put() took it; empty when there is none. Valid until Put().
  std::string_view Find(std::string_view origin);

  /// `session`: in DER, much smaller than what OpenSSL makes of it.
  void Put(std::string_view origin, std::string session);

  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    std::string origin;
    std::string der;
  };
  using Position = std::list<Session>::iterator;

  const std::size_t max_sessions_;
  std::list<Session> sessions_;                               // the one used last first
  std::unordered_map<std::string_view, Position> by_origin_;  // keys are the sessions' origins
};

}  // namespace trawl

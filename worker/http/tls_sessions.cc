#include "worker/http/tls_sessions.h"

#include <iterator>
#include <utility>

namespace trawl {

void TlsSessions::Put(std::string_view origin, TlsSession session) {
  if (max_sessions_ == 0 || session.der.size() > kMaxSessionBytes) return;
  if (const auto found = by_origin_.find(origin); found != by_origin_.end()) Remove(found->second);
  if (sessions_.size() == max_sessions_) Remove(std::prev(sessions_.end()));
  sessions_.push_front({std::string(origin), std::move(session)});
  by_origin_.emplace(sessions_.front().origin, sessions_.begin());
}

std::optional<TlsSession> TlsSessions::Take(std::string_view origin, WallTime now) {
  const auto found = by_origin_.find(origin);
  if (found == by_origin_.end()) return std::nullopt;
  TlsSession session = std::move(found->second->session);
  Remove(found->second);
  if (now >= session.until) return std::nullopt;
  return session;
}

void TlsSessions::Remove(Position session) {
  by_origin_.erase(session->origin);
  sessions_.erase(session);
}

}  // namespace trawl

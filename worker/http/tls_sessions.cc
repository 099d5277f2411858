#include "worker/http/tls_sessions.h"

#include <iterator>
#include <utility>

namespace trawl {

void TlsSessions::Put(std::string_view origin, std::string session) {
  if (max_sessions_ == 0 || session.size() > kMaxSessionBytes) return;
  Take(origin);
  if (sessions_.size() == max_sessions_) Remove(std::prev(sessions_.end()));
  sessions_.push_front({std::string(origin), std::move(session)});
  by_origin_.emplace(sessions_.front().origin, sessions_.begin());
}

std::string TlsSessions::Take(std::string_view origin) {
  const auto found = by_origin_.find(origin);
  if (found == by_origin_.end()) return {};
  std::string der = std::move(found->second->der);
  Remove(found->second);
  return der;
}

void TlsSessions::Remove(Position session) {
  by_origin_.erase(session->origin);
  sessions_.erase(session);
}

}  // namespace trawl

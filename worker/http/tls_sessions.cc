#include "worker/http/tls_sessions.h"

#include <iterator>
#include <utility>

namespace trawl {

std::string_view TlsSessions::Find(std::string_view origin) {
  const auto found = by_origin_.find(origin);
  if (found == by_origin_.end()) return {};
  sessions_.splice(sessions_.begin(), sessions_, found->second);
  return found->second->der;
}

void TlsSessions::Put(std::string_view origin, std::string session) {
  if (max_sessions_ == 0 || session.size() > kMaxSessionBytes) return;
  if (!Find(origin).empty()) {
    sessions_.front().der = std::move(session);
    return;
  }
  if (sessions_.size() == max_sessions_) {
    by_origin_.erase(sessions_.back().origin);
    sessions_.pop_back();
  }
  sessions_.push_front({std::string(origin), std::move(session)});
  by_origin_.emplace(sessions_.front().origin, sessions_.begin());
}

}  // namespace trawl

#include "worker/http/connection_pool.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "worker/http/connection.h"

namespace trawl {

ConnectionPool::ConnectionPool(std::size_t max_idle, milliseconds max_age)
    : max_idle_(max_idle), max_age_(max_age) {}

ConnectionPool::~ConnectionPool() = default;

void ConnectionPool::Put(std::string_view origin, std::unique_ptr<Connection> connection,
                         TimePoint now) {
  Expire(now);
  if (max_idle_ == 0) return;
  if (idle_.size() == max_idle_) Remove(idle_.begin());
  auto found = by_origin_.find(origin);
  if (found == by_origin_.end()) found = by_origin_.emplace(origin, 0).first;
  idle_.push_back({found->first, std::move(connection), now});
  found->second.push_back(std::prev(idle_.end()));
}

std::unique_ptr<Connection> ConnectionPool::Take(std::string_view origin, TimePoint now) {
  Expire(now);
  for (;;) {
    const auto found = by_origin_.find(origin);
    if (found == by_origin_.end()) return nullptr;
    std::unique_ptr<Connection> connection = Remove(found->second.back());
    if (connection->IsQuiet()) return connection;
  }
}

void ConnectionPool::Expire(TimePoint now) {
  while (!idle_.empty() && now - idle_.front().since >= max_age_) Remove(idle_.begin());
}

void ConnectionPool::Clear() {
  by_origin_.clear();
  idle_.clear();
}

std::unique_ptr<Connection> ConnectionPool::Remove(Position idle) {
  std::unique_ptr<Connection> connection = std::move(idle->connection);
  const auto found = by_origin_.find(idle->origin);
  std::vector<Position>& positions = found->second;
  positions.erase(std::find(positions.begin(), positions.end(), idle));
  idle_.erase(idle);
  if (positions.empty()) by_origin_.erase(found);
  return connection;
}

}  // namespace trawl

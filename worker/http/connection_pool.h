// Idle connections that may carry another request, by origin. Of an origin's connections the one
// that was used last is taken first: the server is least likely to have closed it. At most
// `max_idle` over all origins, none older than `max_age`; the rest is closed, the oldest first.
// Lives on the thread of its connections; time comes in as `now`, which never runs backwards.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/clock.h"

namespace trawl {

class Connection;

class ConnectionPool {
 public:
  ConnectionPool(std::size_t max_idle, milliseconds max_age);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  /// `origin` is Url::origin().
  void Put(std::string_view origin, std::unique_ptr<Connection> connection, TimePoint now);

  /// A connection to `origin` that is still quiet, or none.
  std::unique_ptr<Connection> Take(std::string_view origin, TimePoint now);

  /// Closes what has become too old.
  void Expire(TimePoint now);
  void Clear();

  std::size_t size() const { return idle_.size(); }
  bool empty() const { return idle_.empty(); }

 private:
  struct Idle {
    std::string_view origin;  // the key in by_origin_
    std::unique_ptr<Connection> connection;
    TimePoint since;
  };
  using Position = std::list<Idle>::iterator;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::unique_ptr<Connection> Remove(Position idle);

  const std::size_t max_idle_;
  const milliseconds max_age_;
  std::list<Idle> idle_;  // the oldest first
  // Each origin's part of idle_ in the same order; no empty ones.
  std::unordered_map<std::string, std::vector<Position>, Hash, std::equal_to<>> by_origin_;
};

}  // namespace trawl

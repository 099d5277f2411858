// One connection to a Redis server on an io_context, without blocking: commands go out in order,
// many may be in flight, replies come back in order. One thread, the io_context's; no function
// calls back before it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "coordinator/store/redis_url.h"

namespace boost::asio {
class io_context;
}

namespace trawl {

struct RedisReply {
  enum class Kind { kNil, kInteger, kText, kError, kArray };
  Kind kind = Kind::kNil;
  std::int64_t integer = 0;
  std::string text;  // kText (also for a status like "OK"), kError
  std::vector<RedisReply> elements;
};

/// The element at `at`, or nil.
const RedisReply& ElementOf(const RedisReply& reply, std::size_t at);
/// Of a reply that lists fields and their values in turn.
std::map<std::string, std::string> ToFields(const RedisReply& reply);

class RedisClient {
 public:
  /// On failure Error::kStore, and `why` for people.
  using OnConnected = std::function<void(Result<void>, const std::string& why)>;
  /// Error::kStore when the connection was lost. What the server refuses is a reply of kind kError.
  using OnReply = std::function<void(Result<RedisReply>)>;
  using OnLost = std::function<void(const std::string& why)>;

  /// `io` outlives the client. The process ignores SIGPIPE from here on.
  explicit RedisClient(boost::asio::io_context& io);
  /// Ends the connection; what is outstanding is not called any more. Allowed in a callback.
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  /// Resolves, connects, authenticates and selects the database, all within the timeout. To be
  /// called once, and again after a failure or a loss.
  void Connect(RedisAddress address, OnConnected then, int timeout_ms = 5000);

  /// Called once for each connection that was made and then lost, after every outstanding command
  /// has had its error.
  void set_on_lost(OnLost on_lost);

  /// Error::kStore at once without a connection.
  void Command(const std::vector<std::string>& arguments, OnReply then);

 private:
  class Connection;

  boost::asio::io_context& io_;
  OnLost on_lost_;
  std::shared_ptr<Connection> connection_;  // shared with its pending operations
};

}  // namespace trawl

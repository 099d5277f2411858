// A redis-server of a test's own: on a Unix socket in a temporary folder, without snapshots. It
// ends with this object, or with the test's process however that ends.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace trawl {

class RedisServer {
 public:
  enum class Log { kNone, kAppendOnlyFile };

  /// Returns when the server accepts connections; throws std::runtime_error with what it wrote when
  /// it does not come up.
  explicit RedisServer(Log log = Log::kNone);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::string url() const { return "unix://" + socket_path(); }
  std::string socket_path() const { return folder_ + "/redis.sock"; }

  /// Ends the server at once, as a crash would, and waits until it is gone.
  void Kill();
  /// Starts it again on what it has kept.
  void Start();
  /// Drops what a killed server has kept.
  void Forget();
  /// Starts it again on a copy of what another server has kept in this folder.
  void Restore(const std::string& folder);
  void Signal(int signal);

  /// Runs a command on a connection of its own and waits for it. Returns the reply's texts and
  /// numbers, nested ones in order; a nil is "". Throws std::runtime_error for an error.
  std::vector<std::string> Run(const std::vector<std::string>& command) const;

 private:
  void CleanUp();

  const Log log_;
  std::string folder_;
  pid_t pid_ = 0;  // 0: not running
};

}  // namespace trawl

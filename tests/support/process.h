// A program under test as a real process, with its output in files. Ended with this object.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace trawl {

/// A new folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Process {
 public:
  using Command = std::vector<std::string>;

  /// Starts it; output goes to `log`.out and `log`.err. Throws when it cannot be started.
  Process(Command command, std::filesystem::path log);
  /// Kills it if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal);
  /// Its exit code, or 128 + signal; nothing when it still runs after `patience`.
  std::optional<int> Wait(std::chrono::milliseconds patience = std::chrono::seconds(60));
  bool running();

  std::string out() const;
  std::string err() const;
  pid_t pid() const { return pid_; }
  /// The most memory it ever had, in bytes. After Wait() only.
  std::uint64_t peak_bytes() const { return peak_bytes_; }

 private:
  bool Reap();

  std::filesystem::path log_;
  pid_t pid_ = -1;
  std::optional<int> code_;
  std::uint64_t peak_bytes_ = 0;
};

std::string ReadFile(const std::filesystem::path& path);

void Breathe();  // the pause between two questions of WaitUntil()

/// Asks again and again until `condition` holds; false when `patience` ran out first.
template <class Condition>
bool WaitUntil(Condition condition, std::chrono::milliseconds patience = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    Breathe();
  }
  return true;
}

}  // namespace trawl

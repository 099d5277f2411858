#include "common/file_appender.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace trawl {

namespace {

/// Shortens the file to its last line end.
bool CutTornLine(int file) {
  std::array<char, 4096> block;
  const off_t size = ::lseek(file, 0, SEEK_END);
  off_t end = size;
  while (end > 0) {
    const auto length = std::min<off_t>(end, block.size());
    if (::pread(file, block.data(), length, end - length) != length) return false;
    const std::size_t last = std::string_view(block.data(), length).rfind('\n');
    if (last != std::string_view::npos) {
      end += static_cast<off_t>(last) + 1 - length;
      break;
    }
    end -= length;
  }
  return end == size || ::ftruncate(file, end) == 0;
}

}  // namespace

class FileAppender::Impl {
 public:
  Impl(const std::string& path, Post post, OnStall on_stall, Write write)
      : post_(std::move(post)),
        on_stall_(std::move(on_stall)),
        write_(std::move(write)),
        file_(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ < 0 || !CutTornLine(file_)) {
      throw std::system_error(errno, std::generic_category(), "cannot write " + path);
    }
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
    ::close(file_);
  }

  void Append(std::string bytes, Then then) {
    {
      const std::lock_guard lock(mutex_);
      bytes_ += bytes;
      thens_.push_back(std::move(then));
    }
    WakeSoon();
  }

 private:
  /// At the end of the loop's turn: to wake the thread for each line would cost more than the line.
  void WakeSoon() {
    if (std::exchange(wake_posted_, true)) return;
    post_([this, alive = std::weak_ptr(alive_)] {
      if (alive.expired()) return;
      wake_posted_ = false;
      wake_.notify_one();
    });
  }

  void Run() {
    boost::system::error_code error;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return ending_ || !thens_.empty(); });
      if (thens_.empty()) return;
      const std::string bytes = std::exchange(bytes_, {});
      std::vector<Then> thens = std::exchange(thens_, {});
      const bool ending = ending_;
      lock.unlock();
      // After a failed write the last line may be torn: nothing may follow it.
      if (!error) error = WriteAll(bytes);
      if (!ending) {
        post_([thens = std::move(thens), error] {
          for (const Then& then : thens) then(error);
        });
      }
      lock.lock();
    }
  }

  boost::system::error_code WriteAll(std::string_view bytes) {
    bool last_try = false;
    while (!bytes.empty()) {
      const ssize_t written = write_(file_, bytes.data(), bytes.size());
      if (written >= 0) {
        Tell({});
        bytes.remove_prefix(static_cast<std::size_t>(written));
        continue;
      }
      if (errno == EINTR) continue;
      const boost::system::error_code error(errno, boost::system::generic_category());
      const bool is_full = errno == ENOSPC || errno == EDQUOT;
      if (!is_full || last_try) return error;
      last_try = AwaitRoom(error);
    }
    return {};
  }

  /// True when there is no time to wait any more.
  bool AwaitRoom(boost::system::error_code error) {
    Tell(error);
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, kPause, [this] { return ending_; });
  }

  /// Of a change.
  void Tell(boost::system::error_code stalled) {
    if (stalled.failed() == std::exchange(stalled_, stalled.failed())) return;
    post_([on_stall = on_stall_, stalled] { on_stall(stalled); });
  }

  static constexpr std::chrono::milliseconds kPause{500};

  const Post post_;
  const OnStall on_stall_;
  const Write write_;
  const int file_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>();
  bool wake_posted_ = false;  // the loop's own
  bool stalled_ = false;      // the thread's own
  std::thread thread_;

  std::mutex mutex_;  // protects what follows
  std::condition_variable wake_;
  std::string bytes_;
  std::vector<Then> thens_;
  bool ending_ = false;
};

FileAppender::FileAppender(const std::string& path, Post post, OnStall on_stall)
    : FileAppender(path, std::move(post), std::move(on_stall), ::write) {}
FileAppender::FileAppender(const std::string& path, Post post, OnStall on_stall, Write write)
    : impl_(std::make_unique<Impl>(path, std::move(post), std::move(on_stall), std::move(write))) {}
FileAppender::~FileAppender() = default;

void FileAppender::Append(std::string bytes, Then then) {
  impl_->Append(std::move(bytes), std::move(then));
}

}  // namespace trawl

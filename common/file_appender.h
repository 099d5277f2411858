// Appends to a file on a thread of its own, so that the loop never waits for a disk. What has been
// appended in a turn of the loop, or since the last write, goes out in one write(2); whole lines go
// in, so only the last line of a file can ever be torn, by a crash in the middle of that write. On
// a full disk it waits for room and goes on where it stopped.
//
// Constructed, used and destroyed on one thread (the loop's); completions come back through `post`.
#pragma once

#include <sys/types.h>

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace trawl {

class FileAppender {
 public:
  /// Runs a function on the loop's thread, soon but not at once; called from both threads.
  using Post = std::function<void(std::function<void()>)>;
  /// Told with the error when writing begins to wait for room, and without one when it goes on.
  using OnStall = std::function<void(boost::system::error_code)>;
  /// As write(2).
  using Write = std::function<ssize_t(int file, const void* bytes, std::size_t size)>;
  /// Told without error when the bytes are with the kernel, and so survive this process.
  using Then = std::function<void(boost::system::error_code)>;

  /// Opens or creates the file, and cuts off a last line that a crash has torn. Throws
  /// std::system_error with the path in its text.
  FileAppender(const std::string& path, Post post, OnStall on_stall);
  FileAppender(const std::string& path, Post post, OnStall on_stall, Write write);
  /// Writes what was appended, as far as there is room (a full disk is tried once more), and joins
  /// the thread; completions not posted by then are dropped.
  ~FileAppender();

  void Append(std::string bytes, Then then);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

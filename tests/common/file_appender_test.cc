#include "common/file_appender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <mutex>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace trawl {
namespace {

namespace fs = std::filesystem;

const FileAppender::OnStall kNoStall = [](boost::system::error_code error) {
  ADD_FAILURE() << error.message();
};

/// Stands for the loop: functions posted by the writing thread run in Turn().
class Loop {
 public:
  FileAppender::Post Poster() {
    return [this](std::function<void()> function) {
      const std::lock_guard lock(mutex_);
      functions_.push_back(std::move(function));
      posted_.notify_one();
    };
  }
  void Turn() {
    std::unique_lock lock(mutex_);
    posted_.wait(lock, [this] { return !functions_.empty(); });
    const std::function<void()> function = std::move(functions_.front());
    functions_.pop_front();
    lock.unlock();
    function();
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> functions_;
};

class FileAppenderTest : public ::testing::Test {
 protected:
  FileAppenderTest() {
    std::string pattern = (fs::temp_directory_path() / "trawl-appender-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    path_ = (folder_ / "file").string();
  }
  ~FileAppenderTest() override { fs::remove_all(folder_); }

  std::string Content() const {
    std::ostringstream text;
    text << std::ifstream(path_, std::ios::binary).rdbuf();
    return text.str();
  }

  fs::path folder_;
  std::string path_;
  Loop loop_;
};

TEST_F(FileAppenderTest, TellsWhenTheBytesAreInTheFile) {
  FileAppender file(path_, loop_.Poster(), kNoStall);
  const std::thread::id here = std::this_thread::get_id();
  bool told = false;
  file.Append("one\n", [&](boost::system::error_code error) {
    EXPECT_FALSE(error);
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_EQ(Content(), "one\n");
    told = true;
  });
  while (!told) loop_.Turn();
}

TEST_F(FileAppenderTest, GoesOnWhereTheFileEnds) {
  for (const char* text : {"1\n", "2\n"}) {
    FileAppender file(path_, loop_.Poster(), kNoStall);
    file.Append(text, [](boost::system::error_code) {});
  }
  EXPECT_EQ(Content(), "1\n2\n");
}

TEST_F(FileAppenderTest, CutsOffALineThatACrashHasTorn) {
  for (const std::string& torn : {std::string("torn"), std::string(10'000, 't')}) {
    for (const std::string& whole : {std::string(), std::string("whole\n")}) {
      std::ofstream(path_) << whole << torn;
      {
        FileAppender file(path_, loop_.Poster(), kNoStall);
        file.Append("next\n", [](boost::system::error_code) {});
      }
      EXPECT_EQ(Content(), whole + "next\n");
    }
  }
}

TEST_F(FileAppenderTest, KeepsTheOrderOfBytesAndCompletions) {
  constexpr int kLines = 10'000;
  std::string wanted;
  std::vector<int> told;
  FileAppender file(path_, loop_.Poster(), kNoStall);
  for (int i = 0; i < kLines; ++i) {
    const std::string line = std::to_string(i) + "\n";
    wanted += line;
    file.Append(line, [&told, i](boost::system::error_code error) {
      EXPECT_FALSE(error);
      told.push_back(i);
    });
  }
  while (told.size() < kLines) loop_.Turn();
  std::vector<int> in_order(kLines);
  std::iota(in_order.begin(), in_order.end(), 0);
  EXPECT_EQ(told, in_order);
  EXPECT_EQ(Content(), wanted);
}

TEST_F(FileAppenderTest, WakesItsThreadOnceForAllThatATurnOfTheLoopAppends) {
  std::atomic<int> posts = 0;
  std::atomic<int> writes = 0;
  std::latch first_begins(1);
  std::latch all_appended(1);
  FileAppender file(
      path_,
      [&](std::function<void()> function) {
        ++posts;
        loop_.Poster()(std::move(function));
      },
      kNoStall,
      [&](int to, const void* bytes, std::size_t size) {
        if (++writes == 1) {
          first_begins.count_down();
          all_appended.wait();
        }
        return ::write(to, bytes, size);
      });
  constexpr int kLines = 1'000;
  int told = 0;
  const auto append = [&] { file.Append("a line\n", [&](boost::system::error_code) { ++told; }); };
  append();
  EXPECT_EQ(posts, 1);
  if (posts > 0) loop_.Turn();
  first_begins.wait();
  const int before = posts;
  for (int i = 1; i < kLines; ++i) append();
  EXPECT_EQ(posts, before + 1);
  all_appended.count_down();
  while (told < kLines) loop_.Turn();
  EXPECT_EQ(writes, 2);
}

TEST_F(FileAppenderTest, WritesAllBeforeItEnds) {
  const std::string much(10'000'000, 'x');
  {
    FileAppender file(path_, loop_.Poster(), kNoStall);
    file.Append("first ", [](boost::system::error_code) {});
    file.Append(much, [](boost::system::error_code) {});
  }
  EXPECT_EQ(fs::file_size(path_), much.size() + 6);
}

TEST_F(FileAppenderTest, ACompletionMayAppend) {
  int left = 5;
  FileAppender file(path_, loop_.Poster(), kNoStall);
  std::function<void(boost::system::error_code)> again = [&](boost::system::error_code) {
    if (--left > 0) file.Append("x", again);
  };
  file.Append("x", again);
  while (left > 0) loop_.Turn();
  EXPECT_EQ(Content(), "xxxxx");
}

TEST_F(FileAppenderTest, NamesTheFileThatItCannotOpen) {
  try {
    FileAppender file((folder_ / "no" / "such").string(), loop_.Poster(), kNoStall);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr((folder_ / "no" / "such").string()));
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  }
}

/// A disk that has room for so many bytes.
class SmallDisk {
 public:
  FileAppender::Write Writer() {
    return [this](int file, const void* bytes, std::size_t size) -> ssize_t {
      const std::lock_guard lock(mutex_);
      if (room_ == 0) {
        errno = error_;
        return -1;
      }
      const ssize_t written = ::write(file, bytes, std::min(size, room_));
      room_ -= static_cast<std::size_t>(written);
      return written;
    };
  }
  void SetRoom(std::size_t room) {
    const std::lock_guard lock(mutex_);
    room_ = room;
  }
  void SetError(int error) { error_ = error; }

 private:
  std::mutex mutex_;
  std::size_t room_ = 0;
  int error_ = ENOSPC;
};

TEST_F(FileAppenderTest, WaitsForRoomAndGoesOnWhereItStopped) {
  struct Case {
    int full;
    std::size_t room;
  };
  for (const auto& [full, room] : {Case{ENOSPC, 0}, Case{ENOSPC, 6}, Case{EDQUOT, 8}}) {
    std::filesystem::remove(path_);
    SmallDisk disk;
    disk.SetError(full);
    disk.SetRoom(room);
    std::vector<std::string> told;
    FileAppender file(
        path_, loop_.Poster(),
        [&](boost::system::error_code error) { told.push_back(error ? error.message() : "room"); },
        disk.Writer());
    for (const char* line : {"first\n", "second\n", "third\n"}) {
      file.Append(line, [&told, line](boost::system::error_code error) {
        told.push_back(error ? "failed" : line);
      });
    }
    const std::string why =
        boost::system::error_code(full, boost::system::generic_category()).message();
    while (told.empty() || told.back() != why) loop_.Turn();
    disk.SetRoom(1'000);
    while (told.back() != "third\n") loop_.Turn();
    EXPECT_EQ(Content(), "first\nsecond\nthird\n") << room;
    EXPECT_EQ(std::count(told.begin(), told.end(), why), 1) << room;
    EXPECT_EQ(std::count(told.begin(), told.end(), "room"), 1) << room;
    EXPECT_EQ(std::count(told.begin(), told.end(), "failed"), 0) << room;
  }
}

TEST_F(FileAppenderTest, EndsWhileThereIsNoRoom) {
  SmallDisk disk;
  disk.SetRoom(8);
  {
    bool full = false;
    FileAppender file(
        path_, loop_.Poster(), [&](boost::system::error_code) { full = true; }, disk.Writer());
    file.Append("first\nsecond\n", [](boost::system::error_code) {});
    while (!full) loop_.Turn();
  }
  EXPECT_EQ(Content(), "first\nse");
  FileAppender next(path_, loop_.Poster(), kNoStall);
  EXPECT_EQ(Content(), "first\n") << "the torn line is gone";
}

TEST_F(FileAppenderTest, TriesOnceMoreWhenItEnds) {
  SmallDisk disk;
  {
    bool full = false;
    FileAppender file(
        path_, loop_.Poster(), [&](boost::system::error_code) { full = true; }, disk.Writer());
    file.Append("first\n", [](boost::system::error_code) {});
    while (!full) loop_.Turn();
    disk.SetRoom(1'000);
  }
  EXPECT_EQ(Content(), "first\n");
}

TEST_F(FileAppenderTest, AnotherErrorFailsAllThatFollow) {
  SmallDisk disk;
  disk.SetError(EIO);
  FileAppender file(path_, loop_.Poster(), kNoStall, disk.Writer());
  int told = 0;
  const auto fails = [&](boost::system::error_code error) {
    EXPECT_EQ(error.value(), EIO);
    ++told;
  };
  file.Append("1", fails);
  while (told < 1) loop_.Turn();
  disk.SetRoom(100);
  file.Append("2", fails);
  while (told < 2) loop_.Turn();
}

}  // namespace
}  // namespace trawl

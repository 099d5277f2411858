#include "common/file_appender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
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
  FileAppender file(path_, loop_.Poster());
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
    FileAppender file(path_, loop_.Poster());
    file.Append(text, [](boost::system::error_code) {});
  }
  EXPECT_EQ(Content(), "1\n2\n");
}

TEST_F(FileAppenderTest, CutsOffALineThatACrashHasTorn) {
  for (const std::string& torn : {std::string("torn"), std::string(10'000, 't')}) {
    for (const std::string& whole : {std::string(), std::string("whole\n")}) {
      std::ofstream(path_) << whole << torn;
      {
        FileAppender file(path_, loop_.Poster());
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
  FileAppender file(path_, loop_.Poster());
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

TEST_F(FileAppenderTest, WritesAllBeforeItEnds) {
  const std::string much(10'000'000, 'x');
  {
    FileAppender file(path_, loop_.Poster());
    file.Append("first ", [](boost::system::error_code) {});
    file.Append(much, [](boost::system::error_code) {});
  }
  EXPECT_EQ(fs::file_size(path_), much.size() + 6);
}

TEST_F(FileAppenderTest, ACompletionMayAppend) {
  int left = 5;
  FileAppender file(path_, loop_.Poster());
  std::function<void(boost::system::error_code)> again = [&](boost::system::error_code) {
    if (--left > 0) file.Append("x", again);
  };
  file.Append("x", again);
  while (left > 0) loop_.Turn();
  EXPECT_EQ(Content(), "xxxxx");
}

TEST_F(FileAppenderTest, AFailedWriteFailsAllThatFollow) {
  FileAppender file("/dev/full", loop_.Poster());
  int told = 0;
  const auto fails = [&](boost::system::error_code error) {
    EXPECT_EQ(error, boost::system::errc::no_space_on_device);
    ++told;
  };
  file.Append("1", fails);
  while (told < 1) loop_.Turn();
  file.Append("2", fails);
  while (told < 2) loop_.Turn();
}

TEST_F(FileAppenderTest, NamesTheFileThatItCannotOpen) {
  try {
    FileAppender file((folder_ / "no" / "such").string(), loop_.Poster());
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr((folder_ / "no" / "such").string()));
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  }
}

}  // namespace
}  // namespace trawl

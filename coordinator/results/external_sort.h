// Sorts any number of records in bounded memory: sorted runs go to temporary files, which are
// merged. The files have no name, so that nothing is left of them whatever happens.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace trawl {

/// `Record` is plain bytes with an operator<.
template <class Record>
class ExternalSort {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  /// The temporary files are made in `folder`. About `max_bytes` are held in memory. All members
  /// throw std::system_error with the folder in its text when a file cannot be written or read.
  ExternalSort(std::filesystem::path folder, std::size_t max_bytes)
      : folder_(std::move(folder)), most_(std::max<std::size_t>(1, max_bytes / sizeof(Record))) {}

  void Add(const Record& record) {
    if (buffer_.size() == most_) Spill();
    buffer_.push_back(record);
  }

  /// The records in order, one by one; nothing after the last. From the first call on nothing is
  /// added any more.
  std::optional<Record> Next() {
    if (!std::exchange(sorted_, true)) Sort();
    if (runs_.empty()) {
      return next_ < buffer_.size() ? std::optional(buffer_[next_++]) : std::nullopt;
    }
    if (heads_.empty()) return std::nullopt;
    const Head head = heads_.top();
    heads_.pop();
    Read(head.run);
    return head.record;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using Run = std::unique_ptr<std::FILE, Close>;
  struct Head {
    Record record;
    std::FILE* run;
    bool operator<(const Head& other) const { return other.record < record; }  // least on top
  };

  void Spill() {
    std::sort(buffer_.begin(), buffer_.end());
    std::string path = (folder_ / ".sort-XXXXXX").string();
    const int file = ::mkstemp(path.data());
    if (file < 0) Throw("cannot write to ");
    ::unlink(path.c_str());
    Run run(::fdopen(file, "w+b"));
    const std::size_t written =
        run ? std::fwrite(buffer_.data(), sizeof(Record), buffer_.size(), run.get()) : 0;
    if (written != buffer_.size() || std::fflush(run.get()) != 0) Throw("cannot write to ");
    std::rewind(run.get());
    runs_.push_back(std::move(run));
    buffer_.clear();
  }

  void Sort() {
    if (runs_.empty()) return std::sort(buffer_.begin(), buffer_.end());
    Spill();
    buffer_ = {};
    for (const Run& run : runs_) Read(run.get());
  }

  void Read(std::FILE* run) {
    Head head{{}, run};
    if (std::fread(&head.record, sizeof(Record), 1, run) == 1) {
      heads_.push(head);
    } else if (std::ferror(run) != 0) {
      Throw("cannot read from ");
    }
  }

  [[noreturn]] void Throw(const char* what) const {
    throw std::system_error(errno, std::generic_category(), what + folder_.string());
  }

  const std::filesystem::path folder_;
  const std::size_t most_;
  std::vector<Record> buffer_;
  std::vector<Run> runs_;
  bool sorted_ = false;
  std::size_t next_ = 0;             // in buffer_, when there are no runs
  std::priority_queue<Head> heads_;  // of the runs
};

}  // namespace trawl

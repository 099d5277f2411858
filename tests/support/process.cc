#include "tests/support/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

namespace trawl {
namespace {

std::system_error Failure(const std::string& what) {
  return std::system_error(errno, std::generic_category(), what);
}

void SendOutputTo(const std::string& path, int descriptor) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(126);
  ::close(file);
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "trawl-test-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw Failure("mkdtemp");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(Command command, std::filesystem::path log) : log_(std::move(log)) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const std::string out = log_.string() + ".out";
  const std::string err = log_.string() + ".err";
  pid_ = ::fork();
  if (pid_ < 0) throw Failure("fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no process outlives a test that crashed
    SendOutputTo(out, STDOUT_FILENO);
    SendOutputTo(err, STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
}

Process::~Process() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::Signal(int signal) {
  if (running()) ::kill(pid_, signal);
}

bool Process::Reap() {
  int status = 0;
  rusage usage{};
  if (code_ || ::wait4(pid_, &status, WNOHANG, &usage) != pid_) return code_.has_value();
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  peak_bytes_ = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return true;
}

bool Process::running() { return !Reap(); }

std::optional<int> Process::Wait(std::chrono::milliseconds patience) {
  WaitUntil([this] { return Reap(); }, patience);
  return code_;
}

std::string Process::out() const { return ReadFile(log_.string() + ".out"); }
std::string Process::err() const { return ReadFile(log_.string() + ".err"); }

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void Breathe() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

}  // namespace trawl

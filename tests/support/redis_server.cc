#include "tests/support/redis_server.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace trawl {
namespace {

/// In the new process: becomes the server, with its output in `output`.
[[noreturn]] void BecomeServer(const std::vector<std::string>& arguments, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  _exit(127);
}

/// Reads the server's output up to the line with which it accepts connections. Redis does without
/// its output afterwards.
void AwaitReadiness(int output) {
  std::string text;
  std::array<char, 4096> piece;
  while (text.find("eady to accept connections") == text.npos) {
    const ssize_t size = read(output, piece.data(), piece.size());
    if (size <= 0) throw std::runtime_error("redis-server did not come up: " + text);
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
}

void AppendTexts(const redisReply& reply, std::vector<std::string>& texts) {
  switch (reply.type) {
    case REDIS_REPLY_ERROR:
      throw std::runtime_error(reply.str);
    case REDIS_REPLY_ARRAY:
      for (std::size_t i = 0; i < reply.elements; ++i) AppendTexts(*reply.element[i], texts);
      break;
    case REDIS_REPLY_INTEGER:
      texts.push_back(std::to_string(reply.integer));
      break;
    case REDIS_REPLY_NIL:
      texts.emplace_back();
      break;
    default:
      texts.emplace_back(reply.str, reply.len);
  }
}

}  // namespace

RedisServer::RedisServer(Log log) : log_(log) {
  folder_ = std::filesystem::temp_directory_path() / "trawl-redis-XXXXXX";
  if (!mkdtemp(folder_.data())) throw std::runtime_error("no temporary folder at " + folder_);
  try {
    Start();
  } catch (...) {
    CleanUp();
    throw;
  }
}

RedisServer::~RedisServer() { CleanUp(); }

void RedisServer::CleanUp() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void RedisServer::Start() {
  const std::vector<std::string> arguments = {"redis-server",
                                              "--port",
                                              "0",
                                              "--unixsocket",
                                              socket_path(),
                                              "--dir",
                                              folder_,
                                              "--save",
                                              "",
                                              "--appendonly",
                                              log_ == Log::kAppendOnlyFile ? "yes" : "no"};
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) BecomeServer(arguments, output[1]);
  close(output[1]);
  const std::unique_ptr<int, void (*)(int*)> closer(&output[0], [](int* end) { close(*end); });
  if (pid_ < 0) throw std::runtime_error("no new process");
  AwaitReadiness(output[0]);
}

void RedisServer::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void RedisServer::Forget() { std::filesystem::remove_all(folder_ + "/appendonlydir"); }

void RedisServer::Restore(const std::string& folder) {
  Kill();
  Forget();
  std::filesystem::copy(folder + "/appendonlydir", folder_ + "/appendonlydir");
  Start();
}

void RedisServer::Signal(int signal) { kill(pid_, signal); }

std::vector<std::string> RedisServer::Run(const std::vector<std::string>& command) const {
  const std::unique_ptr<redisContext, void (*)(redisContext*)> context(
      redisConnectUnix(socket_path().c_str()), redisFree);
  if (!context || context->err) throw std::runtime_error("no connection to " + socket_path());
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : command) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  const std::unique_ptr<void, void (*)(void*)> reply(
      redisCommandArgv(context.get(), static_cast<int>(texts.size()), texts.data(), sizes.data()),
      freeReplyObject);
  if (!reply) throw std::runtime_error(context->errstr);
  std::vector<std::string> out;
  AppendTexts(*static_cast<const redisReply*>(reply.get()), out);
  return out;
}

}  // namespace trawl

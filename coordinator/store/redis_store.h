// A store in Redis: each step is one call of a function of store.lua, which also tells the keys.
// Steps are sent as they are applied, without waiting for the replies before; but of reports that
// follow one another, those that are applied while some are under way travel together, in one call
// that costs much less than many. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/store/redis_client.h"
#include "coordinator/store/redis_steps.h"
#include "coordinator/store/store.h"

namespace trawl {

/// The text of store.lua; compiled in from a source that the build makes of it.
extern const std::string_view kStoreLua;

class RedisStore : public Store {
 public:
  /// `client` is connected and outlives the store; the store outlives its outstanding steps. `job`
  /// has no braces.
  RedisStore(RedisClient& client, std::string job);

  /// Also puts the functions on the server, and raises its set-max-intset-entries where that is too
  /// low and permitted (without it the seen set takes several times the memory). Opening again
  /// drops what was applied before and has not been sent.
  void Open(OpenMode mode, std::map<std::string, std::string> job, OnOpen then) override;
  void Apply(const Step& step, OnReply then) override;

  /// What the server said to the step that failed last; for people.
  const std::string& error_text() const { return error_text_; }

 private:
  class Opening;
  using Arguments = RedisArguments;

  /// Steps of one kind for one call.
  struct Batch {
    std::string_view function;
    Arguments arguments;
    std::size_t urls = 0;  // that are to be leased
    std::vector<OnReply> then;
    Result<Reply> (*reply_to)(const RedisReply&) = nullptr;
  };

  void Gather(FunctionCall call, std::size_t urls, OnReply then);
  void SendBatch();

  /// Calls a function; `then` gets its reply, or Error::kStore.
  void Call(std::string_view function, Arguments arguments, RedisClient::OnReply then);
  void Send(const Arguments& command, RedisClient::OnReply then);

  RedisClient& client_;
  const std::string job_;
  std::uint64_t epoch_ = 0;    // 0: not opened
  int life_ = 0;               // times that it was opened
  Batch batch_;                // to be sent
  int batches_under_way_ = 0;  // of this life
  std::string error_text_;
};

}  // namespace trawl

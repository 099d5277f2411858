// A step of the store as a call of one of store.lua's functions, and what the function's reply
// says. No I/O.
#pragma once

#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/store/redis_client.h"
#include "coordinator/store/store.h"

namespace trawl {

using RedisArguments = std::vector<std::string>;

struct FunctionCall {
  std::string_view name;
  RedisArguments arguments;  // without the epoch
  /// Of one step; a call of `lease` or `accept` may take several, and has a reply for each.
  Result<Reply> (*reply_to)(const RedisReply& reply) = nullptr;
};

FunctionCall CallFor(const Step& step);

/// name value name value ...
RedisArguments PairsOf(const std::map<std::string, std::string>& fields);

/// 0 for what is no number.
template <class Number>
Number ToNumber(std::string_view text) {
  Number number = 0;
  std::from_chars(text.begin(), text.end(), number);
  return number;
}

std::vector<std::string_view> SplitAtBlanks(std::string_view text);

/// From milliseconds of the Unix epoch.
WallTime ToTime(std::string_view text);

}  // namespace trawl

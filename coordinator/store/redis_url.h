// Where a Redis server is, and the URL that says so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace trawl {

struct RedisAddress {
  std::string socket_path;  // of a Unix socket; empty: TCP
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user;      // empty: the default user
  std::string password;  // empty: none
  int database = 0;
};

/// Parses
///
///     "redis://" [userinfo "@"] [host] [":" port] ["/" [database]]
///     "unix://" [userinfo "@"] absolute-path ["?db=" database]
///     userinfo = password / [user] ":" password
///
/// with percent-escapes in userinfo and path, and IPv6 addresses in brackets. Error::kUsage with a
/// sentence for the user in `why`.
Result<RedisAddress> ParseRedisUrl(std::string_view url, std::string& why);

}  // namespace trawl

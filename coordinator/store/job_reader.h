// Looks into a job in Redis on behalf of a person, and changes nothing. Calls block; the job may be
// running meanwhile.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/frontier_entry.h"
#include "coordinator/store/redis_client.h"
#include "coordinator/store/store.h"

namespace trawl {

/// Where a URL is in a job's state. A URL that was seen and neither waits nor is leased has ended.
struct UrlPlace {
  bool seen = false;
  struct Waiting {
    int depth = 0;
    std::uint64_t ahead = 0;  // entries of its host queue before it
    FrontierEntry entry;
  };
  std::optional<Waiting> waiting;
  struct Leased {
    int depth = 0;
    LeaseId lease = 0;
    std::string worker;
    FrontierEntry entry;
  };
  std::optional<Leased> leased;
  struct Delayed {
    int depth = 0;
    WallTime until{};
    FrontierEntry entry;
  };
  std::optional<Delayed> delayed;  // is to be tried again
};

class JobReader {
 public:
  using Fields = std::map<std::string, std::string>;

  /// Connects. Throws std::runtime_error when Redis cannot be reached, as every other function does
  /// when it is lost or refuses.
  JobReader(const RedisAddress& address, std::string job);

  /// The hash under a key of the job, as "job" is one; empty when there is none.
  Fields Hash(std::string_view name);
  /// A field of it; nothing when it is not there.
  std::optional<std::string> Field(std::string_view name, std::string_view field);
  /// Where a canonical URL is. Takes time with the length of its host queue.
  UrlPlace Find(std::string_view url);

 private:
  struct Found;

  template <class Answer>
  void Await(const std::optional<Answer>& answer);
  RedisReply Run(const std::vector<std::string>& command);
  Found FindAtOnce(std::string_view url);
  std::optional<UrlPlace::Waiting> FindWaiting(std::string_view url, int depth);
  std::optional<UrlPlace::Delayed> FindDelayed(std::string_view url);
  std::string Key(std::string_view name) const;

  boost::asio::io_context io_{1};
  const std::string job_;
  RedisClient client_;
};

}  // namespace trawl

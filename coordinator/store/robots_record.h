// What the store keeps of one origin's robots.txt: the file, or that there is none, or how often it
// could not be had. A plain value; its fields are texts that a person can read in Redis.
#pragma once

#include <map>
#include <string>

#include "common/clock.h"
#include "common/error.h"

namespace trawl {

struct RobotsRecord {
  enum class State {
    kRules,     // `body` has them
    kAllowAll,  // there is none
    kFailing,   // could not be had; nobody asks the origin before `next_try`
    kGivenUp,   // could not be had too often: the origin's URLs fail for `reason`
  };
  State state = State::kAllowAll;
  std::string body;               // kRules: any bytes
  int status = 0;                 // HTTP status of the last answer; 0: there was none
  int failures = 0;               // tries in a row, up to now; kFailing and kGivenUp
  Error reason = Error::kRobots;  // kFailing and kGivenUp
  std::string detail;             // likewise; for people
  WallTime fetched{};             // the last try
  WallTime next_try{};            // kFailing only
  WallTime expires{};             // the record is void from then on

  using Fields = std::map<std::string, std::string>;
  Fields ToFields() const;
  /// Error::kStore when they are not those of a record.
  static Result<RobotsRecord> FromFields(const Fields& fields);

  friend bool operator==(const RobotsRecord&, const RobotsRecord&) = default;
};

}  // namespace trawl

// What names resolved to, for as long as the answers may be used. Bounded in entries; the one that
// was not asked for longest goes first. Time comes in as `now`.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "common/error.h"

namespace trawl {

/// The answer to a lookup: IPv6 addresses, then IPv4 ones, or an error.
struct Resolution {
  boost::system::error_code error;  // none or Error::kDns
  std::string detail;               // for people; empty without an error
  bool permanent = false;           // DNS knows that there is no address: not a failure to find out
  std::vector<boost::asio::ip::address> addresses;
};

class AddressCache {
 public:
  explicit AddressCache(std::size_t max_entries) : max_entries_(max_entries) {}

  /// None when the name is not known or its answer is out of date. Shared, since many fetches of a
  /// host use one answer while the cache may drop it.
  std::shared_ptr<const Resolution> Find(std::string_view name, TimePoint now);

  void Insert(const std::string& name, std::shared_ptr<const Resolution> answer, TimePoint expires);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<const Resolution> answer;
    TimePoint expires;
  };
  using Position = std::list<Entry>::iterator;

  void Remove(Position entry);

  const std::size_t max_entries_;
  std::list<Entry> entries_;                                // asked for last first
  std::unordered_map<std::string_view, Position> by_name_;  // keys are the entries' names
};

}  // namespace trawl

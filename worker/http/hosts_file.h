// The names of a hosts file (hosts(5)), which come before DNS.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace trawl {

class HostsFile {
 public:
  /// A file that cannot be read has no names.
  explicit HostsFile(const std::string& path);

  /// The addresses of a name in lower case, in the file's order; none when it is not there.
  const std::vector<boost::asio::ip::address>* Find(const std::string& name) const;

 private:
  std::unordered_map<std::string, std::vector<boost::asio::ip::address>> names_;
};

}  // namespace trawl

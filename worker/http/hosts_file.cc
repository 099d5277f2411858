#include "worker/http/hosts_file.h"

#include <fstream>
#include <sstream>

#include "common/text.h"

namespace trawl {

HostsFile::HostsFile(const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    words >> word;
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(word, ec);
    if (ec) continue;
    while (words >> word) names_[LowerCase(word)].push_back(address);
  }
}

const std::vector<boost::asio::ip::address>* HostsFile::Find(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace trawl

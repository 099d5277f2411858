// The cookies of all hosts of which this worker has a lease: puts them into requests, and takes
// them out of responses. Lives on the worker's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "worker/cookie_jar.h"
#include "worker/http/fetcher.h"

namespace trawl {

class HostCookies {
 public:
  /// Gives `request` the cookies of `host`, a host queue's name, and makes `observer` hand in those
  /// that the response sets.
  std::unique_ptr<FetchObserver> Carry(const std::string& host, FetchRequest& request,
                                       std::unique_ptr<FetchObserver> observer);

  void Drop(const std::string& host) { jars_.erase(host); }
  void DropUnless(const std::function<bool(const std::string& host)>& keep) {
    std::erase_if(jars_, [&](const auto& jar) { return !keep(jar.first); });
  }

 private:
  // Shared with fetches under way, which may outlast the last lease of their host.
  std::unordered_map<std::string, std::shared_ptr<CookieJar>> jars_;
};

}  // namespace trawl

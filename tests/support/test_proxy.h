// An HTTP proxy on a loopback address for tests. It logs what it is asked, answers requests in
// absolute form with one page, and opens tunnels to one port of loopback, whatever name
// they are for. Runs on a thread of its own from construction to destruction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trawl {

class TestProxy {
 public:
  struct Options {
    std::uint16_t tunnel_port = 0;
    std::string answer = "HTTP/1.1 200 Connection established\r\n\r\n";  // to CONNECT, as sent
    // To any other request, as sent.
    std::string page = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nby proxy";
  };

  /// Throws when it cannot listen.
  explicit TestProxy(Options options);
  ~TestProxy();

  std::uint16_t port() const;
  /// The heads of all requests so far, as they came.
  std::vector<std::string> heads() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

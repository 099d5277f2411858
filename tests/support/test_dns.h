// A DNS server for IPv4 addresses on a free UDP port of 127.0.0.1 (RFC 1035, section 4). It says
// that other names do not exist, and nothing at all about "silent.test". Lives on the thread of the
// test's io_context, which outlives it.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace trawl {

class TestDns {
 public:
  explicit TestDns(boost::asio::io_context& io);

  /// "127.0.0.1:PORT".
  std::string address() const;

  std::map<std::string, std::vector<std::string>> hosts;  // name to addresses
  std::uint8_t ttl_seconds = 60;
  std::size_t queries = 0;

 private:
  void Receive();
  void Answer(std::size_t size);

  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint from_;
  std::array<std::uint8_t, 512> query_;
};

}  // namespace trawl

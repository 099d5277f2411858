#include "tests/support/test_dns.h"

#include <boost/asio/buffer.hpp>

namespace trawl {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

constexpr std::size_t kHeaderBytes = 12;
constexpr std::uint8_t kTypeA = 1;
constexpr std::uint8_t kNoSuchName = 3;

}  // namespace

TestDns::TestDns(asio::io_context& io)
    : socket_(io, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  Receive();
}

std::string TestDns::address() const {
  return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
}

void TestDns::Receive() {
  socket_.async_receive_from(asio::buffer(query_), from_,
                             [this](const boost::system::error_code& ec, std::size_t size) {
                               if (ec) return;
                               ++queries;
                               Answer(size);
                               Receive();
                             });
}

void TestDns::Answer(std::size_t size) {
  std::string name;
  std::size_t at = kHeaderBytes;
  for (; at < size && query_[at] != 0; at += query_[at] + 1u) {
    if (!name.empty()) name += '.';
    name.append(reinterpret_cast<const char*>(&query_[at + 1]), query_[at]);
  }
  if (name == "silent.test") return;

  const std::uint8_t type = query_[at + 2];
  std::string reply(query_.begin(), query_.begin() + static_cast<std::ptrdiff_t>(at + 5));
  const auto found = hosts.find(name);
  reply[2] = '\x81';  // a response
  reply[3] = static_cast<char>(found == hosts.end() ? 0x80 | kNoSuchName : 0x80);
  reply[10] = reply[11] = 0;  // the query's additional records are left out
  if (found != hosts.end() && type == kTypeA) {
    reply[7] = static_cast<char>(found->second.size());
    for (const std::string& address : found->second) {
      const char record[] = {
          '\xc0', kHeaderBytes, 0, kTypeA, 0, 1, 0, 0, 0, static_cast<char>(ttl_seconds), 0, 4};
      reply.append(record, sizeof record);
      for (const std::uint8_t byte : asio::ip::make_address_v4(address).to_bytes()) {
        reply += static_cast<char>(byte);
      }
    }
  }
  socket_.send_to(asio::buffer(reply), from_);
}

}  // namespace trawl

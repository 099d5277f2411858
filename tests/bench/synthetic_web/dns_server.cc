#include "tests/bench/synthetic_web/dns_server.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <utility>

namespace trawl {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

constexpr std::size_t kHeaderBytes = 12;
constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeSoa = 6;
constexpr std::uint32_t kTtlSeconds = 3'600;

std::string Number(std::uint64_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
  return text;
}

/// A record of the name that was asked for.
std::string Record(std::uint16_t type, const std::string& data) {
  const std::string pointer = Number(0xc000 + kHeaderBytes, 2);
  return pointer + Number(type, 2) + Number(1, 2) + Number(kTtlSeconds, 4) +
         Number(data.size(), 2) + data;
}

std::string Soa() {
  const std::string root(1, '\0');
  std::string data = root + root;
  for (const std::uint32_t value : {1U, 3'600U, 600U, 86'400U, kTtlSeconds}) {
    data += Number(value, 4);
  }
  return Record(kTypeSoa, data);
}

struct Question {
  std::string name;
  std::uint16_t type = 0;
  std::size_t end = 0;  // in the message
};

/// Of a query that is well-formed, as those of a resolver are; without a type otherwise.
Question ReadQuestion(std::string_view query) {
  Question question;
  std::size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) {
    const auto length = static_cast<std::size_t>(query[at]);
    if (!question.name.empty()) question.name += '.';
    question.name += query.substr(at + 1, length);
    at += 1 + length;
  }
  if (at + 5 > query.size()) return {};
  question.type = static_cast<std::uint16_t>(static_cast<unsigned char>(query[at + 1]) << 8 |
                                             static_cast<unsigned char>(query[at + 2]));
  question.end = at + 5;
  return question;
}

}  // namespace

class SyntheticDns::Impl {
 public:
  Impl(asio::io_context& io, const SyntheticWeb& web, Counts& counts)
      : web_(web),
        counts_(counts),
        socket_(io, udp::endpoint(asio::ip::address_v4::loopback(), 53)) {
    error_code ignored;
    socket_.set_option(asio::socket_base::receive_buffer_size(4 << 20), ignored);
    socket_.non_blocking(true);
    Wait();
  }

 private:
  void Wait() {
    socket_.async_wait(udp::socket::wait_read, [this](error_code error) {
      if (error) return;
      Receive();
      Wait();
    });
  }

  void Receive() {
    for (;;) {
      udp::endpoint client;
      error_code error;
      const std::size_t bytes = socket_.receive_from(asio::buffer(input_), client, 0, error);
      if (error) return;
      Answer(std::string_view(input_.data(), bytes), client);
    }
  }

  void Answer(std::string_view query, const udp::endpoint& client) {
    if (query.size() < kHeaderBytes) return;
    const Question question = ReadQuestion(query);
    if (question.type == 0) return;
    ++counts_.dns_queries;
    const auto host = web_.HostOf(question.name);
    const bool answers = host && question.type == kTypeA;
    std::string reply(query.substr(0, 2));
    reply += Number(host ? 0x8580 : 0x8583, 2) + Number(1, 2) + Number(answers ? 1 : 0, 2) +
             Number(answers ? 0 : 1, 2) + Number(0, 2);
    reply += query.substr(kHeaderBytes, question.end - kHeaderBytes);
    if (answers) {
      const auto address = SyntheticWeb::AddressOf(*host).to_bytes();
      reply += Record(kTypeA, std::string(address.begin(), address.end()));
    } else {
      reply += Soa();
    }
    // A tenth of that of the host: servers of names are near, or many.
    const auto timer = std::make_shared<asio::steady_timer>(
        socket_.get_executor(), SyntheticWeb::LatencyOf(host.value_or(0)) / 10);
    timer->async_wait([this, timer, client, reply = std::move(reply)](error_code error) {
      error_code lost;  // as on any network
      if (!error) socket_.send_to(asio::buffer(reply), client, 0, lost);
    });
  }

  const SyntheticWeb& web_;
  Counts& counts_;
  udp::socket socket_;
  std::array<char, 1'500> input_;
};

SyntheticDns::SyntheticDns(asio::io_context& io, const SyntheticWeb& web, Counts& counts)
    : impl_(std::make_unique<Impl>(io, web, counts)) {}

SyntheticDns::~SyntheticDns() = default;

}  // namespace trawl

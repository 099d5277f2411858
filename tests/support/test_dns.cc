#include "tests/support/test_dns.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <string_view>
#include <utility>

namespace trawl {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

constexpr std::size_t kHeaderBytes = 12;
constexpr int kTypeA = 1;
constexpr int kTypeNs = 2;
constexpr int kTypeCname = 5;
constexpr int kTypeSoa = 6;
constexpr int kTypeAaaa = 28;
constexpr int kServerFailure = 2;
constexpr int kNoSuchName = 3;
constexpr int kRefused = 5;

std::string Number16(std::size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}
std::string Number32(std::uint32_t number) {
  return Number16(number >> 16) + Number16(number & 0xffff);
}

std::string EncodeName(std::string_view name) {
  std::string bytes;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    bytes += static_cast<char>(label.size());
    bytes += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  return bytes + '\0';
}

std::string Record(const std::string& owner, int type, std::uint32_t ttl, const std::string& data) {
  return EncodeName(owner) + Number16(type) + Number16(1) + Number32(ttl) + Number16(data.size()) +
         data;
}

template <class Address>
std::string Bytes(const Address& address) {
  const auto bytes = address.to_bytes();
  return {bytes.begin(), bytes.end()};
}

struct Query {
  std::string id;        // 2 bytes
  std::string question;  // as sent
  std::string name;
  int type = 0;
};

Query Parse(std::string_view message) {
  Query query;
  query.id = message.substr(0, 2);
  std::size_t at = kHeaderBytes;
  while (message[at] != 0) {
    const auto length = static_cast<std::size_t>(message[at]);
    if (!query.name.empty()) query.name += '.';
    query.name += message.substr(at + 1, length);
    at += length + 1;
  }
  query.type = message[at + 2];
  query.question = message.substr(kHeaderBytes, at + 5 - kHeaderBytes);
  return query;
}

struct Reply {
  std::string id;
  std::string question;
  int code = 0;
  bool truncated = false;
  std::vector<std::string> answers = {};
  std::vector<std::string> authorities = {};

  std::string Message() const {
    std::string message = id;
    message += static_cast<char>(truncated ? 0x83 : 0x81);  // a response
    message += static_cast<char>(0x80 | code);
    message += Number16(1) + Number16(answers.size()) + Number16(authorities.size()) + Number16(0);
    message += question;
    for (const std::string& record : answers) message += record;
    for (const std::string& record : authorities) message += record;
    return message;
  }
};

/// Records of the addresses of the query's type.
std::vector<std::string> AddressRecords(const Query& query, const std::string& owner,
                                        const std::vector<std::string>& addresses,
                                        std::uint32_t ttl) {
  std::vector<std::string> records;
  for (const std::string& text : addresses) {
    const auto address = asio::ip::make_address(text);
    if (address.is_v4() != (query.type == kTypeA)) continue;
    records.push_back(Record(owner, query.type, ttl,
                             address.is_v4() ? Bytes(address.to_v4()) : Bytes(address.to_v6())));
  }
  return records;
}

}  // namespace

class TestDns::Impl : public std::enable_shared_from_this<TestDns::Impl> {
 public:
  Impl(asio::io_context& io, TestDns& owner)
      : io_(io), owner_(&owner), udp_(io), other_udp_(io), acceptor_(io) {
    const asio::ip::address_v4 loopback = asio::ip::address_v4::loopback();
    // The same port of both; one that is free for UDP may be taken for TCP.
    for (error_code ec = asio::error::address_in_use; ec;) {
      udp_ = udp::socket(io_, udp::endpoint(loopback, 0));
      acceptor_ = tcp::acceptor(io_, tcp::v4());
      acceptor_.bind(tcp::endpoint(loopback, udp_.local_endpoint().port()), ec);
    }
    acceptor_.listen();
    other_udp_ = udp::socket(io_, udp::endpoint(loopback, 0));
  }

  std::uint16_t port() const { return udp_.local_endpoint().port(); }

  void Serve() {
    Receive();
    Accept();
  }

  void Stop() {
    owner_ = nullptr;
    udp_.close();
    acceptor_.close();
  }

 private:
  using Send = std::function<void(const std::string& message)>;

  void Receive() {
    udp_.async_receive_from(
        asio::buffer(input_), from_,
        [self = shared_from_this()](const error_code& ec, std::size_t size) {
          if (self->owner_ == nullptr) return;
          if (!ec) self->OnDatagram(Parse(std::string_view(self->input_.data(), size)));
          self->Receive();
        });
  }

  void OnDatagram(const Query& query) {
    const udp::endpoint to = from_;
    const auto send = [self = shared_from_this(), to](const std::string& message) {
      self->udp_.send_to(asio::buffer(message), to);
    };
    const auto send_aside = [self = shared_from_this(), to](const std::string& message) {
      self->other_udp_.send_to(asio::buffer(message), to);
    };
    ++owner_->queries;
    Delay(query, [=, self = shared_from_this()] {
      self->Answer(query, self->FaultOf(query), send, send_aside);
    });
  }

  void Accept() {
    auto socket = std::make_shared<tcp::socket>(io_);
    acceptor_.async_accept(*socket, [self = shared_from_this(), socket](const error_code& ec) {
      if (ec || self->owner_ == nullptr) return;
      self->ReadOne(socket);
      self->Accept();
    });
  }

  void ReadOne(const std::shared_ptr<tcp::socket>& socket) {
    auto input = std::make_shared<std::string>(2, '\0');
    asio::async_read(*socket, asio::buffer(*input),
                     [self = shared_from_this(), socket, input](const error_code& ec, std::size_t) {
                       if (ec) return;
                       input->resize(static_cast<std::uint8_t>((*input)[0]) << 8 |
                                     static_cast<std::uint8_t>((*input)[1]));
                       asio::async_read(*socket, asio::buffer(*input),
                                        [self, socket, input](const error_code& ec2, std::size_t) {
                                          if (ec2 || self->owner_ == nullptr) return;
                                          self->OnStreamQuery(Parse(*input), socket);
                                          self->ReadOne(socket);
                                        });
                     });
  }

  void OnStreamQuery(const Query& query, const std::shared_ptr<tcp::socket>& socket) {
    ++owner_->queries;
    ++owner_->tcp_queries;
    DnsFault fault = FaultOf(query);
    if (fault == DnsFault::kTruncatedOnly) return socket->close();
    if (fault == DnsFault::kTruncated) fault = DnsFault::kNone;
    const auto send = [socket](const std::string& message) {
      error_code ignored;  // the resolver may have gone
      asio::write(*socket, asio::buffer(Number16(message.size()) + message), ignored);
    };
    Delay(query, [=, self = shared_from_this()] { self->Answer(query, fault, send, send); });
  }

  void Delay(const Query& query, std::function<void()> then) {
    const TestName* const known = Find(query);
    std::chrono::milliseconds delay{0};
    if (known != nullptr) {
      delay = query.type == kTypeAaaa ? std::max(known->delay, known->ipv6_delay) : known->delay;
    }
    if (delay.count() == 0) return then();
    auto timer = std::make_shared<asio::steady_timer>(io_, delay);
    timer->async_wait([self = shared_from_this(), timer, then = std::move(then)](error_code) {
      if (self->owner_ != nullptr) then();
    });
  }

  const TestName* Find(const Query& query) const {
    const auto found = owner_->names.find(query.name);
    return found == owner_->names.end() ? nullptr : &found->second;
  }

  DnsFault FaultOf(const Query& query) const {
    const TestName* const known = Find(query);
    if (known == nullptr) return DnsFault::kNone;
    const bool ipv6 = query.type == kTypeAaaa && known->ipv6_fault != DnsFault::kNone;
    return ipv6 ? known->ipv6_fault : known->fault;
  }

  /// `send_aside` comes from somewhere else, as far as there is such a place.
  void Answer(const Query& query, DnsFault fault, const Send& send, const Send& send_aside) {
    Reply right = RightReply(query);
    Reply forged = right;
    forged.answers = AddressRecords(query, query.name, {"6.6.6.6", "2606:6666::6"}, 3600);
    switch (fault) {
      case DnsFault::kSilent:
        return;
      case DnsFault::kServerFailure:
        return send(Reply{query.id, query.question, kServerFailure}.Message());
      case DnsFault::kRefused:
        return send(Reply{query.id, query.question, kRefused}.Message());
      case DnsFault::kReferral:
        right.answers.clear();
        right.authorities = {Record("test", kTypeNs, 60, EncodeName("ns.test"))};
        break;
      case DnsFault::kWrongId:
        forged.id[0] = static_cast<char>(~forged.id[0]);
        return send(forged.Message());
      case DnsFault::kWrongQuestion:
        forged.question[1] = '#';
        return send(forged.Message());
      case DnsFault::kWrongSource:
        return send_aside(right.Message());
      case DnsFault::kGarbage:
        return send(query.id + std::string(40, '\xa5'));
      case DnsFault::kForgedFirst:
        send_aside(forged.Message());
        Answer(query, DnsFault::kWrongId, send, send_aside);
        Answer(query, DnsFault::kWrongQuestion, send, send_aside);
        break;
      case DnsFault::kEmptyFirst:
        send("");
        break;
      case DnsFault::kTruncated:
      case DnsFault::kTruncatedOnly:
        right.truncated = true;
        right.answers.clear();
        break;
      case DnsFault::kCutShort: {
        const std::string message = right.Message();
        return send(message.substr(0, message.size() - 3));
      }
      case DnsFault::kOtherName:
        right.answers = AddressRecords(query, "other.test", {"6.6.6.6", "2606:6666::6"}, 60);
        break;
      case DnsFault::kAliasLoop:
        right.answers = {Record(query.name, kTypeCname, 60, EncodeName("loop.test")),
                         Record("loop.test", kTypeCname, 60, EncodeName(query.name))};
        break;
      case DnsFault::kNone:
        break;
    }
    send(right.Message());
  }

  Reply RightReply(const Query& query) {
    Reply reply{query.id, query.question};
    const TestName* const known = Find(query);
    if (known == nullptr || !known->exists) reply.code = kNoSuchName;
    if (known == nullptr) return reply;
    std::string owner = query.name;
    for (const std::string& alias : known->aliases) {
      reply.answers.push_back(
          Record(owner, kTypeCname, known->alias_ttl_seconds, EncodeName(alias)));
      owner = alias;
    }
    // Turns are of the questions of one type.
    const std::size_t turn = turns_[{query.name, query.type}]++;
    const std::size_t last = known->then.size();
    const auto& addresses =
        turn == 0 || last == 0 ? known->addresses : known->then[std::min(turn, last) - 1];
    auto records = AddressRecords(query, owner, addresses, known->ttl_seconds);
    if (records.empty() && known->absent_seconds) {
      reply.authorities = {Record("test", kTypeSoa, 86'400,
                                  EncodeName("ns.test") + EncodeName("mail.test") +
                                      std::string(16, '\1') + Number32(*known->absent_seconds))};
    }
    for (std::string& record : records) reply.answers.push_back(std::move(record));
    return reply;
  }

  asio::io_context& io_;
  TestDns* owner_;  // none after Stop()
  udp::socket udp_;
  udp::socket other_udp_;
  tcp::acceptor acceptor_;
  udp::endpoint from_;
  std::array<char, 512> input_;
  std::map<std::pair<std::string, int>, std::size_t> turns_;
};

TestDns::TestDns(asio::io_context& io) : impl_(std::make_shared<Impl>(io, *this)) {
  impl_->Serve();
}
TestDns::~TestDns() { impl_->Stop(); }

std::string TestDns::address() const { return "127.0.0.1:" + std::to_string(impl_->port()); }

}  // namespace trawl

#include "worker/http/dns_channel.h"

#include <ares.h>
#include <arpa/nameser.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <map>
#include <stdexcept>
#include <utility>

#include "common/dns_servers.h"

namespace trawl {
namespace {

using boost::system::error_code;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

/// How often it is looked whether a question has timed out. To ask c-ares when the next one will
/// costs a walk through all of them.
constexpr std::chrono::milliseconds kTick{50};

/// c-ares wants its library prepared once for a process.
void PrepareLibrary() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) throw std::runtime_error(ares_strerror(status));
}

/// What c-ares made of a question. `message` is empty when no answer came.
DnsAnswer ToAnswer(int status, std::span<const std::uint8_t> message, AddressType type) {
  switch (status) {
    case ARES_SUCCESS:
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
      if (!message.empty()) return ReadDnsAnswer(message, type);
      return {.kind = DnsAnswer::Kind::kNoSuchName};  // RFC 7686: .onion is not asked for
    case ARES_EBADNAME:
      return {.kind = DnsAnswer::Kind::kNoSuchName};  // too long, or an empty label
    case ARES_ECONNREFUSED:
      // Also what c-ares says when each server answers with a failure or a refusal.
      return {.detail = "every DNS server failed, refused or could not be reached"};
    default:
      return {.detail = ares_strerror(status)};
  }
}

}  // namespace

class DnsChannel::Impl : public std::enable_shared_from_this<DnsChannel::Impl> {
 public:
  Impl(asio::io_context& io, const Options& options) : io_(io), timer_(io) {
    PrepareLibrary();
    ares_options settings = {};
    settings.timeout = static_cast<int>(options.query_timeout.count());
    settings.tries = options.tries;
    settings.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
      static_cast<Impl*>(self)->WatchSocket(fd, readable != 0, writable != 0);
    };
    settings.sock_state_cb_data = this;
    int status = ares_init_options(&channel_, &settings,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status == ARES_SUCCESS && !options.servers.empty()) status = SetServers(options.servers);
    if (status != ARES_SUCCESS) {
      throw std::runtime_error(std::string("DNS: ") + ares_strerror(status));
    }
  }

  ~Impl() { Stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void Stop() {
    if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
    timer_.cancel();
  }

  void Ask(const std::string& name, AddressType type, Answered answered) {
    auto question = std::make_unique<Question>(Question{this, type, std::move(answered)});
    ++open_questions_;
    ares_query(
        channel_, name.c_str(), ns_c_in, static_cast<int>(type),
        [](void* data, int status, int, unsigned char* message, int size) {
          const std::unique_ptr<Question> question(static_cast<Question*>(data));
          --question->channel->open_questions_;
          const std::span<const std::uint8_t> bytes(
              message, message == nullptr ? 0 : static_cast<std::size_t>(size));
          question->answered(ToAnswer(status, bytes, question->type));
        },
        question.release());
    Tick();
  }

 private:
  /// What c-ares hands back to its callback.
  struct Question {
    Impl* channel;  // outlives its questions
    AddressType type;
    Answered answered;
  };

  /// A socket that c-ares owns and that Asio watches.
  struct Watch {
    explicit Watch(asio::io_context& io, ares_socket_t fd) : descriptor(io, fd) {}
    ~Watch() { descriptor.release(); }  // c-ares closes it

    Descriptor descriptor;
    bool wants[2] = {false, false};    // by Direction
    bool waiting[2] = {false, false};  // a wait is under way
  };
  enum Direction { kReadable, kWritable };

  int SetServers(const std::string& text) {
    const auto servers = ParseDnsServers(text);
    if (!servers) return ARES_EBADSTR;
    std::vector<ares_addr_port_node> nodes(servers->size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const DnsServer& server = (*servers)[i];
      ares_addr_port_node& node = nodes[i];
      node.next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
      node.family = server.address.find(':') == std::string::npos ? AF_INET : AF_INET6;
      node.udp_port = node.tcp_port = server.port;
      ares_inet_pton(node.family, server.address.c_str(), &node.addr);
    }
    return ares_set_servers_ports(channel_, nodes.data());
  }

  // c-ares calls this when its wishes for a socket change; with none at all, before it closes it.
  void WatchSocket(ares_socket_t fd, bool readable, bool writable) {
    if (!readable && !writable) {
      watches_.erase(fd);
      return;
    }
    std::shared_ptr<Watch>& watch = watches_[fd];
    if (!watch) watch = std::make_shared<Watch>(io_, fd);
    watch->wants[kReadable] = readable;
    watch->wants[kWritable] = writable;
    Wait(watch, fd, kReadable);
    Wait(watch, fd, kWritable);
  }

  // Handlers hold the watch weakly: it goes when c-ares closes the socket, whose number may then
  // belong to another one.
  void Wait(const std::shared_ptr<Watch>& watch, ares_socket_t fd, Direction direction) {
    if (!watch->wants[direction] || watch->waiting[direction]) return;
    watch->waiting[direction] = true;
    watch->descriptor.async_wait(
        direction == kReadable ? Descriptor::wait_read : Descriptor::wait_write,
        [weak_self = weak_from_this(), weak_watch = std::weak_ptr(watch), fd,
         direction](const error_code& ec) {
          const auto self = weak_self.lock();
          if (ec || !self || !weak_watch.lock()) return;
          self->Process(weak_watch, fd, direction);
        });
  }

  void Process(const std::weak_ptr<Watch>& weak_watch, ares_socket_t fd, Direction direction) {
    if (const auto watch = weak_watch.lock()) watch->waiting[direction] = false;
    ares_process_fd(channel_, direction == kReadable ? fd : ARES_SOCKET_BAD,
                    direction == kWritable ? fd : ARES_SOCKET_BAD);
    if (const auto watch = weak_watch.lock()) Wait(watch, fd, direction);
    Tick();
  }

  /// As long as a question is open.
  void Tick() {
    if (channel_ == nullptr || open_questions_ == 0) {
      timer_.cancel();
      return;
    }
    if (std::exchange(ticking_, true)) return;
    timer_.expires_after(kTick);
    timer_.async_wait([weak_self = weak_from_this()](const error_code& ec) {
      const auto self = weak_self.lock();
      if (!self) return;
      self->ticking_ = false;
      if (!ec && self->channel_ != nullptr) {
        ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      }
      self->Tick();
    });
  }

  asio::io_context& io_;
  Timer timer_;
  bool ticking_ = false;  // the timer is set
  std::size_t open_questions_ = 0;
  std::map<ares_socket_t, std::shared_ptr<Watch>> watches_;
  ares_channel channel_ = nullptr;
};

DnsChannel::DnsChannel(asio::io_context& io, const Options& options)
    : impl_(std::make_shared<Impl>(io, options)) {}

DnsChannel::~DnsChannel() { impl_->Stop(); }

void DnsChannel::Ask(const std::string& name, AddressType type, Answered answered) {
  impl_->Ask(name, type, std::move(answered));
}

}  // namespace trawl

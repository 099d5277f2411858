#include "worker/http/resolver.h"

#include <ares.h>

#include <algorithm>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <map>
#include <stdexcept>
#include <utility>

#include "common/dns_servers.h"

namespace trawl {
namespace {

using boost::system::error_code;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

struct AddrinfoDeleter {
  void operator()(ares_addrinfo* list) const { ares_freeaddrinfo(list); }
};
using AddrinfoList = std::unique_ptr<ares_addrinfo, AddrinfoDeleter>;

/// c-ares wants its library prepared once for a process.
void PrepareLibrary() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) throw std::runtime_error(ares_strerror(status));
}

/// The answer to an address literal; none for a name.
std::shared_ptr<const Resolution> Literal(const std::string& host) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  error_code ec;
  const auto address =
      asio::ip::make_address(bracketed ? host.substr(1, host.size() - 2) : host, ec);
  if (ec) return nullptr;
  return std::make_shared<const Resolution>(Resolution{{}, {}, {address}});
}

asio::ip::address ToAddress(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  asio::ip::address_v6::bytes_type bytes;
  std::copy_n(v6.sin6_addr.s6_addr, bytes.size(), bytes.begin());
  return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

}  // namespace

class Resolver::Impl : public std::enable_shared_from_this<Resolver::Impl> {
 public:
  Impl(asio::io_context& io, Options options)
      : io_(io), options_(std::move(options)), cache_(options_.cached_names), timer_(io) {
    PrepareLibrary();
    ares_options settings = {};
    settings.flags = ARES_FLAG_NOSEARCH;  // a URL's host is a whole name
    settings.timeout = static_cast<int>(options_.query_timeout.count());
    settings.tries = options_.tries;
    settings.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
      static_cast<Impl*>(self)->WatchSocket(fd, readable != 0, writable != 0);
    };
    settings.sock_state_cb_data = this;
    int status = ares_init_options(
        &channel_, &settings,
        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status == ARES_SUCCESS && !options_.servers.empty()) {
      status = SetServers(options_.servers);
    }
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

  Task<std::shared_ptr<const Resolution>> Resolve(std::string host, Timer* wakeup) {
    if (auto literal = Literal(host)) co_return literal;
    if (auto cached = cache_.Find(host, std::chrono::steady_clock::now())) co_return cached;
    const std::shared_ptr<Lookup> lookup = Join(host);
    if (!lookup->answer) {
      const Waiting waiting(lookup, wakeup);
      co_await wakeup->async_wait(kTuple);
    }
    co_return lookup->answer;
  }

  std::size_t query_count() const { return query_count_; }

 private:
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

  /// A query under way. Shared by the query and by whoever waits for it, in whatever order they go.
  struct Lookup {
    std::string host;
    std::shared_ptr<const Resolution> answer;
    std::vector<Timer*> waiters;  // cancelled when the answer is there
  };

  /// Keeps a waiter on a lookup's list while its coroutine waits, and no longer: the coroutine may
  /// be destroyed before the answer comes.
  class Waiting {
   public:
    Waiting(std::shared_ptr<Lookup> lookup, Timer* wakeup)
        : lookup_(std::move(lookup)), wakeup_(wakeup) {
      lookup_->waiters.push_back(wakeup_);
    }
    ~Waiting() { std::erase(lookup_->waiters, wakeup_); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    const std::shared_ptr<Lookup> lookup_;
    Timer* const wakeup_;
  };

  /// What c-ares hands back to its callback.
  struct Query {
    Impl* resolver;  // outlives the channel and so the query
    std::shared_ptr<Lookup> lookup;
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

  std::shared_ptr<Lookup> Join(const std::string& host) {
    if (const auto found = lookups_.find(host); found != lookups_.end()) return found->second;
    auto lookup = std::make_shared<Lookup>(Lookup{host, nullptr, {}});
    lookups_.emplace(host, lookup);
    ++query_count_;
    ares_addrinfo_hints hints = {};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    auto query = std::make_unique<Query>(Query{this, lookup});
    // May call back before it returns.
    ares_getaddrinfo(
        channel_, host.c_str(), nullptr, &hints,
        [](void* data, int status, int, ares_addrinfo* list) {
          const std::unique_ptr<Query> query(static_cast<Query*>(data));
          query->resolver->Answer(*query->lookup, status, AddrinfoList(list));
        },
        query.release());
    ScheduleTimeout();
    return lookup;
  }

  void Answer(Lookup& lookup, int status, AddrinfoList list) {
    auto answer = std::make_shared<Resolution>();
    milliseconds ttl = options_.max_ttl;
    for (const ares_addrinfo_node* node = list ? list->nodes : nullptr; node != nullptr;
         node = node->ai_next) {
      answer->addresses.push_back(ToAddress(*node->ai_addr));
      ttl = std::min<milliseconds>(ttl, std::chrono::seconds(node->ai_ttl));
    }
    ttl = std::max(ttl, options_.min_ttl);
    if (status != ARES_SUCCESS || answer->addresses.empty()) {
      answer->error = Error::kDns;
      answer->detail =
          lookup.host + ": " + ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA : status);
      ttl = options_.failure_ttl;
    }
    lookup.answer = answer;
    if (status != ARES_EDESTRUCTION) {
      cache_.Insert(lookup.host, answer, std::chrono::steady_clock::now() + ttl);
    }
    for (Timer* waiter : lookup.waiters) waiter->cancel();
    lookups_.erase(lookup.host);
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
    ScheduleTimeout();
  }

  void ScheduleTimeout() {
    timeval next = {};
    if (channel_ == nullptr || ares_timeout(channel_, nullptr, &next) == nullptr) {
      timer_.cancel();
      return;
    }
    const auto delay = std::chrono::seconds(next.tv_sec) + std::chrono::microseconds(next.tv_usec);
    timer_.expires_after(delay);
    timer_.async_wait([weak_self = weak_from_this()](const error_code& ec) {
      const auto self = weak_self.lock();
      if (ec || !self || self->channel_ == nullptr) return;
      ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->ScheduleTimeout();
    });
  }

  asio::io_context& io_;
  const Options options_;
  AddressCache cache_;
  Timer timer_;  // of c-ares' next timeout
  std::map<std::string, std::shared_ptr<Lookup>, std::less<>> lookups_;
  std::map<ares_socket_t, std::shared_ptr<Watch>> watches_;
  std::size_t query_count_ = 0;
  ares_channel channel_ = nullptr;
};

Resolver::Resolver(asio::io_context& io, Options options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {}

Resolver::~Resolver() { impl_->Stop(); }

Task<std::shared_ptr<const Resolution>> Resolver::Resolve(std::string host, Timer* wakeup) {
  return impl_->Resolve(std::move(host), wakeup);
}

std::size_t Resolver::query_count() const { return impl_->query_count(); }

}  // namespace trawl

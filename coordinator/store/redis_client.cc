#include "coordinator/store/redis_client.h"

#include <hiredis/async.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <deque>
#include <utility>

namespace trawl {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

/// Waits for a hiredis context's socket on its behalf. Lives from Attach() until hiredis cleans the
/// context up and the waits under way have ended. hiredis owns the socket.
class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  static void Attach(asio::io_context& io, redisAsyncContext* context) {
    auto waiter = std::make_shared<Waiter>(io, context);
    waiter->self_ = waiter;
    context->ev.data = waiter.get();
    context->ev.addRead = [](void* data) { static_cast<Waiter*>(data)->Want(&Waiter::read_); };
    context->ev.delRead = [](void* data) { static_cast<Waiter*>(data)->read_.wanted = false; };
    context->ev.addWrite = [](void* data) { static_cast<Waiter*>(data)->Want(&Waiter::write_); };
    context->ev.delWrite = [](void* data) { static_cast<Waiter*>(data)->write_.wanted = false; };
    context->ev.cleanup = [](void* data) { static_cast<Waiter*>(data)->Detach(); };
  }

  Waiter(asio::io_context& io, redisAsyncContext* context)
      : context_(context), socket_(io, context->c.fd) {}

 private:
  struct Direction {
    asio::posix::stream_descriptor::wait_type type;
    void (*handle)(redisAsyncContext*);
    bool wanted = false;   // by hiredis
    bool waiting = false;  // a wait is under way
  };

  void Want(Direction Waiter::*which) {
    Direction& direction = this->*which;
    direction.wanted = true;
    if (direction.waiting) return;
    direction.waiting = true;
    socket_.async_wait(direction.type, [self = shared_from_this(), which](ErrorCode) {
      Direction& direction = (*self).*which;
      direction.waiting = false;
      if (!self->context_ || !direction.wanted) return;
      direction.handle(self->context_);
      if (self->context_ && direction.wanted) self->Want(which);
    });
  }

  void Detach() {
    context_ = nullptr;
    socket_.release();
    self_.reset();
  }

  redisAsyncContext* context_;  // null when hiredis has cleaned it up
  asio::posix::stream_descriptor socket_;
  Direction read_{asio::posix::stream_descriptor::wait_read, redisAsyncHandleRead};
  Direction write_{asio::posix::stream_descriptor::wait_write, redisAsyncHandleWrite};
  std::shared_ptr<Waiter> self_;  // hiredis' share; its hooks carry a raw pointer
};

RedisReply ToReply(const redisReply& from) {
  RedisReply reply;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      reply.kind = RedisReply::Kind::kInteger;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = RedisReply::Kind::kText;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = RedisReply::Kind::kError;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = RedisReply::Kind::kArray;
      reply.elements.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i) {
        reply.elements.push_back(ToReply(*from.element[i]));
      }
      break;
    default:
      break;
  }
  return reply;
}

}  // namespace

const RedisReply& ElementOf(const RedisReply& reply, std::size_t at) {
  static const RedisReply kNothing;
  return at < reply.elements.size() ? reply.elements[at] : kNothing;
}

std::map<std::string, std::string> ToFields(const RedisReply& reply) {
  std::map<std::string, std::string> fields;
  for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    fields[reply.elements[i].text] = reply.elements[i + 1].text;
  }
  return fields;
}

// One connection, from the first attempt to its loss. hiredis frees its context by itself when the
// connection fails or ends, and tells so in OnConnect() and OnDisconnect().
class RedisClient::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(RedisClient* client, RedisAddress address, OnConnected then)
      : client_(client),
        io_(client->io_),
        address_(std::move(address)),
        then_(std::move(then)),
        deadline_(io_),
        resolver_(io_) {}

  void Start(int timeout_ms);
  void Send(const std::vector<std::string>& arguments, OnReply then);
  bool ready() const { return ready_; }

  /// The client goes: nobody is to be called any more.
  void Abandon() {
    client_ = nullptr;
    Drop();
  }

 private:
  struct Pending {
    std::shared_ptr<Connection> connection;
    OnReply then;
  };

  void Resolve();
  void DialNext(std::string why);
  void Greet();
  void SendNextGreeting();
  void Fail(const std::string& why);
  void Drop();

  static void OnConnect(const redisAsyncContext* context, int status);
  static void OnDisconnect(const redisAsyncContext* context, int status);
  static void OnReplied(redisAsyncContext* context, void* reply, void* pending);

  RedisClient* client_;  // null when it is gone
  asio::io_context& io_;
  const RedisAddress address_;
  OnConnected then_;  // empty once called
  asio::steady_timer deadline_;
  asio::ip::tcp::resolver resolver_;
  std::deque<std::string> hosts_;  // still to be tried: IP addresses, or the socket's path
  std::deque<std::vector<std::string>> greetings_;
  redisAsyncContext* context_ = nullptr;  // hiredis'; null without a connection
  bool ready_ = false;
};

void RedisClient::Connection::Start(int timeout_ms) {
  deadline_.expires_after(std::chrono::milliseconds(timeout_ms));
  deadline_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error && !self->ready_) self->Fail("no answer in time");
  });
  if (address_.socket_path.empty()) return Resolve();
  hosts_.push_back(address_.socket_path);
  asio::post(io_, [self = shared_from_this()] { self->DialNext(""); });
}

void RedisClient::Connection::Resolve() {
  resolver_.async_resolve(address_.host, std::to_string(address_.port),
                          [self = shared_from_this()](ErrorCode error, const auto& found) {
                            for (const auto& entry : found) {
                              self->hosts_.push_back(entry.endpoint().address().to_string());
                            }
                            self->DialNext(error.message());
                          });
}

/// `why`: what became of the address before.
void RedisClient::Connection::DialNext(std::string why) {
  while (then_ && client_ && !hosts_.empty()) {
    const std::string host = std::move(hosts_.front());
    hosts_.pop_front();
    redisAsyncContext* context = address_.socket_path.empty()
                                     ? redisAsyncConnect(host.c_str(), address_.port)
                                     : redisAsyncConnectUnix(host.c_str());
    if (context && !context->err) {
      context_ = context;
      context_->data = this;
      Waiter::Attach(io_, context_);
      redisAsyncSetConnectCallback(context_, OnConnect);
      redisAsyncSetDisconnectCallback(context_, OnDisconnect);
      return;
    }
    why = context ? context->errstr : "out of memory";
    if (context) redisAsyncFree(context);
  }
  Fail(why);
}

/// Posts what follows: hiredis goes on with its context when this returns.
void RedisClient::Connection::OnConnect(const redisAsyncContext* context, int status) {
  auto self = static_cast<Connection*>(context->data)->shared_from_this();
  if (status == REDIS_OK) return asio::post(self->io_, [self] { self->Greet(); });
  self->context_ = nullptr;
  asio::post(self->io_, [self, why = std::string(context->c.errstr)] { self->DialNext(why); });
}

void RedisClient::Connection::Greet() {
  if (!context_) return;
  if (address_.socket_path.empty()) redisEnableKeepAlive(&context_->c);
  if (!address_.password.empty()) {
    greetings_.push_back({"AUTH", address_.password});
    if (!address_.user.empty()) greetings_[0].insert(greetings_[0].begin() + 1, address_.user);
  }
  if (address_.database != 0) greetings_.push_back({"SELECT", std::to_string(address_.database)});
  SendNextGreeting();
}

void RedisClient::Connection::SendNextGreeting() {
  if (greetings_.empty()) {
    ready_ = true;
    deadline_.cancel();
    return std::exchange(then_, nullptr)(Result<void>(), "");
  }
  const std::vector<std::string> command = std::move(greetings_.front());
  greetings_.pop_front();
  Send(command, [this, name = command.front()](const Result<RedisReply>& reply) {
    if (!reply) return Fail("the connection was lost at " + name);
    if (reply->kind == RedisReply::Kind::kError) return Fail(reply->text);
    SendNextGreeting();
  });
}

/// Takes `then_` first: what Drop() leaves unanswered would fail again.
void RedisClient::Connection::Fail(const std::string& why) {
  const OnConnected then = std::exchange(then_, nullptr);
  Drop();
  if (then && client_) then(Error::kStore, why);
}

void RedisClient::Connection::Drop() {
  ready_ = false;
  deadline_.cancel();
  resolver_.cancel();
  hosts_.clear();
  redisAsyncContext* context = std::exchange(context_, nullptr);
  if (!context) return;
  context->onConnect = nullptr;
  context->onDisconnect = nullptr;
  redisAsyncFree(context);
}

void RedisClient::Connection::OnDisconnect(const redisAsyncContext* context, int) {
  const auto self = static_cast<Connection*>(context->data)->shared_from_this();
  self->context_ = nullptr;
  if (!std::exchange(self->ready_, false) || !self->client_) return;
  const OnLost on_lost = self->client_->on_lost_;
  if (on_lost) on_lost(*context->errstr ? context->errstr : "the connection was closed");
}

void RedisClient::Connection::Send(const std::vector<std::string>& arguments, OnReply then) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  auto pending = std::make_unique<Pending>(Pending{shared_from_this(), std::move(then)});
  const int status =
      context_ ? redisAsyncCommandArgv(context_, OnReplied, pending.get(),
                                       static_cast<int>(texts.size()), texts.data(), sizes.data())
               : REDIS_ERR;
  if (status == REDIS_OK) {
    pending.release();  // OnReplied() takes it back, with or without a reply
    return;
  }
  asio::post(io_, [shared = std::shared_ptr<Pending>(std::move(pending))] {
    if (shared->connection->client_) shared->then(Error::kStore);
  });
}

void RedisClient::Connection::OnReplied(redisAsyncContext*, void* reply, void* data) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
  if (!pending->connection->client_) return;
  if (!reply) return pending->then(Error::kStore);
  pending->then(ToReply(*static_cast<redisReply*>(reply)));
}

RedisClient::RedisClient(asio::io_context& io) : io_(io) {
  // hiredis writes with write(), which raises the signal when the server is gone.
  std::signal(SIGPIPE, SIG_IGN);
}

RedisClient::~RedisClient() {
  if (connection_) connection_->Abandon();
}

void RedisClient::set_on_lost(OnLost on_lost) { on_lost_ = std::move(on_lost); }

void RedisClient::Connect(RedisAddress address, OnConnected then, int timeout_ms) {
  if (connection_) connection_->Abandon();
  connection_ = std::make_shared<Connection>(this, std::move(address), std::move(then));
  connection_->Start(timeout_ms);
}

void RedisClient::Command(const std::vector<std::string>& arguments, OnReply then) {
  if (connection_ && connection_->ready()) return connection_->Send(arguments, std::move(then));
  asio::post(io_, [then = std::move(then)] { then(Error::kStore); });
}

}  // namespace trawl

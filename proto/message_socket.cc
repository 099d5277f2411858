#include "proto/message_socket.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <zmq.hpp>

#include "proto/messages.h"

namespace trawl {
namespace {

/// Messages handed on before other work of the loop gets its turn.
constexpr int kMessagesPerTurn = 64;
/// Messages that may wait for one slow peer; its credit keeps it far below.
constexpr int kHighWaterMark = 100'000;
/// Connections that may wait to be accepted, as when all workers come back at once.
constexpr int kBacklog = 4'096;
/// How long a closing socket tries to deliver what it has accepted, in milliseconds.
constexpr int kLinger = 2'000;

/// One context, and so one I/O thread, for the process.
zmq::context_t& Context() {
  static zmq::context_t context(1);
  return context;
}

std::runtime_error EndpointError(const char* what, const std::string& endpoint,
                                 const zmq::error_t& error) {
  return std::runtime_error(std::string(what) + " " + endpoint + ": " + error.what());
}

}  // namespace

class MessageSocket::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, zmq::socket_type type, OnMessage on_message)
      : socket_(Context(), type),
        readable_(io),
        on_message_(std::move(on_message)),
        is_router_(type == zmq::socket_type::router) {
    socket_.set(zmq::sockopt::linger, kLinger);
    socket_.set(zmq::sockopt::sndhwm, kHighWaterMark);
    socket_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kMaxMessageBytes));
    if (is_router_) {
      socket_.set(zmq::sockopt::router_mandatory, true);
      socket_.set(zmq::sockopt::backlog, kBacklog);
      // A worker that reconnects takes its routing id over from its dead connection.
      socket_.set(zmq::sockopt::router_handover, true);
    }
  }

  ~Impl() {
    if (readable_.is_open()) readable_.release();  // the descriptor is ZeroMQ's
  }

  zmq::socket_t& socket() { return socket_; }

  void Start() {
    readable_.assign(socket_.get(zmq::sockopt::fd));
    Wait();
    ScheduleDrain();
  }

  void Stop() {
    stopped_ = true;
    readable_.cancel();
  }

  bool TakeCaughtUp() {
    const bool empty = (socket_.get(zmq::sockopt::events) & ZMQ_POLLIN) == 0;
    if (!empty) ScheduleDrain();  // reading the events uses up the edge of ZMQ_FD
    return std::exchange(caught_up_, false) || empty;
  }

  void SetPaused(bool paused) {
    paused_ = paused;
    if (paused_) return;
    Wait();
    ScheduleDrain();
  }

  bool Send(const std::string& peer, std::string_view bytes) {
    bool sent = false;
    try {
      if (!is_router_) {
        sent = socket_.send(zmq::buffer(bytes), zmq::send_flags::dontwait).has_value();
      } else if (socket_.send(zmq::buffer(peer),
                              zmq::send_flags::dontwait | zmq::send_flags::sndmore)) {
        sent = socket_.send(zmq::buffer(bytes), zmq::send_flags::dontwait).has_value();
      }
    } catch (const zmq::error_t& error) {
      if (error.num() != EHOSTUNREACH) throw;
    }
    // Sending may have used up the edge of ZMQ_FD that told of a message to read.
    ScheduleDrain();
    return sent;
  }

 private:
  /// Not while it is paused, when ZMQ_FD stays readable.
  void Wait() {
    if (std::exchange(waiting_, true)) return;
    readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           self->waiting_ = false;
                           if (error || self->stopped_ || self->paused_) return;
                           self->Drain();
                           self->Wait();
                         });
  }

  void ScheduleDrain() {
    if (drain_scheduled_ || stopped_) return;
    drain_scheduled_ = true;
    boost::asio::post(readable_.get_executor(), [self = shared_from_this()] {
      self->drain_scheduled_ = false;
      self->Drain();
    });
  }

  /// Reads until nothing is left, or its turn is over; ZMQ_FD is edge-triggered.
  void Drain() {
    for (int taken = 0; !stopped_ && !paused_; ++taken) {
      if ((socket_.get(zmq::sockopt::events) & ZMQ_POLLIN) == 0) {
        caught_up_ = true;
        return;
      }
      if (taken == kMessagesPerTurn) return ScheduleDrain();
      Receive();
    }
  }

  /// Hands on one message; frames beyond the expected ones make it malformed, and it is empty then.
  void Receive() {
    std::string peer;
    zmq::message_t frame;
    if (!socket_.recv(frame, zmq::recv_flags::dontwait)) return;
    if (is_router_ && frame.more()) {
      peer = frame.to_string();
      if (!socket_.recv(frame, zmq::recv_flags::dontwait)) return;
    }
    bool single = true;
    while (frame.more()) {
      single = false;
      if (!socket_.recv(frame, zmq::recv_flags::dontwait)) return;
    }
    on_message_(peer, single ? frame.to_string_view() : std::string_view());
  }

  zmq::socket_t socket_;
  boost::asio::posix::stream_descriptor readable_;
  OnMessage on_message_;
  const bool is_router_;
  bool paused_ = false;
  bool stopped_ = false;
  bool waiting_ = false;
  bool drain_scheduled_ = false;
  bool caught_up_ = false;
};

MessageSocket::MessageSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
MessageSocket::MessageSocket(MessageSocket&&) noexcept = default;
MessageSocket& MessageSocket::operator=(MessageSocket&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}
MessageSocket::~MessageSocket() {
  if (impl_) impl_->Stop();
}

MessageSocket MessageSocket::Router(boost::asio::io_context& io, const std::string& endpoint,
                                    OnMessage on_message) {
  auto impl = std::make_shared<Impl>(io, zmq::socket_type::router, std::move(on_message));
  try {
    // Only where it is asked for: else an IPv4 endpoint would be told in its IPv6 form.
    impl->socket().set(zmq::sockopt::ipv6, endpoint.find('[') != endpoint.npos);
    impl->socket().bind(endpoint);
  } catch (const zmq::error_t& error) {
    throw EndpointError("cannot listen on", endpoint, error);
  }
  impl->Start();
  return MessageSocket(std::move(impl));
}

MessageSocket MessageSocket::Dealer(boost::asio::io_context& io, const std::string& endpoint,
                                    const std::string& routing_id, OnMessage on_message) {
  auto impl = std::make_shared<Impl>(io, zmq::socket_type::dealer, std::move(on_message));
  try {
    impl->socket().set(zmq::sockopt::ipv6, true);
    impl->socket().set(zmq::sockopt::routing_id, routing_id);
    impl->socket().connect(endpoint);
  } catch (const zmq::error_t& error) {
    throw EndpointError("cannot connect to", endpoint, error);
  }
  impl->Start();
  return MessageSocket(std::move(impl));
}

bool MessageSocket::Send(const std::string& peer, std::string_view bytes) {
  return impl_->Send(peer, bytes);
}
bool MessageSocket::TakeCaughtUp() { return impl_->TakeCaughtUp(); }
void MessageSocket::Pause() { impl_->SetPaused(true); }
void MessageSocket::Resume() { impl_->SetPaused(false); }
std::string MessageSocket::endpoint() const {
  return impl_->socket().get(zmq::sockopt::last_endpoint);
}

}  // namespace trawl

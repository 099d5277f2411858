// A ZeroMQ socket on an Asio loop: whole messages in and out, never blocking. Lives on the thread
// of its io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace trawl {

class MessageSocket {
 public:
  /// `peer` is the routing id of the sender (empty on a dealer).
  using OnMessage = std::function<void(const std::string& peer, std::string_view bytes)>;

  /// Binds a ROUTER. Throws std::runtime_error that says what was wrong with the endpoint.
  static MessageSocket Router(boost::asio::io_context& io, const std::string& endpoint,
                              OnMessage on_message);
  /// Connects a DEALER with this routing id; it reconnects by itself. Throws as Router() does.
  static MessageSocket Dealer(boost::asio::io_context& io, const std::string& endpoint,
                              const std::string& routing_id, OnMessage on_message);

  ~MessageSocket();
  MessageSocket(MessageSocket&&) noexcept;
  MessageSocket& operator=(MessageSocket&&) noexcept;

  /// False when the message was not taken: the peer is not connected, or too much waits for it.
  bool Send(const std::string& peer, std::string_view bytes);

  /// Whether no message was left to be read at some time since this was last asked.
  bool TakeCaughtUp();
  /// While paused nothing is read, and so senders are slowed in the end.
  void Pause();
  void Resume();

  /// With the port that was bound in place of "*".
  std::string endpoint() const;

 private:
  class Impl;
  explicit MessageSocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared with the handlers that are under way
};

}  // namespace trawl

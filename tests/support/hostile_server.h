// A server that does wrong whatever a server can do wrong, each wrong under a path of its own, with
// what is to become of a URL of it in a crawl. Listens on a loopback address; a thread for each
// connection, all ended by the destructor.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace trawl {

/// The server's end of one connection. Its functions return early, false, when the client has gone
/// or the server ends.
class HostileWire {
 public:
  HostileWire(int socket, const std::atomic<bool>& ending) : socket_(socket), ending_(ending) {}
  ~HostileWire();
  HostileWire(const HostileWire&) = delete;
  HostileWire& operator=(const HostileWire&) = delete;

  /// The head of the next request; empty when there is none.
  std::string ReadRequest();
  bool Send(std::string_view bytes);
  /// Waits without a word.
  bool Wait(int milliseconds);
  /// Until the client goes.
  void WaitForEnd();
  /// An RST in place of an orderly end.
  void Reset();

 private:
  const int socket_;
  const std::atomic<bool>& ending_;
};

struct HostileBehaviour {
  const char* name;  // its path is "/" and this
  std::function<void(HostileWire&)> answer;
  /// "fetched", "redirected WHY" or a reason of errors.jsonl.
  const char* outcome;
  /// Of a page that is fetched: how many bytes it has; -1: any number.
  int body_bytes = -1;
};

inline void PrintTo(const HostileBehaviour& behaviour, std::ostream* out) {
  *out << behaviour.name;
}

/// Every behaviour. Whatever lasts as long as the client lasts ends by the client's limits.
const std::vector<HostileBehaviour>& HostileBehaviours();

class HostileServer {
 public:
  HostileServer();
  ~HostileServer();

  std::string Url(std::string_view path) const;
  std::uint16_t port() const { return port_; }

 private:
  void Accept();
  void Serve(int socket);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_ = false;
  std::mutex mutex_;
  std::list<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace trawl

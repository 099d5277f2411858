// A web site on a loopback address that serves real HTTP/1.1 to tests and misbehaves on demand.
//
// It answers from a table of pages, which may be changed while it serves, on a thread of its own
// from construction to destruction. Every member function may be called from any thread.
// Connections are kept alive and requests on one connection are answered in order, pipelined ones
// too.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/test_page.h"

namespace trawl {

/// A request as it arrived.
struct TestRequest {
  std::string path;  // the request line's target, query included
  std::string host;
  std::string user_agent;
  std::string head;  // request line and headers as sent, with the empty line
  std::chrono::steady_clock::time_point time;  // when the kernel had it; with TLS, the site
  std::uint64_t connection = 0;                // numbered from 1 in order of arrival
};

class TestSite {
 public:
  /// What becomes of a connection that has had Options::requests_per_connection answers.
  enum class Farewell {
    kAnnounced,  // the last answer says "Connection: close"
    kAbrupt,     // closed after the last answer without a word
    kOnNext,     // closed when the next request arrives, without an answer
  };

  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                   // 0: any free one
    std::size_t requests_per_connection = 0;  // 0: no limit
    Farewell farewell = Farewell::kAnnounced;
    std::string certificate_pem = {};  // with its chain; not empty: serves TLS
    std::string key_pem = {};
    bool tls12 = false;  // speaks no later version
  };

  TestSite() : TestSite(Options{}) {}
  /// Throws when it cannot listen.
  explicit TestSite(Options options);
  ~TestSite();

  std::uint16_t port() const;
  /// "http://127.0.0.1:PORT", without a slash.
  std::string origin() const;
  std::string Url(std::string_view path) const { return origin() + std::string(path); }

  /// Adds or replaces the page at `path`, which may contain a query.
  void Set(std::string path, TestPage page);
  void SetHtml(std::string path, std::string html);
  void SetRedirect(std::string path, std::string location, int status = 302);
  void Remove(std::string_view path);
  /// Answers for paths that are not in the table; without it, 404. Called on the site's thread.
  void SetFallback(std::function<TestPage(std::string_view path)> fallback);

  /// All requests so far, in order of arrival.
  std::vector<TestRequest> requests() const;
  std::size_t request_count() const;
  std::size_t request_count(std::string_view path) const;
  /// Waits until at least `count` requests have arrived; false when `patience` ran out first.
  bool WaitForRequests(std::size_t count,
                       std::chrono::milliseconds patience = std::chrono::seconds(10)) const;

  std::size_t connection_count() const;  // accepted so far
  std::size_t open_connections() const;  // now
  std::size_t peak_connections() const;  // most at one time
  std::size_t peak_requests() const;     // most in the course of being answered at one time
  std::size_t full_handshakes() const;   // of TLS, that began from scratch
  std::size_t resumed_handshakes() const;
  /// Waits until no connection is open; false when `patience` ran out first.
  bool WaitUntilIdle(std::chrono::milliseconds patience = std::chrono::seconds(10)) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl

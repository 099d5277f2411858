// A DNS server on a free port of 127.0.0.1, UDP and TCP (RFC 1035, section 4), that answers from a
// table and misbehaves on demand. It says that other names do not exist. Lives on the thread of the
// test's io_context, which outlives it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trawl {

enum class DnsFault {
  kNone,
  kSilent,
  kServerFailure,
  kRefused,
  kReferral,  // names other servers and has no answer
  kWrongId,   // each of these four in place of the right answer
  kWrongQuestion,
  kWrongSource,  // the right answer, from another port
  kGarbage,
  kForgedFirst,    // answers with 6.6.6.6 of the wrong id, question and source; then the right one
  kEmptyFirst,     // a datagram of no bytes, then the right answer
  kTruncated,      // over UDP: says that it is cut off, and has no records
  kTruncatedOnly,  // the same, and closes connections over TCP
  kCutShort,       // the right answer without its last bytes
  kOtherName,      // the right addresses, of a name that was not asked for
  kAliasLoop,      // the name is an alias of another, which is one of the name
};

/// What is known of a name.
struct TestName {
  std::vector<std::string> addresses = {};  // IPv4 and IPv6
  // Of the second question, the third, and so on; the last ones stay.
  std::vector<std::vector<std::string>> then = {};
  std::vector<std::string> aliases = {};  // on the way to the addresses
  DnsFault fault = DnsFault::kNone;
  DnsFault ipv6_fault = DnsFault::kNone;  // of questions for IPv6 addresses only
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds ipv6_delay{0};
  std::uint32_t ttl_seconds = 60;
  std::uint32_t alias_ttl_seconds = 60;
  std::optional<std::uint32_t> absent_seconds = {};  // of the zone's SOA record
  bool exists = true;
};

class TestDns {
 public:
  explicit TestDns(boost::asio::io_context& io);
  ~TestDns();

  /// "127.0.0.1:PORT".
  std::string address() const;

  std::map<std::string, TestName> names = {{"silent.test", {.fault = DnsFault::kSilent}}};
  std::size_t queries = 0;
  std::size_t tcp_queries = 0;  // of them

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with handlers, which may come after the server's end
};

}  // namespace trawl

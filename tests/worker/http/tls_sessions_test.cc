#include "worker/http/tls_sessions.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/tls_fetches.h"
#include "tests/support/tls_server.h"
#include "worker/http/connection.h"
#include "worker/http/tls.h"

namespace trawl {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kNow{};
constexpr WallTime kLater = kNow + hours(1);

WallTime Now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

std::string Taken(TlsSessions& sessions, std::string_view origin, WallTime now = kNow) {
  const auto session = sessions.Take(origin, now);
  return session ? session->der : "";
}

TEST(TlsSessions, GivesTheLastOneOfAnOriginOnce) {
  TlsSessions sessions(2);
  sessions.Put("a.test:443", {"one", kLater});
  sessions.Put("a.test:443", {"two", kLater});
  EXPECT_EQ(sessions.size(), 1u);
  EXPECT_EQ(Taken(sessions, "b.test:443"), "");
  EXPECT_EQ(Taken(sessions, "a.test:443"), "two");
  EXPECT_EQ(Taken(sessions, "a.test:443"), "");
  EXPECT_EQ(sessions.size(), 0u);
}

TEST(TlsSessions, GivesNoneWhoseTimeIsOver) {
  TlsSessions sessions(2);
  sessions.Put("a.test:443", {"one", kLater});
  EXPECT_EQ(Taken(sessions, "a.test:443", kLater - seconds(1)), "one");
  sessions.Put("a.test:443", {"two", kLater});
  EXPECT_EQ(Taken(sessions, "a.test:443", kLater), "");
  EXPECT_EQ(sessions.size(), 0u);
}

TEST(TlsSessions, ForgetsTheOldest) {
  TlsSessions sessions(2);
  sessions.Put("a.test:443", {"one", kLater});
  sessions.Put("b.test:443", {"two", kLater});
  sessions.Put("a.test:443", {"three", kLater});
  sessions.Put("c.test:443", {"four", kLater});
  EXPECT_EQ(sessions.size(), 2u);
  EXPECT_EQ(Taken(sessions, "b.test:443"), "");
  EXPECT_EQ(Taken(sessions, "a.test:443"), "three");
  EXPECT_EQ(Taken(sessions, "c.test:443"), "four");
}

TEST(TlsSessions, KeepsNoneThatIsTooLargeAndNoneAtAllWithoutRoom) {
  TlsSessions sessions(1);
  sessions.Put("a.test:443", {std::string(TlsSessions::kMaxSessionBytes + 1, 'x'), kLater});
  EXPECT_EQ(sessions.size(), 0u);
  sessions.Put("a.test:443", {std::string(TlsSessions::kMaxSessionBytes, 'x'), kLater});
  EXPECT_EQ(sessions.size(), 1u);

  TlsSessions none(0);
  none.Put("a.test:443", {"one", kLater});
  EXPECT_EQ(Taken(none, "a.test:443"), "");
}

class TlsSessionAge : public TlsFetches {
 protected:
  /// Connects at each of these times, with whatever session there is then, and tells where the
  /// server has gone on with one. Every connection is given a new one.
  std::vector<bool> Resumed(const TestCertificate& certificate, bool tls12,
                            const std::vector<WallTime>& times) {
    std::vector<bool> resumed;
    TlsContext context(ca_file_, false, 1);
    {
      TlsServer server(certificate, {.tls12 = tls12}, [&](TlsWire& wire, int) {
        if (!wire.Handshake()) return;
        resumed.push_back(SSL_session_reused(wire.ssl()) == 1);
        wire.Send("x");
        wire.WaitForEnd();
      });
      for (const WallTime now : times) Connect(context, server.port(), now);
    }
    return resumed;
  }

 private:
  /// Until a byte has come, and any session before it.
  static void Connect(TlsContext& context, std::uint16_t port, WallTime now) {
    asio::io_context io{1};
    Connection connection(io);
    asio::co_spawn(io, Exchange(connection, context, port, now),
                   [](const std::exception_ptr& failure) { EXPECT_FALSE(failure); });
    io.run();
  }

  static Task<void> Exchange(Connection& connection, TlsContext& context, std::uint16_t port,
                             WallTime now) {
    const auto refused = co_await connection.Connect({asio::ip::address_v4::loopback(), port});
    EXPECT_FALSE(refused);
    const auto problem = co_await connection.Handshake(&context, "127.0.0.1", port, now);
    EXPECT_FALSE(problem) << problem->text;
    std::array<char, 10> bytes;
    std::size_t n = 0;
    while (n == 0) {
      if (co_await connection.WaitForBytes()) co_return;
      boost::system::error_code error;
      std::tie(error, n) = connection.Read(asio::buffer(bytes));
      if (error && error != asio::error::would_block) co_return;
    }
  }
};

TEST_F(TlsSessionAge, IsADaySinceTheFullHandshakeAtMost) {
  const WallTime start = Now() - hours(1'000);
  for (const bool tls12 : {false, true}) {
    SCOPED_TRACE(tls12);
    // The certificate ends when a clock of nanoseconds has long run over.
    EXPECT_EQ(Resumed(authority_.Issue("IP:127.0.0.1", hours(24 * 365 * 1'000)), tls12,
                      {start, start + hours(12), start + hours(24) - seconds(1), start + hours(24),
                       start + hours(36)}),
              (std::vector{false, true, true, false, true}));
  }
}

TEST_F(TlsSessionAge, EndsWithTheCertificate) {
  const WallTime start = Now();
  for (const bool tls12 : {false, true}) {
    SCOPED_TRACE(tls12);
    EXPECT_EQ(Resumed(authority_.Issue("IP:127.0.0.1", hours(1)), tls12,
                      {start, start + minutes(59), start + minutes(61)}),
              (std::vector{false, true, false}));
  }
}

}  // namespace
}  // namespace trawl

// TLS with a server that is slow, changes its keys or stops amid the handshake.
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/certificates.h"
#include "tests/support/fetch_runner.h"
#include "tests/support/tls_fetches.h"
#include "tests/support/tls_server.h"
#include "worker/http/connection.h"
#include "worker/http/fetcher.h"
#include "worker/http/tls.h"

namespace trawl {
namespace {

namespace asio = boost::asio;

constexpr int kSmallBufferBytes = 32 * 1024;

class Tls : public TlsFetches {
 protected:
  /// One that nothing but a server, or the test, ends.
  static FetchRequest PatientRequest(const std::string& url) {
    FetchRequest request = FetchRunner::Request(url);
    request.limits.connect = request.limits.idle = request.limits.total = milliseconds(60'000);
    return request;
  }

  const TestCertificate certificate_ = authority_.Issue("IP:127.0.0.1");
};

/// No part of it is like another.
std::string Numbers(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ' ';
  return text;
}

TEST_F(Tls, SendsAllOnceToAServerThatReadsSlowly) {
  constexpr std::size_t kBytes = 8 * 1024 * 1024;  // more than the system's buffers hold
  std::promise<void> may_read;
  std::atomic<bool> connected = false;
  std::string received;
  TlsServer server(certificate_, {.buffer_bytes = kSmallBufferBytes}, [&](TlsWire& wire, int) {
    if (!wire.Handshake()) return;
    connected = true;
    may_read.get_future().wait();
    received = wire.ReadRequest();
    wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  FetchRunner runner(Trusting());
  FetchRequest request = PatientRequest(server.Url());
  const std::string numbers = Numbers(kBytes);
  request.headers = "X-Numbers: " + numbers + "\r\n";
  bool sent = false;
  request.on_sent = [&sent] { sent = true; };
  const auto fetched = runner.Start(std::move(request));
  runner.RunUntil([&] { return connected.load(); });
  EXPECT_TRUE(runner.Settles());
  EXPECT_FALSE(sent);
  may_read.set_value();
  constexpr std::size_t kLeastBytesPerTurn = 1'000;
  EXPECT_LT(runner.RunUntil([&] { return fetched->ends == 1; }), kBytes / kLeastBytesPerTurn);
  EXPECT_TRUE(sent);
  EXPECT_EQ(fetched->body, "ok") << fetched->outcome.detail;
  EXPECT_TRUE(received.ends_with("\r\nX-Numbers: " + numbers + "\r\n\r\n"));
}

TEST_F(Tls, BeginsAHandshakeWhenTheSocketTakesIt) {
  std::promise<std::size_t> ahead;
  TlsServer server(certificate_, {.buffer_bytes = kSmallBufferBytes}, [&](TlsWire& wire, int) {
    if (wire.Skip(ahead.get_future().get()) && wire.Handshake()) {
      wire.WaitForEnd();
    }
  });
  asio::io_context io{1};
  TlsContext context(ca_file_, false, 0);
  Socket socket(io.get_executor());
  socket.connect({asio::ip::address_v4::loopback(), server.port()});
  const std::string rubbish(1024 * 1024, 'x');
  std::size_t filled = 0;
  ssize_t n = 0;
  while ((n = send(socket.native_handle(), rubbish.data(), rubbish.size(), MSG_DONTWAIT)) > 0) {
    filled += static_cast<std::size_t>(n);
  }
  Connection connection(std::move(socket));
  bool ended = false;
  std::optional<Connection::TlsProblem> problem;
  asio::co_spawn(io, connection.Handshake(&context, "127.0.0.1", server.port(), WallTime()),
                 [&](const std::exception_ptr&, std::optional<Connection::TlsProblem> found) {
                   ended = true;
                   problem = std::move(found);
                 });
  io.poll();
  EXPECT_FALSE(ended);
  ahead.set_value(filled);
  constexpr std::chrono::seconds kPatience{20};
  io.run_for(kPatience);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(problem) << problem->text;
}

// RFC 8446, section 4.6.3.
TEST_F(Tls, ReadsABodyWhoseServerChangesItsKeys) {
  const std::string body = Numbers(300'000);
  for (const bool both_ways : {false, true}) {
    SCOPED_TRACE(both_ways);
    TlsServer server(certificate_, {}, [&](TlsWire& wire, int) {
      if (!wire.Handshake()) return;
      while (!wire.ReadRequest().empty()) {
        wire.UpdateKeys(both_ways);
        wire.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
        constexpr std::size_t kPieceBytes = 10'000;
        for (std::size_t at = 0; at < body.size(); at += kPieceBytes) {
          wire.UpdateKeys(both_ways);
          wire.Send(std::string_view(body).substr(at, kPieceBytes));
        }
      }
    });
    FetchRunner runner(Trusting());
    for (const bool reused : {false, true}) {
      const Fetched fetched = runner.Get(server.Url());
      EXPECT_TRUE(fetched.body == body) << fetched.outcome.detail;
      EXPECT_EQ(fetched.outcome.reused_connection, reused);
    }
  }
}

class TlsRenegotiation : public Tls {
 protected:
  /// A fetch whose server asks for another handshake amid its answer, with `certificate`.
  Fetched Get(const TestCertificate& certificate) {
    TlsServer server(certificate_, {.tls12 = true}, [&](TlsWire& wire, int) {
      if (!wire.Handshake() || wire.ReadRequest().empty()) return;
      wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
      wire.Present(certificate);
      if (wire.Renegotiate()) wire.Send(" last");
    });
    FetchRunner runner(Trusting());
    return runner.Get(server.Url());
  }
};

// RFC 5246, section 7.4.1.1; RFC 5746.
TEST_F(TlsRenegotiation, LetsTheBodyArriveWhole) {
  const Fetched fetched = Get(certificate_);
  EXPECT_FALSE(fetched.outcome.error) << fetched.outcome.detail;
  EXPECT_EQ(fetched.body, "first last");
}

TEST_F(TlsRenegotiation, VerifiesTheCertificateAgain) {
  const Fetched fetched = Get(authority_.Issue("IP:127.0.0.2"));
  EXPECT_EQ(fetched.outcome.error, Error::kReset);
  EXPECT_NE(fetched.outcome.detail.find("certificate verify failed"), std::string::npos)
      << fetched.outcome.detail;
  EXPECT_EQ(fetched.body, "first");
}

TEST_F(Tls, EndlessNewKeysDoNotOutliveTheFetchsDeadline) {
  for (const bool in_body : {false, true}) {
    SCOPED_TRACE(in_body);
    TlsServer server(certificate_, {}, [&](TlsWire& wire, int) {
      if (!wire.Handshake() || wire.ReadRequest().empty()) return;
      if (in_body) wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
      while (wire.UpdateKeys(false)) {
      }
    });
    FetchRunner runner(Trusting());
    FetchRequest request = PatientRequest(server.Url());
    (in_body ? request.limits.total : request.limits.idle) = milliseconds(200);
    const Fetched fetched = runner.Get(request);
    EXPECT_EQ(fetched.outcome.error, Error::kTimeout) << fetched.outcome.detail;
  }
}

TEST_F(Tls, AServerThatSendsManyRecordsWithoutDataLeavesTurnsOfTheLoopToOthers) {
  constexpr int kRecordBytes = 3 * 1024 * 1024;  // many more than fit into the buffers of sockets
  std::atomic<bool> prepared = false;
  std::atomic<bool> sent = false;
  TlsServer server(certificate_, {.buffer_bytes = kSmallBufferBytes}, [&](TlsWire& wire, int) {
    if (!wire.Handshake()) return;
    BIO* const to_client = SSL_get_wbio(wire.ssl());
    BIO_up_ref(to_client);
    BIO* const records = BIO_new(BIO_s_mem());
    SSL_set0_wbio(wire.ssl(), records);
    char* begin = nullptr;
    while (BIO_get_mem_data(records, &begin) < kRecordBytes && wire.UpdateKeys(false)) {
    }
    prepared = true;
    BIO_write(to_client, begin, kRecordBytes);
    sent = true;
    BIO_free(to_client);
    wire.WaitForEnd();
  });
  FetchRunner runner(Trusting());
  const auto fetched = runner.Start(PatientRequest(server.Url()));
  runner.RunUntil([&] { return prepared.load(); });
  EXPECT_GT(runner.RunUntil([&] { return sent.load(); }), 10u);
  runner.fetcher().Cancel();
  runner.Await(*fetched);
}

class TlsHalfHandshake : public Tls {
 protected:
  /// A fetch that has had a part of the server's answer.
  std::shared_ptr<Fetched> Start(const FetchLimits& limits) {
    FetchRequest request = PatientRequest(server_.Url());
    request.limits = limits;
    auto fetched = runner_.Start(std::move(request));
    runner_.RunUntil([this] { return half_sent_.load(); });
    EXPECT_TRUE(runner_.Settles());
    return fetched;
  }

  void ExpectEnd(const Fetched& fetched, Error error) {
    EXPECT_EQ(fetched.ends, 1);
    EXPECT_EQ(fetched.heads, 0);
    EXPECT_EQ(fetched.outcome.error, error) << fetched.outcome.detail;
    const char* const what = error == Error::kTimeout ? "TLS handshake" : "cancelled";
    EXPECT_NE(fetched.outcome.detail.find(what), std::string::npos) << fetched.outcome.detail;
    runner_.RunUntil([this] { return server_.served() == 1; });  // the socket is closed
  }

  FetchRunner runner_{Trusting()};
  std::atomic<bool> half_sent_ = false;
  TlsServer server_{certificate_, {}, [this](TlsWire& wire, int) {
                      half_sent_ = wire.HalfOfHandshake();
                      wire.WaitForEnd();
                    }};
};

TEST_F(TlsHalfHandshake, EndsWithTheDeadlineForConnections) {
  const auto fetched = Start({.connect = milliseconds(1'000)});
  runner_.Await(*fetched);
  ExpectEnd(*fetched, Error::kTimeout);
}

TEST_F(TlsHalfHandshake, EndsWithTheDeadlineOfTheFetch) {
  const auto fetched = Start({.total = milliseconds(1'000)});
  runner_.Await(*fetched);
  ExpectEnd(*fetched, Error::kTimeout);
}

TEST_F(TlsHalfHandshake, EndsWhenItIsCancelled) {
  const auto fetched = Start({});
  runner_.fetcher().Cancel();
  EXPECT_EQ(fetched->ends, 0);
  runner_.Await(*fetched);
  ExpectEnd(*fetched, Error::kReset);
  EXPECT_EQ(runner_.fetcher().in_flight(), 0u);
}

TEST_F(TlsHalfHandshake, EndsWithTheFetcher) {
  const auto fetched = Start({});
  runner_.DestroyFetcher();
  ExpectEnd(*fetched, Error::kReset);
}

TEST_F(TlsHalfHandshake, IsCompleteWhenTheLoopGoesWithoutRunningAgain) {
  const auto fetched = Start({});
  runner_.DestroyFetcher();
  EXPECT_EQ(fetched->ends, 1);
}

}  // namespace
}  // namespace trawl

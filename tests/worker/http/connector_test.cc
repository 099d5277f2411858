#include "worker/http/connector.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>
#include <vector>

#include "tests/support/fetch_runner.h"
#include "tests/support/test_dns.h"
#include "tests/support/test_site.h"

namespace trawl {
namespace {

using std::chrono::steady_clock;

/// A port of a loopback address where attempts to connect get no answer: its queue is full.
class SilentPort {
 public:
  SilentPort(std::uint32_t address, std::uint16_t port) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(address);
    name.sin_port = htons(port);
    const auto* const at = reinterpret_cast<const sockaddr*>(&name);
    sockets_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(bind(sockets_[0], at, sizeof name), 0);
    EXPECT_EQ(listen(sockets_[0], 0), 0);
    for (int i = 0; i < 8; ++i) {
      sockets_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      connect(sockets_.back(), at, sizeof name);
    }
  }
  ~SilentPort() {
    for (const int fd : sockets_) close(fd);
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;

 private:
  std::vector<int> sockets_;
};

constexpr std::uint32_t kLoopback8 = 0x7f000008;  // 127.0.0.8

std::ptrdiff_t OpenFiles() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

/// A loop that ends when the fetches have, beside a DNS server that does not.
class ConnectorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    serving_ = std::jthread([this] { dns_io_.run(); });
  }
  ~ConnectorTest() override { dns_io_.stop(); }

  /// Runs the loop until there is nothing more to do.
  Fetched Run(const std::string& url, milliseconds connect) {
    Fetcher fetcher(io_, {.user_agent = "test/1.0",
                          .idle_connection_age = milliseconds(1),
                          .dns_servers = dns_.address()});
    FetchRequest request = FetchRunner::Request(url);
    request.limits.connect = connect;
    const auto fetched = std::make_shared<Fetched>();
    fetcher.Start(std::move(request), std::make_unique<Recorder>(fetched));
    io_.restart();
    io_.run();
    EXPECT_EQ(fetched->ends, 1);
    return *fetched;
  }
  std::string Url(const std::string& host) const {
    return "http://" + host + ":" + std::to_string(site_.port()) + "/";
  }

  TestSite site_{{.address = "127.0.0.9"}};
  boost::asio::io_context io_{1};
  boost::asio::io_context dns_io_{1};
  TestDns dns_{dns_io_};
  std::jthread serving_;
};

class ConnectorRaceTest : public ConnectorTest {
 protected:
  ConnectorRaceTest() {
    dns_.names["slow.test"].addresses = {"127.0.0.8", "127.0.0.9"};
    dns_.names["dead.test"].addresses = {"127.0.0.8", "127.0.0.8"};
    dns_.names["refused.test"].addresses = {"::1", "127.0.0.7", "127.0.0.9"};
    dns_.names["gone.test"].addresses = {"127.0.0.6", "127.0.0.7"};
  }
};

TEST_F(ConnectorRaceTest, TakesTheNextAddressWhileTheFirstIsSilent) {
  const SilentPort silent(kLoopback8, site_.port());
  Run(Url("127.0.0.9"), milliseconds(5'000));  // the loop's own files are open from here on
  ASSERT_TRUE(site_.WaitUntilIdle());
  const std::ptrdiff_t open_files = OpenFiles();
  const Fetched fetched = Run(Url("slow.test"), milliseconds(60'000));
  EXPECT_EQ(fetched.head.status, 404) << fetched.outcome.detail;
  EXPECT_EQ(fetched.outcome.remote_address, "127.0.0.9:" + std::to_string(site_.port()));
  EXPECT_GE(fetched.outcome.elapsed, milliseconds(250));
  EXPECT_LT(fetched.outcome.elapsed, milliseconds(20'000));
  // The attempt that has lost is over.
  EXPECT_TRUE(site_.WaitUntilIdle());
  EXPECT_EQ(OpenFiles(), open_files);
}

TEST_F(ConnectorRaceTest, TakesTheNextAddressAtOnceWhenOneFails) {
  // Would take 500 ms otherwise.
  for (int i = 0; i < 20; ++i) {
    const Fetched fetched = Run(Url("refused.test"), milliseconds(5'000));
    EXPECT_EQ(fetched.head.status, 404) << fetched.outcome.detail;
    if (fetched.outcome.elapsed < milliseconds(500)) return;
  }
  ADD_FAILURE() << "waits after a failure";
}

TEST_F(ConnectorRaceTest, EndsAtTheLimitForAllAddressesTogether) {
  const SilentPort silent(kLoopback8, site_.port());
  const Fetched fetched = Run(Url("dead.test"), milliseconds(400));
  EXPECT_EQ(fetched.outcome.error, Error::kTimeout);
  EXPECT_EQ(fetched.outcome.detail, "connect to 127.0.0.8:" + std::to_string(site_.port()) +
                                        ": no connection within 400 ms");
  EXPECT_GE(fetched.outcome.elapsed, milliseconds(400));
  EXPECT_LT(fetched.outcome.elapsed, milliseconds(10'000));
}

TEST_F(ConnectorRaceTest, SaysWhichAddressFailedLast) {
  const Fetched fetched = Run(Url("gone.test"), milliseconds(5'000));
  EXPECT_EQ(fetched.outcome.error, Error::kConnect);
  EXPECT_EQ(fetched.outcome.detail,
            "connect to 127.0.0.7:" + std::to_string(site_.port()) + ": Connection refused");
  EXPECT_FALSE(fetched.outcome.permanent);
}

}  // namespace
}  // namespace trawl

#include "worker/http/connection_pool.h"

#include <gtest/gtest.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <vector>

#include "worker/http/connection.h"

namespace trawl {
namespace {

using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

constexpr char kOrigin[] = "http://a.test";
constexpr char kOther[] = "http://b.test";

class ConnectionPoolTest : public ::testing::Test {
 protected:
  /// A connection and, in servers_, its other end.
  std::unique_ptr<Connection> Connect() {
    Socket client(io_.get_executor());
    client.connect(acceptor_.local_endpoint());
    servers_.push_back(acceptor_.accept());
    return std::make_unique<Connection>(std::move(client));
  }

  /// Waits until what the other end did has arrived here.
  static void AwaitNews(Connection& connection) {
    while (connection.IsQuiet()) {
    }
  }

  asio::io_context io_;
  Acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::vector<Socket> servers_;
  ConnectionPool pool_{3, milliseconds(1000)};
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
};

TEST_F(ConnectionPoolTest, GivesTheLastUsedConnectionOfAnOriginFirst) {
  auto first = Connect();
  auto second = Connect();
  auto other = Connect();
  const Connection* const first_address = first.get();
  const Connection* const second_address = second.get();
  pool_.Put(kOrigin, std::move(first), now_);
  pool_.Put(kOrigin, std::move(second), now_);
  pool_.Put(kOther, std::move(other), now_);
  EXPECT_EQ(pool_.size(), 3u);
  EXPECT_EQ(pool_.Take(kOrigin, now_).get(), second_address);
  EXPECT_EQ(pool_.Take(kOrigin, now_).get(), first_address);
  EXPECT_EQ(pool_.Take(kOrigin, now_), nullptr);
  EXPECT_EQ(pool_.size(), 1u);
}

TEST_F(ConnectionPoolTest, ClosesTheOldestWhenFull) {
  for (int i = 0; i < 3; ++i) pool_.Put(kOrigin, Connect(), now_);
  pool_.Put(kOther, Connect(), now_);
  EXPECT_EQ(pool_.size(), 3u);
  char byte = 0;
  boost::system::error_code ec;
  servers_[0].read_some(asio::buffer(&byte, 1), ec);
  EXPECT_EQ(ec, asio::error::eof);
  EXPECT_NE(pool_.Take(kOther, now_), nullptr);
}

TEST_F(ConnectionPoolTest, GivesNoneThatIsTooOld) {
  pool_.Put(kOrigin, Connect(), now_);
  pool_.Put(kOther, Connect(), now_ + milliseconds(500));
  EXPECT_EQ(pool_.Take(kOrigin, now_ + milliseconds(1000)), nullptr);
  EXPECT_EQ(pool_.size(), 1u);
  pool_.Expire(now_ + milliseconds(1499));
  EXPECT_EQ(pool_.size(), 1u);
  pool_.Expire(now_ + milliseconds(1500));
  EXPECT_TRUE(pool_.empty());
}

TEST_F(ConnectionPoolTest, DropsWhatTheServerHasClosed) {
  auto quiet = Connect();
  auto closed = Connect();
  const Connection* const quiet_address = quiet.get();
  servers_[1].close();
  AwaitNews(*closed);
  pool_.Put(kOrigin, std::move(quiet), now_);
  pool_.Put(kOrigin, std::move(closed), now_);
  EXPECT_EQ(pool_.Take(kOrigin, now_).get(), quiet_address);
  EXPECT_TRUE(pool_.empty());
}

// They would be taken for the answer to the next request.
TEST_F(ConnectionPoolTest, DropsAConnectionWithUnreadBytes) {
  auto connection = Connect();
  asio::write(servers_[0], asio::buffer("HTTP/1.1 200 OK\r\n", 17));
  AwaitNews(*connection);
  pool_.Put(kOrigin, std::move(connection), now_);
  EXPECT_EQ(pool_.Take(kOrigin, now_), nullptr);
}

TEST_F(ConnectionPoolTest, KeepsNothingWithoutRoom) {
  ConnectionPool none(0, milliseconds(1000));
  none.Put(kOrigin, Connect(), now_);
  EXPECT_EQ(none.Take(kOrigin, now_), nullptr);
}

}  // namespace
}  // namespace trawl

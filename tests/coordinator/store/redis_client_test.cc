#include "coordinator/store/redis_client.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>

#include "tests/support/redis_server.h"

namespace trawl {
namespace {

namespace asio = boost::asio;
using Kind = RedisReply::Kind;
using Strings = std::vector<std::string>;

RedisAddress AddressOf(const std::string& url) {
  std::string why;
  return ParseRedisUrl(url, why).value();
}

class RedisClientTest : public testing::Test {
 protected:
  template <class Done>
  void RunUntil(Done done) {
    while (!done()) {
      io_.restart();
      if (io_.run_one_for(std::chrono::seconds(20)) == 0) throw std::runtime_error("no event");
    }
  }

  /// "" when connected, otherwise what the client says.
  std::string Connect(const std::string& url, int timeout_ms = 5000) {
    std::optional<std::string> outcome;
    client_->Connect(
        AddressOf(url),
        [&](Result<void> result, const std::string& why) {
          outcome = result ? "" : why;
          EXPECT_TRUE(result || result.error() == Error::kStore);
        },
        timeout_ms);
    EXPECT_FALSE(outcome) << "Connect() called back before it returned";
    RunUntil([&] { return outcome.has_value(); });
    return *outcome;
  }

  Result<RedisReply> Command(const Strings& arguments) {
    std::optional<Result<RedisReply>> result;
    client_->Command(arguments, [&](Result<RedisReply> reply) { result = std::move(reply); });
    RunUntil([&] { return result.has_value(); });
    return *result;
  }

  RedisServer server_;
  asio::io_context io_;
  std::unique_ptr<RedisClient> client_ = std::make_unique<RedisClient>(io_);
};

/// A port at which nothing listens.
int FreePort(asio::io_context& io) {
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}

TEST_F(RedisClientTest, ReadsEveryKindOfReply) {
  ASSERT_EQ(Connect(server_.url()), "");
  EXPECT_EQ(Command({"PING"})->text, "PONG");
  EXPECT_EQ(Command({"INCRBY", "n", "-5"})->integer, -5);
  EXPECT_EQ(Command({"GET", "nothing"})->kind, Kind::kNil);
  const Result<RedisReply> array = Command({"EVAL", "return {1, {'x', false}}", "0"});
  ASSERT_EQ(array->kind, Kind::kArray);
  EXPECT_EQ(array->elements.at(0).integer, 1);
  EXPECT_EQ(array->elements.at(1).elements.at(0).text, "x");
  EXPECT_EQ(array->elements.at(1).elements.at(1).kind, Kind::kNil);
}

TEST_F(RedisClientTest, GivesTheServersErrorsAsReplies) {
  ASSERT_EQ(Connect(server_.url()), "");
  const Result<RedisReply> reply = Command({"NONSENSE"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->kind, Kind::kError);
  EXPECT_TRUE(reply->text.starts_with("ERR unknown command")) << reply->text;
}

TEST_F(RedisClientTest, CarriesLargeAndBinaryValues) {
  ASSERT_EQ(Connect(server_.url()), "");
  std::string value(5'000'000, '\0');
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>(i * 7);
  EXPECT_EQ(Command({"SET", "k", value})->text, "OK");
  EXPECT_EQ(Command({"GET", "k"})->text, value);
}

TEST_F(RedisClientTest, AnswersManyCommandsInOrder) {
  ASSERT_EQ(Connect(server_.url()), "");
  std::int64_t answered = 0;
  for (int i = 1; i <= 20'000; ++i) {
    client_->Command({"INCR", "n"}, [&answered, i](const Result<RedisReply>& reply) {
      EXPECT_EQ(reply->integer, i);
      EXPECT_EQ(++answered, i);
    });
  }
  EXPECT_EQ(answered, 0);
  RunUntil([&] { return answered == 20'000; });
}

TEST_F(RedisClientTest, ConnectsToASocketWhosePathHasABlank) {
  const std::string link = server_.socket_path() + " link";
  std::filesystem::create_symlink(server_.socket_path(), link);
  EXPECT_EQ(Connect("unix://" + link), "");
}

TEST_F(RedisClientTest, ConnectsOverTcpToAName) {
  const std::string port = std::to_string(FreePort(io_));
  server_.Run({"CONFIG", "SET", "port", port});
  EXPECT_EQ(Connect("redis://localhost:" + port), "");
  EXPECT_EQ(Command({"PING"})->text, "PONG");
}

TEST_F(RedisClientTest, Authenticates) {
  server_.Run({"ACL", "SETUSER", "u", "on", ">pass word", "~*", "+@all"});
  server_.Run({"CONFIG", "SET", "requirepass", "secret"});
  const std::string path = server_.socket_path();
  EXPECT_EQ(Connect("unix://secret@" + path), "");
  EXPECT_EQ(Command({"ACL", "WHOAMI"})->text, "default");
  EXPECT_EQ(Connect("unix://u:pass%20word@" + path), "");
  EXPECT_EQ(Command({"ACL", "WHOAMI"})->text, "u");
  EXPECT_TRUE(Connect("unix://wrong@" + path).starts_with("WRONGPASS"));
}

TEST_F(RedisClientTest, SelectsTheDatabase) {
  EXPECT_EQ(Connect(server_.url() + "?db=3"), "");
  EXPECT_NE(Command({"CLIENT", "INFO"})->text.find(" db=3 "), std::string::npos);
  EXPECT_NE(Connect(server_.url() + "?db=99").find("out of range"), std::string::npos);
  EXPECT_FALSE(Command({"PING"}));
}

TEST_F(RedisClientTest, TellsWhyThereIsNoConnection) {
  EXPECT_EQ(Connect("unix:///nothing/here"), "No such file or directory");
  EXPECT_EQ(Connect("redis://127.0.0.1:" + std::to_string(FreePort(io_))), "Connection refused");
  EXPECT_EQ(Connect(server_.url()), "");
}

TEST_F(RedisClientTest, GivesUpWhenTheServerDoesNotAnswer) {
  asio::ip::tcp::acceptor silent(io_, {asio::ip::address_v4::loopback(), 0});
  const std::string port = std::to_string(silent.local_endpoint().port());
  EXPECT_EQ(Connect("redis://127.0.0.1:" + port + "/1", 50), "no answer in time");
  EXPECT_FALSE(Command({"PING"}));
}

TEST_F(RedisClientTest, FailsCommandsWithoutAConnection) {
  EXPECT_EQ(Command({"PING"}).error(), Error::kStore);
}

TEST_F(RedisClientTest, FailsWhatIsOutstandingOnceWhenTheConnectionIsLost) {
  ASSERT_EQ(Connect(server_.url()), "");
  Strings events;
  client_->set_on_lost([&](const std::string& why) { events.push_back("lost: " + why); });
  for (const char* name : {"first", "second"}) {
    client_->Command({"BLPOP", "nothing", "0"}, [&, name](const Result<RedisReply>& reply) {
      EXPECT_EQ(reply.error(), Error::kStore);
      events.push_back(name);
    });
  }
  client_->Command({"PING"}, [&](const Result<RedisReply>&) {
    client_->Command({"PING"}, [&](const Result<RedisReply>& reply) {
      EXPECT_EQ(reply.error(), Error::kStore);
      events.push_back("sent too late");
    });
  });
  io_.poll();
  server_.Kill();
  RunUntil([&] { return events.size() >= 4; });
  EXPECT_EQ(events[0], "first");
  EXPECT_EQ(events[1], "second");
  EXPECT_TRUE(events[2].starts_with("lost: ")) << events[2];
  EXPECT_GT(events[2].size(), 6u);
  EXPECT_EQ(events[3], "sent too late");
  io_.restart();
  io_.poll();
  EXPECT_EQ(events.size(), 4u);
}

TEST_F(RedisClientTest, ConnectsAgainAfterALoss) {
  ASSERT_EQ(Connect(server_.url()), "");
  bool lost = false;
  client_->set_on_lost([&](const std::string&) { lost = true; });
  server_.Kill();
  RunUntil([&] { return lost; });
  EXPECT_FALSE(Command({"PING"}));
  server_.Start();
  EXPECT_EQ(Connect(server_.url()), "");
  EXPECT_EQ(Command({"PING"})->text, "PONG");
}

TEST_F(RedisClientTest, CallsNobodyOnceItIsGone) {
  ASSERT_EQ(Connect(server_.url()), "");
  client_->set_on_lost([](const std::string&) { FAIL(); });
  bool answered = false;
  client_->Command({"PING"}, [&](const Result<RedisReply>&) {
    answered = true;
    client_.reset();
  });
  client_->Command({"PING"}, [](const Result<RedisReply>&) { FAIL(); });
  RunUntil([&] { return answered; });

  client_ = std::make_unique<RedisClient>(io_);
  ASSERT_EQ(Connect(server_.url()), "");
  client_->Command({"PING"}, [](const Result<RedisReply>&) { FAIL(); });
  client_->Connect(AddressOf(server_.url()), [](Result<void>, const std::string&) { FAIL(); });
  client_.reset();
  io_.restart();
  io_.run();
}

TEST_F(RedisClientTest, MayGoWhileItFailsWhatIsOutstanding) {
  ASSERT_EQ(Connect(server_.url()), "");
  client_->set_on_lost([](const std::string&) { FAIL(); });
  bool failed = false;
  client_->Command({"BLPOP", "nothing", "0"}, [&](const Result<RedisReply>& reply) {
    EXPECT_FALSE(reply);
    failed = true;
    client_.reset();
  });
  client_->Command({"PING"}, [](const Result<RedisReply>&) { FAIL(); });
  io_.poll();
  server_.Kill();
  RunUntil([&] { return failed; });
  io_.restart();
  io_.run();
}

}  // namespace
}  // namespace trawl

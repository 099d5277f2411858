// Real sockets on the loopback; the only waiting is for messages, up to a limit that ends a test
// that has failed.

#include "proto/message_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "proto/messages.h"

namespace trawl {
namespace {

using boost::asio::ip::tcp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kAnyPort[] = "tcp://127.0.0.1:*";

class MessageSocketTest : public ::testing::Test {
 protected:
  using Messages = std::vector<std::pair<std::string, std::string>>;  // peer, bytes

  static MessageSocket::OnMessage Into(Messages& messages) {
    return [&messages](const std::string& peer, std::string_view bytes) {
      messages.emplace_back(peer, bytes);
    };
  }

  MessageSocket Dealer(const std::string& name, Messages& messages) {
    return MessageSocket::Dealer(io_, router_.endpoint(), name, Into(messages));
  }

  template <class Condition>
  [[nodiscard]] bool Await(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(100));
    }
    return true;
  }
  [[nodiscard]] bool AwaitCount(const Messages& messages, std::size_t count) {
    return Await([&] { return messages.size() >= count; });
  }

  std::uint16_t Port() const {
    const std::string endpoint = router_.endpoint();
    return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
  }

  boost::asio::io_context io_;
  Messages received_;
  MessageSocket router_ = MessageSocket::Router(io_, kAnyPort, Into(received_));
};

TEST_F(MessageSocketTest, NamesThePortThatWasBound) {
  EXPECT_THAT(router_.endpoint(), testing::MatchesRegex("tcp://127.0.0.1:[0-9]+"));
  EXPECT_NE(Port(), 0);
}

TEST_F(MessageSocketTest, CarriesAMessageThereAndBack) {
  Messages answers;
  MessageSocket worker = Dealer("w", answers);
  const std::string bytes("\0\xFF binary", 9);
  EXPECT_TRUE(worker.Send("", bytes));
  ASSERT_TRUE(AwaitCount(received_, 1));
  EXPECT_EQ(received_[0], std::pair(std::string("w"), bytes));
  EXPECT_TRUE(router_.Send("w", "answer"));
  ASSERT_TRUE(AwaitCount(answers, 1));
  EXPECT_EQ(answers[0], std::pair(std::string(), std::string("answer")));
}

TEST_F(MessageSocketTest, SendsToNobodyWhomItDoesNotKnow) {
  EXPECT_FALSE(router_.Send("w", "lost"));
  Messages answers;
  MessageSocket worker = Dealer("w", answers);
  ASSERT_TRUE(worker.Send("", "hello"));
  ASSERT_TRUE(AwaitCount(received_, 1));
  EXPECT_FALSE(router_.Send("v", "lost"));
  EXPECT_TRUE(router_.Send("w", "kept"));
  ASSERT_TRUE(AwaitCount(answers, 1));
  EXPECT_EQ(answers[0].second, "kept") << "nothing of a refused message is left over";
}

TEST_F(MessageSocketTest, AWorkerThatConnectsAgainTakesItsNameOver) {
  Messages of_dead, of_living;
  MessageSocket dead = Dealer("w", of_dead);
  ASSERT_TRUE(dead.Send("", "1"));
  ASSERT_TRUE(AwaitCount(received_, 1));
  MessageSocket living = Dealer("w", of_living);
  ASSERT_TRUE(living.Send("", "2"));
  ASSERT_TRUE(AwaitCount(received_, 2));
  ASSERT_TRUE(router_.Send("w", "for the living"));
  ASSERT_TRUE(AwaitCount(of_living, 1));
  EXPECT_THAT(of_dead, IsEmpty());
}

TEST_F(MessageSocketTest, HandsOnEveryMessageOfAFloodInOrder) {
  constexpr int kMessages = 10'000;
  Messages answers;
  MessageSocket worker = Dealer("w", answers);
  for (int i = 0; i < kMessages; ++i) ASSERT_TRUE(worker.Send("", std::to_string(i)));
  ASSERT_TRUE(AwaitCount(received_, kMessages));
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_EQ(received_[i].second, std::to_string(i));
    ASSERT_TRUE(router_.Send("w", received_[i].second));
  }
  ASSERT_TRUE(AwaitCount(answers, kMessages));
  for (int i = 0; i < kMessages; ++i) ASSERT_EQ(answers[i].second, std::to_string(i));
}

TEST_F(MessageSocketTest, ReadsOnWhileEachMessageIsAnswered) {
  // A send may swallow the edge of the descriptor that told of the next message.
  constexpr std::size_t kTurns = 2'000;
  std::optional<MessageSocket> echo;
  Messages answers;
  echo = MessageSocket::Router(io_, kAnyPort, [&](const std::string& peer, std::string_view bytes) {
    ASSERT_TRUE(echo->Send(peer, bytes));
  });
  MessageSocket worker = MessageSocket::Dealer(io_, echo->endpoint(), "w", Into(answers));
  for (std::size_t sent = 0; sent < kTurns; ++sent) {
    ASSERT_TRUE(worker.Send("", "x"));
    if (sent % 7 == 0) {
      ASSERT_TRUE(AwaitCount(answers, sent / 2));
    }
  }
  EXPECT_TRUE(AwaitCount(answers, kTurns));
}

TEST_F(MessageSocketTest, WhilePausedReadsNothingAndLosesNothing) {
  constexpr std::size_t kMessages = 1'000;
  Messages taken;
  std::optional<MessageSocket> pausing;
  pausing = MessageSocket::Router(io_, kAnyPort, [&](const std::string& peer, std::string_view b) {
    taken.emplace_back(peer, b);
    if (taken.size() % 100 == 0) pausing->Pause();
  });
  Messages answers;
  MessageSocket to_pausing = MessageSocket::Dealer(io_, pausing->endpoint(), "w", Into(answers));
  for (std::size_t i = 0; i < kMessages; ++i) ASSERT_TRUE(to_pausing.Send("", std::to_string(i)));
  for (std::size_t pauses = 1; pauses <= kMessages / 100; ++pauses) {
    ASSERT_TRUE(AwaitCount(taken, pauses * 100));
    ASSERT_TRUE(pausing->Send("w", "ping")) << "a paused socket sends";
    ASSERT_TRUE(AwaitCount(answers, pauses));
    EXPECT_EQ(taken.size(), pauses * 100);
    pausing->Resume();
  }
  for (std::size_t i = 0; i < kMessages; ++i) ASSERT_EQ(taken[i].second, std::to_string(i));
}

TEST_F(MessageSocketTest, WhilePausedLeavesTheLoopAlone) {
  Messages taken;
  std::optional<MessageSocket> pausing;
  pausing = MessageSocket::Router(io_, kAnyPort, [&](const std::string& peer, std::string_view b) {
    taken.emplace_back(peer, b);
    pausing->Pause();
  });
  const auto ignore = [](const std::string&, std::string_view) {};
  MessageSocket one = MessageSocket::Dealer(io_, pausing->endpoint(), "one", ignore);
  ASSERT_TRUE(one.Send("", "read"));
  ASSERT_TRUE(AwaitCount(taken, 1));
  MessageSocket other = MessageSocket::Dealer(io_, pausing->endpoint(), "other", ignore);
  ASSERT_TRUE(other.Send("", "waits"));
  EXPECT_LT(io_.run_for(milliseconds(200)), 100u) << "events while nothing is to be done";
  pausing->Resume();
  ASSERT_TRUE(AwaitCount(taken, 2));
}

TEST_F(MessageSocketTest, AMessageOfSeveralFramesCountsAsMalformed) {
  zmq::context_t context;
  zmq::socket_t rogue(context, zmq::socket_type::dealer);
  rogue.set(zmq::sockopt::linger, 0);
  rogue.set(zmq::sockopt::routing_id, "rogue");
  rogue.connect(router_.endpoint());
  rogue.send(zmq::str_buffer("x"), zmq::send_flags::sndmore);
  rogue.send(zmq::str_buffer("y"), zmq::send_flags::sndmore);
  rogue.send(zmq::str_buffer("z"), zmq::send_flags::none);
  rogue.send(zmq::str_buffer("whole"), zmq::send_flags::none);
  ASSERT_TRUE(AwaitCount(received_, 2));
  EXPECT_THAT(received_, ElementsAre(std::pair("rogue", ""), std::pair("rogue", "whole")));
}

TEST_F(MessageSocketTest, AFrameThatIsTooLongHarmsNobody) {
  Messages answers;
  MessageSocket bad = Dealer("bad", answers);
  MessageSocket good = Dealer("good", answers);
  ASSERT_TRUE(bad.Send("", "first"));
  ASSERT_TRUE(good.Send("", "first"));
  ASSERT_TRUE(AwaitCount(received_, 2));
  received_.clear();
  bad.Send("", std::string(kMaxMessageBytes + 1, 'x'));
  ASSERT_TRUE(good.Send("", "second"));
  ASSERT_TRUE(AwaitCount(received_, 1));
  EXPECT_THAT(received_, ElementsAre(std::pair("good", "second")));
  EXPECT_TRUE(router_.Send("good", "answer"));
  EXPECT_TRUE(AwaitCount(answers, 1));
}

TEST_F(MessageSocketTest, AFrameOfTheGreatestLengthArrives) {
  Messages answers;
  MessageSocket worker = Dealer("w", answers);
  ASSERT_TRUE(worker.Send("", std::string(kMaxMessageBytes, 'x')));
  ASSERT_TRUE(AwaitCount(received_, 1));
  EXPECT_EQ(received_[0].second.size(), kMaxMessageBytes);
}

TEST_F(MessageSocketTest, WhoSpeaksNotZeroMqHarmsNobody) {
  std::vector<tcp::socket> rogues;
  for (const std::string& rubbish :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string(10'000, '\xFF'),
        std::string(100, '\0'), std::string("\xFF\0\0\0\0\0\0\0\x01\x7F\x03\0NULL", 16),
        std::string()}) {
    tcp::socket& rogue = rogues.emplace_back(io_);
    rogue.connect({boost::asio::ip::address_v4::loopback(), Port()});
    boost::system::error_code ignored;  // the other end may have closed already
    boost::asio::write(rogue, boost::asio::buffer(rubbish), ignored);
  }
  Messages answers;
  MessageSocket good = Dealer("good", answers);
  ASSERT_TRUE(good.Send("", "hello"));
  ASSERT_TRUE(AwaitCount(received_, 1));
  EXPECT_THAT(received_, ElementsAre(std::pair("good", "hello")));
}

TEST_F(MessageSocketTest, AnEndpointThatCannotBeHadIsNamed) {
  const auto complaint = [&](auto make, const std::string& endpoint) -> std::string {
    try {
      make(endpoint);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "no complaint";
  };
  const auto listen = [&](const std::string& endpoint) {
    MessageSocket::Router(io_, endpoint, Into(received_));
  };
  const auto connect = [&](const std::string& endpoint) {
    MessageSocket::Dealer(io_, endpoint, "w", Into(received_));
  };
  for (const std::string& endpoint : {router_.endpoint(), std::string("tcp://127.0.0.1"),
                                      std::string("rubbish"), std::string()}) {
    EXPECT_THAT(complaint(listen, endpoint), HasSubstr("cannot listen on " + endpoint));
  }
  for (const std::string& endpoint : {std::string("http://127.0.0.1:1"), std::string("tcp://x")}) {
    EXPECT_THAT(complaint(connect, endpoint), HasSubstr("cannot connect to " + endpoint));
  }
}

TEST_F(MessageSocketTest, MayEndInTheMiddleOfAMessage) {
  std::optional<MessageSocket> ending;
  int messages = 0;
  ending = MessageSocket::Router(io_, kAnyPort, [&](const std::string&, std::string_view) {
    ++messages;
    ending.reset();
  });
  Messages answers;
  MessageSocket worker = MessageSocket::Dealer(io_, ending->endpoint(), "w", Into(answers));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(worker.Send("", "x"));
  ASSERT_TRUE(Await([&] { return messages > 0; }));
  io_.poll();
  EXPECT_EQ(messages, 1);
}

}  // namespace
}  // namespace trawl

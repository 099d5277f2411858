// The Asio types of the worker: everything runs on one thread, so coroutines, sockets and timers
// use io_context's own executor and not the type-erased one. Include it in .cc files and in the
// headers of the network code only; it is slow to compile.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace trawl {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
template <class T>
using Task = asio::awaitable<T, Executor>;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// Errors as values: `auto [ec, n] = co_await socket.async_read_some(buffer, kTuple);`
inline constexpr auto kTuple = asio::experimental::as_tuple_t<asio::use_awaitable_t<Executor>>(
    asio::use_awaitable_t<Executor>());

}  // namespace trawl

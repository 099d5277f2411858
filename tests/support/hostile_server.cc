#include "tests/support/hostile_server.h"

#include <arpa/inet.h>
#include <brotli/encode.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>

#include "tests/support/test_page.h"

namespace trawl {
namespace {

constexpr int kLookMs = 20;  // how soon a thread sees that the server ends
constexpr std::uint64_t kBombBytes = 10'000'000'000;
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
constexpr std::string_view kText = "<p>some text";

std::string Head(std::string_view more) { return std::string(kOk).append(more).append("\r\n"); }

std::string WithLength(std::string_view body, std::string_view more = "") {
  return Head("Content-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more))
      .append(body);
}

std::string Chunks(std::string_view chunks) {
  return Head("Transfer-Encoding: chunked\r\n").append(chunks);
}

std::string Repeated(std::string_view text, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += text;
  return out;
}

// ---- What a server does with an answer ----

using Answer = std::function<void(HostileWire&)>;

/// And ends the connection in good order.
Answer Says(std::string bytes) {
  return [bytes = std::move(bytes)](HostileWire& wire) { wire.Send(bytes); };
}

Answer SaysAndStays(std::string bytes) {
  return [bytes = std::move(bytes)](HostileWire& wire) {
    if (wire.Send(bytes)) wire.WaitForEnd();
  };
}

Answer SaysAndResets(std::string bytes) {
  return [bytes = std::move(bytes)](HostileWire& wire) {
    wire.Send(bytes);
    wire.Wait(kLookMs);  // a reset overtakes what has not been read
    wire.Reset();
  };
}

Answer Drips(std::string at_once, std::string slowly) {
  return [at_once = std::move(at_once), slowly = std::move(slowly)](HostileWire& wire) {
    if (!wire.Send(at_once)) return;
    for (const char c : slowly) {
      if (!wire.Send({&c, 1}) || !wire.Wait(1'000)) return;
    }
  };
}

Answer Repeats(std::string at_first, std::string for_ever) {
  return [at_first = std::move(at_first), for_ever = std::move(for_ever)](HostileWire& wire) {
    if (!wire.Send(at_first)) return;
    while (wire.Send(for_ever)) {
    }
  };
}

// ---- Bombs ----

/// Appends what a run of zeros is when coded.
using Coder = std::function<void(std::string_view zeros, std::string& out)>;

Coder ZlibCoder(int window_bits) {
  const auto end = [](z_stream* stream) {
    deflateEnd(stream);
    delete stream;
  };
  const std::shared_ptr<z_stream> stream(new z_stream(), end);
  deflateInit2(stream.get(), Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  return [stream](std::string_view zeros, std::string& out) {
    stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
    stream->avail_in = static_cast<uInt>(zeros.size());
    do {
      Bytef bytes[4096];
      stream->next_out = bytes;
      stream->avail_out = sizeof bytes;
      deflate(stream.get(), Z_NO_FLUSH);
      out.append(reinterpret_cast<char*>(bytes), sizeof bytes - stream->avail_out);
    } while (stream->avail_out == 0);
  };
}

Coder BrotliCoder() {
  const std::shared_ptr<BrotliEncoderState> state(
      BrotliEncoderCreateInstance(nullptr, nullptr, nullptr), BrotliEncoderDestroyInstance);
  BrotliEncoderSetParameter(state.get(), BROTLI_PARAM_QUALITY, 1);
  return [state](std::string_view zeros, std::string& out) {
    auto next_in = reinterpret_cast<const std::uint8_t*>(zeros.data());
    std::size_t available_in = zeros.size();
    do {
      std::uint8_t bytes[4096];
      std::uint8_t* next_out = bytes;
      std::size_t available_out = sizeof bytes;
      BrotliEncoderCompressStream(state.get(), BROTLI_OPERATION_FLUSH, &available_in, &next_in,
                                  &available_out, &next_out, nullptr);
      out.append(reinterpret_cast<char*>(bytes), sizeof bytes - available_out);
    } while (available_in > 0 || BrotliEncoderHasMoreOutput(state.get()));
  };
}

Coder ZstdCoder() {
  const std::shared_ptr<ZSTD_CCtx> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  return [context](std::string_view zeros, std::string& out) {
    ZSTD_inBuffer in = {zeros.data(), zeros.size(), 0};
    std::size_t left = 1;
    while (in.pos < in.size || left > 0) {
      char bytes[4096];
      ZSTD_outBuffer coded = {bytes, sizeof bytes, 0};
      left = ZSTD_compressStream2(context.get(), &coded, &in, ZSTD_e_flush);
      out.append(bytes, coded.pos);
    }
  };
}

/// Zeros without end, made while they are sent.
Answer Bomb(std::string coding, std::function<std::vector<Coder>()> make_coders) {
  return [coding = std::move(coding), make_coders = std::move(make_coders)](HostileWire& wire) {
    if (!wire.Send(Head("Content-Encoding: " + coding + "\r\n"))) return;
    const std::vector<Coder> coders = make_coders();
    const std::string zeros(1'000'000, '\0');
    for (std::uint64_t sent = 0; sent < kBombBytes; sent += zeros.size()) {
      std::string bytes = zeros;
      for (const Coder& coder : coders) {
        std::string coded;
        coder(bytes, coded);
        bytes = std::move(coded);
      }
      if (!wire.Send(bytes)) return;
    }
  };
}

/// Of 10 MB, whole.
std::string SmallBomb(const std::string& coding, Coding code) {
  return WithLength(Encode(code, std::string(10'000'000, '\0')),
                    "Content-Encoding: " + coding + "\r\n");
}

std::string CutCoding(const std::string& coding, Coding code) {
  std::string body;
  for (int i = 0; i < 2'000; ++i) body += "<p>" + std::to_string(i * 7919);
  const std::string coded = Encode(code, body);
  return WithLength(coded.substr(0, coded.size() / 2), "Content-Encoding: " + coding + "\r\n");
}

std::string Redirect(const std::string& to) {
  return "HTTP/1.1 302 Found\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n";
}

std::vector<HostileBehaviour> MakeBehaviours() {
  const std::string text(kText);
  const int size = static_cast<int>(kText.size());
  const std::string nul(1, '\0');
  const std::string cookies = Repeated("Set-Cookie: a=b; Path=/; HttpOnly\r\n", 50'000);
  constexpr int kGzipBits = 15 + 16;
  return {
      // ---- Time ----
      {"silent", [](HostileWire& wire) { wire.WaitForEnd(); }, "timeout"},
      {"slow_head", Drips("", WithLength(text)), "timeout"},
      {"slow_drip", Drips(Head("Content-Length: 1000\r\n"), std::string(1000, 'x')), "timeout"},
      {"slow_chunks", Drips(Chunks(""), Repeated("1\r\nx\r\n", 1000)), "timeout"},
      {"body_that_stops", SaysAndStays(Head("Content-Length: 1000\r\n") + text), "timeout"},
      {"head_that_stops", SaysAndStays(std::string(kOk)), "timeout"},
      {"chunk_that_stops", SaysAndStays(Chunks("c\r\n" + text + "\r\n")), "timeout"},

      // ---- The head ----
      {"endless_head", Repeats(std::string(kOk), "X-More: and more\r\n"), "too_large"},
      {"endless_line", Repeats(std::string(kOk) + "X: ", std::string(1000, 'x')), "too_large"},
      {"huge_head", Says(WithLength(text, "X: " + std::string(1'000'000, 'x') + "\r\n")),
       "too_large"},
      {"cookies", Says(WithLength(text, cookies)), "fetched", size},
      {"cookie_flood", Repeats(std::string(kOk), cookies), "too_large"},
      {"continue", Says("HTTP/1.1 100 Continue\r\n\r\n" + WithLength(text)), "fetched", size},
      {"continue_flood", Repeats("", "HTTP/1.1 100 Continue\r\n\r\n"), "too_large"},
      {"switching", SaysAndStays("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "malformed"},
      {"bare_lf", Says("HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 12\n\n" + text),
       "fetched", size},
      {"no_reason", Says("HTTP/1.1 200\r\nContent-Type: text/html\r\n\r\n" + text), "fetched",
       size},
      {"blank_before_colon",
       Says("HTTP/1.1 200 OK\r\nContent-Type : text/html\r\nContent-Length : 12\r\n\r\n" + text),
       "fetched", size},
      {"folded", Says("HTTP/1.1 200 OK\r\nContent-Type:\r\n text/html\r\n\r\n" + text), "fetched",
       size},
      {"http09", SaysAndStays("<html>" + text), "malformed"},
      {"another_protocol", SaysAndStays("220 mail.test ESMTP\r\n"), "malformed"},
      {"http2", SaysAndStays("HTTP/2 200\r\nContent-Length: 0\r\n\r\n"), "malformed"},
      {"bad_status", SaysAndStays("HTTP/1.1 2x0 OK\r\n\r\n"), "malformed"},
      {"status_0", SaysAndStays("HTTP/1.1 000 OK\r\n\r\n"), "malformed"},
      {"nul_in_value", SaysAndStays(WithLength(text, "X: a" + nul + "b\r\n")), "malformed"},
      {"nul_in_name", SaysAndStays(WithLength(text, "X" + nul + ": a\r\n")), "malformed"},
      {"nul_in_status", SaysAndStays("HTTP/1.1 200 O" + nul + "K\r\n\r\n"), "malformed"},
      {"no_colon", SaysAndStays(WithLength(text, "no header\r\n")), "malformed"},
      {"bare_cr", SaysAndStays(WithLength(text, "X: a\rb\r\n")), "malformed"},

      // ---- Framing ----
      {"longer_than_length", Says(Head("Content-Length: 12\r\n") + text + text), "fetched", size},
      {"shorter_than_length", Says(Head("Content-Length: 13\r\n") + text), "truncated"},
      {"no_body_at_all", Says(Head("Content-Length: 12\r\n")), "truncated"},
      {"length_beyond_limit", SaysAndStays(Head("Content-Length: 100000000000\r\n")), "too_large"},
      {"length_beyond_numbers", SaysAndStays(Head("Content-Length: 99999999999999999999\r\n")),
       "malformed"},
      {"negative_length", SaysAndStays(Head("Content-Length: -1\r\n") + text), "malformed"},
      {"length_is_no_number", SaysAndStays(Head("Content-Length: many\r\n") + text), "malformed"},
      {"two_lengths", SaysAndStays(WithLength(text, "Content-Length: 5\r\n")), "malformed"},
      {"length_and_chunks",
       SaysAndStays(Head("Content-Length: 12\r\nTransfer-Encoding: chunked\r\n") + "c\r\n" + text +
                    "\r\n" + std::string(kLastChunk)),
       "malformed"},
      {"unknown_transfer_coding", SaysAndStays(Head("Transfer-Encoding: gzip\r\n") + text),
       "malformed"},
      {"chunk_size_no_hex", SaysAndStays(Chunks("xyz\r\n" + text + "\r\n0\r\n\r\n")), "malformed"},
      {"chunk_size_negative", SaysAndStays(Chunks("-c\r\n" + text + "\r\n0\r\n\r\n")), "malformed"},
      {"chunk_size_overflow",
       SaysAndStays(Chunks("1000000000000000c\r\n" + text + "\r\n0\r\n\r\n")), "malformed"},
      {"chunk_size_empty", SaysAndStays(Chunks("\r\n" + text + "\r\n0\r\n\r\n")), "malformed"},
      {"chunk_size_huge", Says(Chunks("7fffffffffffffff\r\n" + text)), "truncated"},
      {"chunk_longer_than_size", SaysAndStays(Chunks("5\r\n" + text + "\r\n0\r\n\r\n")),
       "malformed"},
      {"chunk_bare_lf", SaysAndStays(Chunks("c\n" + text + "\n0\n\n")), "malformed"},
      {"chunk_cut", Says(Chunks("d\r\n" + text)), "truncated"},
      {"chunks_without_end", Says(Chunks("c\r\n" + text + "\r\n")), "truncated"},
      {"chunks_endless", Repeats(Chunks(""), Chunk(std::string(10'000, 'x'))), "too_large"},
      {"chunk_line_endless", Repeats(Chunks("1;"), std::string(1000, 'x')), "malformed"},
      {"trailer_endless", Repeats(Chunks("c\r\n" + text + "\r\n0\r\n"), "X-More: and more\r\n"),
       "malformed"},
      {"body_endless", Repeats(Head(""), std::string(10'000, 'x')), "too_large"},
      {"http10", Says("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + text), "fetched",
       size},
      {"no_content_with_body",
       Says("HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n" +
            text),
       "fetched", 0},
      {"partial",
       Says("HTTP/1.1 206 Partial Content\r\nContent-Type: text/html\r\nContent-Range: "
            "bytes 0-11/100\r\nContent-Length: 12\r\n\r\n" +
            text),
       "malformed"},
      {"same_length_twice", Says(WithLength(text, "Content-Length: 12\r\n")), "fetched", size},
      {"rubbish_behind", Says(WithLength(text) + "\r\n\r\nrubbish\r\n"), "fetched", size},
      {"response_behind", SaysAndStays(WithLength(text) + WithLength("another")), "fetched", size},

      // ---- The body ----
      {"nuls_in_body", Says(WithLength("<p>" + std::string(9, '\0'))), "fetched", size},
      {"picture", Says("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + text),
       "content_type"},
      {"no_type", Says("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + text), "content_type"},
      {"unknown_coding", SaysAndStays(WithLength(text, "Content-Encoding: rot13\r\n")),
       "malformed"},
      {"many_codings",
       SaysAndStays(WithLength(text, "Content-Encoding: gzip, gzip, gzip, gzip\r\n")), "malformed"},
      {"no_gzip_at_all", SaysAndStays(WithLength(text, "Content-Encoding: gzip\r\n")), "malformed"},
      {"gzip_cut_short", SaysAndStays(CutCoding("gzip", Coding::kGzip)), "truncated"},
      {"deflate_cut_short", SaysAndStays(CutCoding("deflate", Coding::kDeflate)), "truncated"},
      {"br_cut_short", SaysAndStays(CutCoding("br", Coding::kBrotli)), "truncated"},
      {"zstd_cut_short", SaysAndStays(CutCoding("zstd", Coding::kZstd)), "truncated"},
      {"gzip_small_bomb", SaysAndStays(SmallBomb("gzip", Coding::kGzip)), "too_large"},
      {"br_small_bomb", SaysAndStays(SmallBomb("br", Coding::kBrotli)), "too_large"},
      {"zstd_small_bomb", SaysAndStays(SmallBomb("zstd", Coding::kZstd)), "too_large"},
      {"gzip_bomb", Bomb("gzip", [] { return std::vector{ZlibCoder(kGzipBits)}; }), "too_large"},
      {"deflate_bomb", Bomb("deflate", [] { return std::vector{ZlibCoder(15)}; }), "too_large"},
      {"br_bomb", Bomb("br", [] { return std::vector{BrotliCoder()}; }), "too_large"},
      {"zstd_bomb", Bomb("zstd", [] { return std::vector{ZstdCoder()}; }), "too_large"},
      {"gzip_in_br_bomb",
       Bomb("gzip, br",
            [] {
              return std::vector{ZlibCoder(kGzipBits), BrotliCoder()};
            }),
       "too_large"},

      // ---- Connections ----
      {"closed", [](HostileWire&) {}, "reset"},
      {"reset", [](HostileWire& wire) { wire.Reset(); }, "reset"},
      {"closed_in_head", Says("HTTP/1.1 200 OK\r\nContent-"), "reset"},
      {"reset_in_head", SaysAndResets("HTTP/1.1 200 OK\r\nContent-"), "reset"},
      {"reset_in_body", SaysAndResets(Head("Content-Length: 100\r\n") + text), "reset"},
      {"reset_in_chunk", SaysAndResets(Chunks("d\r\n" + text)), "reset"},
      {"reset_in_place_of_the_end", SaysAndResets(Head("") + text), "reset"},

      // ---- Redirects ----
      {"to_file", Says(Redirect("file:///etc/passwd")), "redirected malformed"},
      {"to_ftp", Says(Redirect("ftp://a.test/")), "redirected malformed"},
      {"to_script", Says(Redirect("javascript:alert(1)")), "redirected malformed"},
      {"to_loopback", Says(Redirect("http://127.0.0.2/")), "redirected address"},
      {"to_loopback_as_number", Says(Redirect("http://0x7f000002/")), "redirected address"},
      {"to_private", Says(Redirect("http://10.0.0.1/")), "redirected address"},
      {"to_link_local", Says(Redirect("http://169.254.169.254/latest/meta-data/")),
       "redirected address"},
      {"to_ipv6_loopback", Says(Redirect("http://[::1]/")), "redirected address"},
      {"to_nothing", Says("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), "http_status"},
      {"to_itself", Says(Redirect("/to_itself")), "redirected seen"},
      {"redirects/0", [](HostileWire&) {},  // see Serve()
       "redirected too_many"},
  };
}

}  // namespace

const std::vector<HostileBehaviour>& HostileBehaviours() {
  static const std::vector<HostileBehaviour> behaviours = MakeBehaviours();
  return behaviours;
}

// ---- Wire ----

HostileWire::~HostileWire() {
  // What the client has sent and nobody has read would turn the end into a reset.
  char rest[4096];
  while (recv(socket_, rest, sizeof rest, MSG_DONTWAIT) > 0) {
  }
  close(socket_);
}

std::string HostileWire::ReadRequest() {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, kLookMs) == 0) {
      if (ending_) return {};
      continue;
    }
    char byte = 0;
    if (recv(socket_, &byte, 1, 0) != 1) return {};
    head += byte;
  }
  return head;
}

bool HostileWire::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (ending_) return false;
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd waiting{socket_, POLLOUT, 0};
      poll(&waiting, 1, kLookMs);
    } else {
      return false;
    }
  }
  return true;
}

bool HostileWire::Wait(int milliseconds) {
  for (; milliseconds > 0; milliseconds -= kLookMs) {
    pollfd waiting{socket_, POLLRDHUP, 0};
    if (ending_ || poll(&waiting, 1, std::min(milliseconds, kLookMs)) > 0) return false;
  }
  return true;
}

void HostileWire::WaitForEnd() {
  while (Wait(1'000)) {
  }
}

void HostileWire::Reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

// ---- Server ----

HostileServer::HostileServer() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 128) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

HostileServer::~HostileServer() {
  ending_ = true;
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

std::string HostileServer::Url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/" + std::string(path);
}

void HostileServer::Accept() {
  while (!ending_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, kLookMs) <= 0) continue;
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

/// The path "/" links to every behaviour; the others are cut off after one answer.
void HostileServer::Serve(int socket) {
  HostileWire wire(socket, ending_);
  const std::string request = wire.ReadRequest();
  if (!request.starts_with("GET /")) return;
  const std::string path = request.substr(5, request.find(' ', 5) - 5);
  if (path.empty()) {
    std::string links;
    for (const HostileBehaviour& behaviour : HostileBehaviours()) {
      links += "<a href=/" + std::string(behaviour.name) + ">x</a>";
    }
    wire.Send(WithLength(links));
    return;
  }
  if (path.starts_with("redirects/")) {
    wire.Send(Redirect("/redirects/" + std::to_string(std::stoi(path.substr(10)) + 1)));
    return;
  }
  for (const HostileBehaviour& behaviour : HostileBehaviours()) {
    if (path == behaviour.name) return behaviour.answer(wire);
  }
  wire.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

}  // namespace trawl

#include "coordinator/store/redis_url.h"

#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

namespace trawl {
namespace {

std::optional<std::string> Unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), byte, 16);
    if (error != std::errc() || digits.size() != 2 || end != digits.end()) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

template <class Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  return error == std::errc() && end == text.end() && number >= 0;
}

class UrlReader {
 public:
  UrlReader(std::string_view url, std::string& why) : rest_(url), why_(why) {}

  Result<RedisAddress> Read() {
    bool good = false;
    if (Take("redis://")) {
      good = ReadTcp();
    } else if (Take("unix://")) {
      good = ReadUnix();
    } else if (rest_.starts_with("rediss://")) {
      Fail("rediss:// (TLS) is not supported");
    } else {
      Fail("a Redis URL begins with redis:// or unix://");
    }
    if (!good) return Error::kUsage;
    return address_;
  }

 private:
  bool Fail(std::string why) {
    why_ = std::move(why);
    return false;
  }

  bool Take(std::string_view prefix) {
    if (!rest_.starts_with(prefix)) return false;
    rest_.remove_prefix(prefix.size());
    return true;
  }

  /// Takes what comes before the first of `marks` off the front, or all.
  std::string_view TakeUntil(std::string_view marks) {
    const std::string_view part = rest_.substr(0, rest_.find_first_of(marks));
    rest_.remove_prefix(part.size());
    return part;
  }

  bool ReadUserInfo(std::string_view info) {
    const std::size_t colon = info.find(':');
    const auto user = Unescape(colon == info.npos ? "" : info.substr(0, colon));
    const auto password = Unescape(colon == info.npos ? info : info.substr(colon + 1));
    if (!user || !password) return Fail("a bad percent-escape in the user or the password");
    address_.user = *user;
    address_.password = *password;
    return true;
  }

  bool ReadDatabase(std::string_view text) {
    return ParseNumber(text, address_.database) ||
           Fail("the database is a number, not \"" + std::string(text) + '"');
  }

  bool ReadTcp() {
    std::string_view authority = TakeUntil("/?");
    if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
      if (!ReadUserInfo(authority.substr(0, at))) return false;
      authority.remove_prefix(at + 1);
    }
    if (!ReadHostAndPort(authority)) return false;
    if (rest_.starts_with('?')) return Fail("the database is written redis://HOST:PORT/NUMBER");
    return rest_.size() <= 1 || ReadDatabase(rest_.substr(1));
  }

  bool ReadHostAndPort(std::string_view text) {
    std::size_t host_end = text.find(':');
    if (text.starts_with('[')) {
      const std::size_t bracket = text.find(']');
      if (bracket == text.npos) return Fail("an IPv6 address without its closing bracket");
      address_.host = text.substr(1, bracket - 1);
      host_end = bracket + 1;
    } else if (const std::string_view host = text.substr(0, host_end); !host.empty()) {
      address_.host = host;
    }
    if (host_end >= text.size()) return true;
    const std::string_view port = text.substr(host_end);
    const bool good = port.starts_with(':') && ParseNumber(port.substr(1), address_.port);
    return (good && address_.port > 0) ||
           Fail("the port is a number from 1 to 65535, not \"" + std::string(port) + '"');
  }

  bool ReadUnix() {
    std::string_view info = TakeUntil("/");
    if (!info.empty()) {
      if (!info.ends_with('@')) return Fail("the path of a Unix socket is absolute: unix:///PATH");
      info.remove_suffix(1);
      if (!ReadUserInfo(info)) return false;
    }
    const auto path = Unescape(TakeUntil("?"));
    if (!path) return Fail("a bad percent-escape in the path; write % as %25");
    if (path->empty()) return Fail("the path of the Unix socket is missing");
    if (path->size() >= sizeof(sockaddr_un::sun_path)) {
      return Fail("the path of the Unix socket is longer than the system's limit of " +
                  std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
    }
    address_.socket_path = *path;
    if (rest_.empty()) return true;
    return Take("?db=") ? ReadDatabase(rest_)
                        : Fail("only ?db=NUMBER may follow the path of a Unix socket");
  }

  std::string_view rest_;
  std::string& why_;
  RedisAddress address_;
};

}  // namespace

Result<RedisAddress> ParseRedisUrl(std::string_view url, std::string& why) {
  return UrlReader(url, why).Read();
}

}  // namespace trawl

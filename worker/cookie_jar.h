// The cookies of one host, as RFC 6265 has them kept and sent back, for as long as the jar lives.
//
// Every cookie is for its host only. One with a Domain is not sent to the other hosts of that
// domain, as each host has a jar of its own: hosts are leased to different workers, so that
// whether another host got the cookie would be chance. Bounded: of more than kMaxCookies the one
// that was set first goes. No I/O; time comes in as `now`, by the clock that Expires is of.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/url.h"

namespace trawl {

class CookieJar {
 public:
  using Time = std::chrono::system_clock::time_point;

  static constexpr std::size_t kMaxCookies = 50;
  static constexpr std::size_t kMaxCookieBytes = 4096;  // a whole Set-Cookie

  /// Takes the value of a Set-Cookie header of the response to `url` (sections 5.2 and 5.3), or
  /// ignores it. Beyond the RFC, as browsers do, one that is Secure has to come by https, and names
  /// that begin with `__Secure-` and `__Host-` keep what they promise.
  void Set(const Url& url, std::string_view set_cookie, Time now);

  /// The value of the Cookie header for a request (section 5.4); empty: no such header.
  std::string For(const Url& url, Time now);

 private:
  struct Cookie {
    std::string name, value, path;
    bool secure = false;
    Time expires = Time::max();  // of a session's cookie: never
  };

  void Expire(Time now);

  std::vector<Cookie> cookies_;  // in the order in which they were first set
};

}  // namespace trawl

#include "common/request_options.h"

#include <algorithm>

#include "common/own_headers.h"
#include "common/proxy.h"
#include "common/text.h"
#include "common/utf8.h"

namespace trawl {

std::string RequestComplaint(const CrawlOptions& crawl) {
  constexpr std::size_t kMaxAuth = 1024;
  if (crawl.headers.size() > kMaxOwnHeaders) {
    return "--header: more than " + std::to_string(kMaxOwnHeaders) + " of them";
  }
  for (const std::string& header : crawl.headers) {
    if (std::string why = HeaderComplaint(header); !why.empty()) return "--header: " + why;
    if (!crawl.auth.empty() &&
        EqualsIgnoringCase(header.substr(0, header.find(':')), "authorization")) {
      return "--auth: there is --header Authorization, too";
    }
  }
  const bool sends_cookies =
      std::any_of(crawl.headers.begin(), crawl.headers.end(), [](const std::string& header) {
        return EqualsIgnoringCase(header.substr(0, header.find(':')), "cookie");
      });
  if (crawl.cookies && sends_cookies) return "--cookies: there is --header Cookie, too";
  const bool named = crawl.auth.find(':') != crawl.auth.npos;
  if (!crawl.auth.empty() && (!named || crawl.auth.size() > kMaxAuth)) {
    return "--auth: USER:PASSWORD is needed";
  }
  // RFC 7617, section 2, has no control characters; what is kept and sent on is UTF-8.
  if (ValidUtf8(crawl.auth) != crawl.auth ||
      std::any_of(crawl.auth.begin(), crawl.auth.end(),
                  [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; })) {
    return "--auth: has a control character, or is not UTF-8";
  }
  if (!crawl.proxy.empty() && (!ParseProxy(crawl.proxy) || ValidUtf8(crawl.proxy) != crawl.proxy)) {
    return "--proxy: http://[USER:PASSWORD@]HOST:PORT is needed";
  }
  return {};
}

}  // namespace trawl

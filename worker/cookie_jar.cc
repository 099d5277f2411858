#include "worker/cookie_jar.h"

#include <algorithm>
#include <cstdint>

#include "common/http_date.h"
#include "common/text.h"

namespace trawl {
namespace {

using std::chrono::seconds;

// No cookie lives for longer (RFC 6265bis, section 5.5); a date may lie beyond what a clock holds.
constexpr seconds kMaxAge = std::chrono::hours(24 * 400);

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view Trim(std::string_view text) { return Trimmed(text, " \t"); }

bool StartsWithIgnoringCase(std::string_view text, std::string_view start) {
  return EqualsIgnoringCase(text.substr(0, start.size()), start);
}

/// Section 5.2.2; none when it is no number.
std::optional<seconds> ParseMaxAge(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit)) return std::nullopt;
  std::int64_t count = 0;
  for (const char c : text) count = std::min(count * 10 + (c - '0'), kMaxAge.count());
  return seconds(negative ? 0 : count);
}

/// Section 5.1.4.
std::string DefaultPath(const Url& url) {
  const std::string_view path = url.path();
  const std::size_t last = path.rfind('/');
  return last == 0 ? "/" : std::string(path.substr(0, last));
}

/// Section 5.1.4.
bool PathMatches(std::string_view path, std::string_view of_cookie) {
  return path.starts_with(of_cookie) && (path.size() == of_cookie.size() ||
                                         of_cookie.ends_with('/') || path[of_cookie.size()] == '/');
}

/// Section 5.1.3.
bool DomainMatches(std::string_view host, std::string_view domain) {
  return host == domain || (host.size() > domain.size() && host.ends_with(domain) &&
                            host[host.size() - domain.size() - 1] == '.');
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; });
}

}  // namespace

void CookieJar::Set(const Url& url, std::string_view set_cookie, Time now) {
  if (set_cookie.size() > kMaxCookieBytes || HasControl(set_cookie)) return;
  std::string_view rest = set_cookie;
  std::string_view value = TakePart(rest, ';');
  if (value.find('=') == value.npos) return;
  Cookie cookie;
  cookie.name = Trim(TakePart(value, '='));
  if (cookie.name.empty()) return;
  cookie.value = Trim(value);
  cookie.path = DefaultPath(url);

  std::optional<seconds> max_age;
  std::optional<Time> expires;
  bool root = false;
  std::string domain;
  while (!rest.empty()) {
    std::string_view attribute_value = TakePart(rest, ';');
    const std::string attribute = LowerCase(Trim(TakePart(attribute_value, '=')));
    attribute_value = Trim(attribute_value);
    if (attribute == "secure") {
      cookie.secure = true;
    } else if (attribute == "path") {
      root = attribute_value == "/";
      cookie.path =
          attribute_value.starts_with('/') ? std::string(attribute_value) : DefaultPath(url);
    } else if (attribute == "domain") {
      if (attribute_value.starts_with('.')) attribute_value.remove_prefix(1);
      domain = LowerCase(attribute_value);
    } else if (attribute == "max-age") {
      if (const auto age = ParseMaxAge(attribute_value)) max_age = age;
    } else if (attribute == "expires") {
      if (const auto date = ParseHttpDate(attribute_value)) expires = date;
    }
  }
  if (!domain.empty() && !DomainMatches(url.host(), domain)) return;
  if (cookie.secure && !url.is_https()) return;
  if (StartsWithIgnoringCase(cookie.name, "__Secure-") && !cookie.secure) return;
  if (StartsWithIgnoringCase(cookie.name, "__Host-") &&
      !(cookie.secure && root && domain.empty())) {
    return;
  }
  if (max_age) {
    cookie.expires = now + *max_age;
  } else if (expires) {
    cookie.expires = std::min(*expires, now + kMaxAge);
  }

  const auto same = std::find_if(cookies_.begin(), cookies_.end(), [&](const Cookie& known) {
    return known.name == cookie.name && known.path == cookie.path;
  });
  if (same != cookies_.end()) {
    // What https has set is not for plain http to change (RFC 6265bis, section 5.7).
    if (same->secure && !url.is_https()) return;
    *same = std::move(cookie);
  } else {
    cookies_.push_back(std::move(cookie));
  }
  Expire(now);
  if (cookies_.size() > kMaxCookies) cookies_.erase(cookies_.begin());
}

std::string CookieJar::For(const Url& url, Time now) {
  Expire(now);
  std::vector<const Cookie*> sent;
  for (const Cookie& cookie : cookies_) {
    if (cookie.secure && !url.is_https()) continue;
    if (PathMatches(url.path(), cookie.path)) sent.push_back(&cookie);
  }
  std::stable_sort(sent.begin(), sent.end(), [](const Cookie* a, const Cookie* b) {
    return a->path.size() > b->path.size();
  });
  std::string text;
  for (const Cookie* cookie : sent) {
    text.append(text.empty() ? "" : "; ").append(cookie->name).append("=").append(cookie->value);
  }
  return text;
}

void CookieJar::Expire(Time now) {
  std::erase_if(cookies_, [now](const Cookie& cookie) { return cookie.expires <= now; });
}

}  // namespace trawl

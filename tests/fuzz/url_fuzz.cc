// A base URL, LF, a reference. Whatever the two are, the URLs they make have the documented shape
// and mean themselves.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/host.h"
#include "common/url.h"
#include "common/url_rewrite.h"
#include "tests/fuzz/fuzz.h"

namespace trawl {
namespace {

constexpr std::string_view kUnreserved =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

bool Lacks(std::string_view text, std::string_view bytes) {
  return text.find_first_of(bytes) == text.npos;
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// Without its escapes of unreserved characters, looked at until none is left.
std::string Unescaped(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = EscapedByte(std::string_view(text).substr(i));
    if (byte < 0 || kUnreserved.find(static_cast<char>(byte)) == kUnreserved.npos) continue;
    text.replace(i, 3, 1, static_cast<char>(byte));
    i = i < 3 ? std::size_t(-1) : i - 3;  // it may complete another escape
  }
  return text;
}

bool HasUpperCaseEscapes(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = EscapedByte(text.substr(i)) >= 0;
    if (escaped && !Lacks(text.substr(i, 3), "abcdef")) return false;
  }
  return true;
}

bool IsDots(std::string_view text) { return text == "." || text == ".."; }

/// No dot segment, and nothing left to unescape that would not make one.
bool IsCanonicalSegment(std::string_view segment) {
  std::string dots(segment);
  for (std::size_t at; (at = dots.find("%2E")) != dots.npos;) dots.replace(at, 3, ".");
  const std::string unescaped = Unescaped(std::string(segment));
  return !IsDots(dots) && (unescaped == segment || IsDots(unescaped));
}

void CheckPath(std::string_view path) {
  Check(path.starts_with('/') && Lacks(path, "\"#<>?^`{}\\"), "a path keeps to its bytes", {path});
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    Check(IsCanonicalSegment(segment), "a segment is canonical", {segment});
    path.remove_prefix(segment.size());
  }
}

void CheckAuthority(const Url& url) {
  std::string host;
  Check(AppendHost(url.host(), host) && host == url.host(), "a host means itself", {url.host()});
  Check(Lacks(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ#%/<>?@\\^|"), "a host keeps to its bytes", {host});
  const std::uint16_t standard = url.is_https() ? 443 : 80;
  const std::string port = url.port() == standard ? "" : ':' + std::to_string(url.port());
  Check(url.authority() == host + port, "an authority is host and port", {url.authority()});
  Check(url.origin() == std::string(url.scheme()) + "://" + host + port,
        "an origin is scheme and authority", {url.origin()});
  Check(AuthorityOf(url.text()) == url.authority(), "AuthorityOf() is authority()", {url.text()});
}

void CheckShape(const Url& url) {
  const std::string& text = url.text();
  Check(text.size() <= Url::kMaxUrlBytes && IsPrintable(text), "a URL is bounded ASCII", {text});
  Check(url.scheme() == (url.is_https() ? "https" : "http"), "the scheme is known", {text});
  Check(text == std::string(url.origin()) + std::string(url.target()), "nothing is between",
        {text});
  CheckAuthority(url);
  CheckPath(url.path());
  const std::string_view query = url.target().substr(url.path().size());
  Check(query.empty() || (query.size() > 1 && query[0] == '?' && Lacks(query, "\"#<>'") &&
                          Unescaped(std::string(query)) == query),
        "a query is canonical", {query});
  Check(HasUpperCaseEscapes(url.target()), "escapes are in upper case", {url.target()});
}

void CheckMeansItself(const Url& url, const Url& base) {
  const auto parsed = Url::Parse(url.text());
  Check(parsed.has_value() && *parsed == url, "the text of a URL parses to it", {url.text()});
  Check(parsed->host() == url.host() && parsed->origin() == url.origin() &&
            parsed->path() == url.path() && parsed->is_https() == url.is_https(),
        "and so do its parts", {url.text()});
  const auto resolved = base.Resolve(url.text());
  Check(resolved.has_value() && *resolved == url, "a base changes no absolute URL",
        {base.text(), url.text()});
  const auto same = url.Resolve("");
  Check(same.has_value() && *same == url, "nothing resolves to the base", {url.text()});
  // A target alone may begin with the "//" of an authority.
  const auto target = url.Resolve("/." + std::string(url.target()));
  Check(target.has_value() && *target == url, "a target resolves to its URL", {url.text()});
}

CrawlOptions Rewriting() {
  CrawlOptions options;
  options.sort_query = true;
  options.strip_params = true;
  options.strip_names = {"b", "p*"};
  return options;
}

void CheckRewrite(const Url& url) {
  static const UrlRewrite rewrite(Rewriting());
  const Url rewritten = rewrite.Apply(url);
  CheckShape(rewritten);
  CheckMeansItself(rewritten, url);
  Check(rewrite.Apply(rewritten) == rewritten, "a rewritten URL is not rewritten again",
        {url.text(), rewritten.text()});
  Check(rewritten.origin() == url.origin(), "a rewritten URL is of the same origin", {url.text()});
  Check(UrlRewrite(CrawlOptions()).Apply(url) == url, "nothing is rewritten unasked", {url.text()});
}

}  // namespace

void FuzzOne(std::string_view input) {
  Url base;  // none, if the line is none
  if (const auto parsed = Url::Parse(TakeLine(input)); parsed.has_value()) {
    base = *parsed;
    CheckShape(base);
    CheckMeansItself(base, Url());
  }
  const auto url = base.Resolve(input);
  if (!url.has_value()) return;
  CheckShape(*url);
  CheckMeansItself(*url, base);
  CheckRewrite(*url);
}

}  // namespace trawl

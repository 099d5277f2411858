#include "common/url_rewrite.h"

#include <algorithm>
#include <array>

#include "common/text.h"

namespace trawl {
namespace {

// README.md lists these for users.

// Where a visitor comes from: campaigns, clicks on advertisements and in mails.
constexpr std::array<std::string_view, 31> kTracking = {
    "utm_*",  "mtm_*",     "pk_*",   "piwik_*", "hsa_*",   "fbclid",      "gclid",     "gclsrc",
    "dclid",  "gbraid",    "wbraid", "srsltid", "msclkid", "yclid",       "ysclid",    "twclid",
    "ttclid", "li_fat_id", "igshid", "igsh",    "mc_cid",  "mc_eid",      "mkt_tok",   "_ga",
    "_gl",    "_hsenc",    "_hsmi",  "__hstc",  "vero_id", "oly_anon_id", "oly_enc_id"};

// Who a visitor is.
constexpr std::array<std::string_view, 6> kSessions = {
    "phpsessid", "jsessionid", "aspsessionid*", "asp.net_sessionid", "cfid", "cftoken"};

// Names that others use for other things: a section, a story. They count with a value that looks
// like a session's.
constexpr std::array<std::string_view, 5> kMaybeSessions = {"sid", "sessid", "sessionid",
                                                            "session_id", "zenid"};

// `pattern` is a name; a final `*` stands for any end.
bool Names(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return EqualsIgnoringCase(pattern, name);
  pattern.remove_suffix(1);
  return EqualsIgnoringCase(pattern, name.substr(0, pattern.size()));
}

bool NamesAny(const auto& patterns, std::string_view name) {
  return std::ranges::any_of(patterns,
                             [&](std::string_view pattern) { return Names(pattern, name); });
}

// Sixteen letters and digits at least, and not all letters.
bool LooksLikeASession(std::string_view value) {
  constexpr std::size_t kShortest = 16;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return value.size() >= kShortest && std::ranges::any_of(value, is_digit) &&
         std::ranges::all_of(value, [&](char c) { return is_digit(c) || is_letter(c); });
}

// "(S(lit3py55t21z5v55vlm25s55))": what ASP.NET puts in front of its paths for visitors without
// cookies, one or more of a letter and a token.
bool IsCookielessSession(std::string_view segment) {
  if (segment.size() < 5 || !segment.starts_with('(') || !segment.ends_with("))")) return false;
  segment = segment.substr(1, segment.size() - 2);
  while (!segment.empty()) {
    const std::size_t end = segment.find(')');
    const bool one = std::string_view("ASFX").find(segment.front()) != segment.npos &&
                     segment.substr(1, 1) == "(" && end != segment.npos && end > 2;
    if (!one) return false;
    segment.remove_prefix(end + 1);
  }
  return true;
}

std::string_view NameOf(std::string_view parameter) {
  return parameter.substr(0, parameter.find('='));
}

bool IsKnown(std::string_view parameter) {
  const std::string_view name = NameOf(parameter);
  if (NamesAny(kTracking, name) || NamesAny(kSessions, name)) return true;
  const std::string_view value = parameter.substr(std::min(name.size() + 1, parameter.size()));
  return NamesAny(kMaybeSessions, name) && LooksLikeASession(value);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (std::size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1)) {
    pieces.push_back(text.substr(0, end));
  }
  pieces.push_back(text);
  return pieces;
}

std::string Join(const std::vector<std::string_view>& pieces, char separator) {
  std::string text;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) text += separator;
    text += pieces[i];
  }
  return text;
}

std::string WithoutCookielessSessions(std::string_view path) {
  std::vector<std::string_view> segments = Split(path, '/');
  std::erase_if(segments, IsCookielessSession);
  std::string kept = Join(segments, '/');
  return kept.starts_with('/') ? kept : kept + '/';  // it was the whole path
}

}  // namespace

UrlRewrite::UrlRewrite(const CrawlOptions& options)
    : sort_query_(options.sort_query),
      strip_known_(options.strip_params),
      names_(options.strip_names) {}

Url UrlRewrite::Apply(Url url) const {
  if (!sort_query_ && !strip_known_ && names_.empty()) return url;
  std::string_view query = url.target().substr(url.path().size());
  if (!query.empty()) query.remove_prefix(1);
  std::string text(url.origin());
  text += Path(url.path());
  if (const std::string kept = Query(query); !kept.empty()) text += '?' + kept;
  if (text == url.text()) return url;
  // Parts of a canonical URL are one, as long as no new dot segment comes about.
  return Url::Parse(text).value();
}

std::string UrlRewrite::Path(std::string_view path) const {
  const std::size_t begin = path.rfind('/') + 1;
  std::vector<std::string_view> pieces = Split(path.substr(begin), ';');
  const auto stripped = [this](std::string_view piece) { return IsStripped(piece); };
  pieces.erase(std::remove_if(pieces.begin() + 1, pieces.end(), stripped), pieces.end());
  const std::string segment = Join(pieces, ';');
  if (segment == "." || segment == "..") return std::string(path);
  const std::string kept = std::string(path.substr(0, begin)) + segment;
  return strip_known_ ? WithoutCookielessSessions(kept) : kept;
}

std::string UrlRewrite::Query(std::string_view query) const {
  std::vector<std::string_view> pieces = Split(query, '&');
  std::erase_if(pieces, [this](std::string_view piece) { return IsStripped(piece); });
  if (sort_query_) {
    std::erase_if(pieces, [](std::string_view piece) { return piece.empty(); });
    std::ranges::stable_sort(pieces, {}, NameOf);
  }
  return Join(pieces, '&');
}

bool UrlRewrite::IsStripped(std::string_view parameter) const {
  return NamesAny(names_, NameOf(parameter)) || (strip_known_ && IsKnown(parameter));
}

}  // namespace trawl

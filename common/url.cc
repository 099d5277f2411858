#include "common/url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "common/host.h"
#include "common/text.h"
#include "common/utf8.h"

namespace trawl {
namespace {

// What a byte means to the parser.
enum : std::uint8_t {
  kEncodeInPath = 1,    // of the path percent-encode set
  kEncodeInQuery = 2,   // of the special-query percent-encode set
  kUnreserved = 4,      // RFC 3986, section 2.3
  kRewriteInPath = 8,   // "%" and "\\", which a path may not keep as they are
  kNeedsCleaning = 16,  // a tab or newline, or a part of a non-ASCII character
};

constexpr std::array<std::uint8_t, 256> kClass = [] {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&](std::string_view bytes, std::uint8_t flags) {
    for (const unsigned char c : bytes) table[c] |= flags;
  };
  for (std::size_t c = 0; c < table.size(); ++c) {
    if (c <= 0x20 || c >= 0x7F) table[c] |= kEncodeInPath | kEncodeInQuery;
    if (c >= 0x80) table[c] |= kNeedsCleaning;
  }
  add("\"#<>", kEncodeInPath | kEncodeInQuery);
  add("?^`{}", kEncodeInPath);
  add("'", kEncodeInQuery);
  add("%\\", kRewriteInPath);
  add("\t\n\r", kNeedsCleaning);
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", kUnreserved);
  return table;
}();

constexpr bool Is(char c, std::uint8_t flags) {
  return (kClass[static_cast<unsigned char>(c)] & flags) != 0;
}
constexpr bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsSlash(char c) { return c == '/' || c == '\\'; }
constexpr bool StartsWithSlash(std::string_view text) { return !text.empty() && IsSlash(text[0]); }

// Bytes before the first slash of either kind.
std::size_t SegmentBytes(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && !IsSlash(text[size])) ++size;
  return size;
}

// Removes the C0 controls and spaces around `text`.
std::string_view Trim(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// `text` without tabs and newlines, and with U+FFFD in place of what is not UTF-8.
std::string Clean(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto* end =
        std::find_if(text.begin(), text.end(), [](char c) { return Is(c, kNeedsCleaning); });
    clean.append(text.begin(), end);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (text.empty()) break;
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      text.remove_prefix(1);
      continue;
    }
    const Utf8Sequence sequence = ReadUtf8(text);
    clean += sequence.valid ? text.substr(0, sequence.bytes) : kReplacementCharacter;
    text.remove_prefix(sequence.bytes);
  }
  return clean;
}

// Writes the two digits of an escape.
void WriteHex(unsigned byte, char* digits) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  digits[0] = kDigits[byte >> 4];
  digits[1] = kDigits[byte & 15];
}

// Appends `text` with the bytes of the percent-encode set `set` encoded.
void AppendEncoded(std::string_view text, std::uint8_t set, std::string& out) {
  const char* run = text.data();
  const char* const end = run + text.size();
  for (;;) {
    const char* const stop = std::find_if(run, end, [set](char c) { return Is(c, set); });
    out.append(run, stop);
    if (stop == end) return;
    std::array<char, 3> escape = {'%'};
    WriteHex(static_cast<unsigned char>(*stop), &escape[1]);
    out.append(escape.data(), escape.size());
    run = stop + 1;
  }
}

void UpperCaseEscapes(std::string& text, std::size_t begin) {
  for (std::size_t i = begin; i + 2 < text.size(); ++i) {
    const int byte = EscapedByte(std::string_view(text).substr(i, 3));
    if (byte >= 0) WriteHex(static_cast<unsigned>(byte), &text[i + 1]);
  }
}

// Unescapes unreserved characters from `begin` on and puts the other escapes into upper case. An
// unescaped character may complete a new escape ("%%341" is "%41" is "A"): the text behind `end` is
// looked at as it grows, so that nothing is left to unescape.
void NormalizeEscapes(std::string& text, std::size_t begin) {
  std::size_t end = begin;
  for (std::size_t i = begin; i < text.size(); ++i) {
    text[end++] = text[i];
    while (end - begin >= 3) {
      const int byte = EscapedByte(std::string_view(text).substr(end - 3, 3));
      if (byte < 0) break;
      if (!Is(static_cast<char>(byte), kUnreserved)) {
        WriteHex(static_cast<unsigned>(byte), &text[end - 2]);
        break;
      }
      end -= 2;
      text[end - 1] = static_cast<char>(byte);
    }
  }
  text.resize(end);
}

// True for a path that is canonical as it stands: nothing to encode or unescape, no "\", and no
// segment that begins with a dot.
bool IsPlain(std::string_view path) {
  char previous = '/';
  for (const char c : path) {
    if (Is(c, kEncodeInPath | kRewriteInPath) || (c == '.' && previous == '/')) return false;
    previous = c;
  }
  return true;
}

enum class Segment { kOrdinary, kSingleDot, kDoubleDot };

// Single-dot and double-dot URL path segments, in which "%2e" is a dot too.
Segment KindOf(std::string_view segment) {
  int dots = 0;
  while (!segment.empty()) {
    const std::size_t size = segment[0] == '.' ? 1 : EscapedByte(segment) == '.' ? 3 : 0;
    if (size == 0 || ++dots > 2) return Segment::kOrdinary;
    segment.remove_prefix(size);
  }
  return dots == 0 ? Segment::kOrdinary : dots == 1 ? Segment::kSingleDot : Segment::kDoubleDot;
}

void AppendSegment(std::string_view segment, std::string& out) {
  const std::size_t begin = out.size();
  AppendEncoded(segment, kEncodeInPath, out);
  if (segment.find('%') == std::string_view::npos) return;
  NormalizeEscapes(out, begin);
  if (KindOf(std::string_view(out).substr(begin)) == Segment::kOrdinary) return;
  // An escape within an escape ("%%32e") would make a dot segment: it stays.
  out.resize(begin);
  AppendEncoded(segment, kEncodeInPath, out);
  UpperCaseEscapes(out, begin);
}

// The scheme that `text` begins with, without its ":"; empty without one.
std::string_view SchemeOf(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || !IsAlpha(text[0])) return {};
  const std::string_view scheme = text.substr(0, colon);
  const bool valid = std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return IsAlpha(c) || IsDigit(c) || c == '+' || c == '-' || c == '.';
  });
  return valid ? scheme : std::string_view();
}

constexpr std::uint32_t DefaultPort(bool https) { return https ? 443 : 80; }

}  // namespace

// The basic URL parser (URL Standard, section 4.4) for http and https. "#" and "?" end every other
// part wherever they stand, so it cuts the reference there first. Then it goes through the
// standard's states, writing the canonical text as it reads. The states return false for failure.
class UrlParser {
 public:
  UrlParser(const Url* base, const QueryEncoder& query_encoder)
      : base_(base), query_encoder_(query_encoder) {}

  Result<Url> Parse(std::string_view input) {
    input = Trim(input);
    input = input.substr(0, input.find('#'));
    std::string clean;
    if (std::any_of(input.begin(), input.end(), [](char c) { return Is(c, kNeedsCleaning); })) {
      clean = Clean(input);
      input = clean;
    }
    if (input.size() > Url::kMaxUrlBytes) return Error::kNotCrawlable;
    const std::size_t mark = input.find('?');
    if (mark != std::string_view::npos) query_ = input.substr(mark + 1);
    if (!ReadScheme(input.substr(0, mark))) return Error::kNotCrawlable;
    if (url_.text_.size() > Url::kMaxUrlBytes) return Error::kNotCrawlable;
    return std::move(url_);
  }

 private:
  // Scheme start state to special authority slashes state. With a base of the same scheme "http:x"
  // means the same as "x".
  bool ReadScheme(std::string_view text) {
    const std::string_view scheme = SchemeOf(text);
    if (scheme.empty()) return base_ != nullptr && ReadRelative(text);
    const bool https = EqualsIgnoringCase(scheme, "https");
    if (!https && !EqualsIgnoringCase(scheme, "http")) return false;
    text.remove_prefix(scheme.size() + 1);
    if (base_ != nullptr && base_->is_https() == https) return ReadRelative(text);
    return ReadAuthority(https, text);
  }

  // Relative state and relative slash state.
  bool ReadRelative(std::string_view text) {
    if (!StartsWithSlash(text)) return ReadRelativePath(text);
    if (StartsWithSlash(text.substr(1))) return ReadAuthority(base_->is_https(), text);
    CopyFromBase(base_->path_begin_, text.size());
    AppendPath(text);
    AppendQuery();
    return true;
  }

  bool ReadRelativePath(std::string_view text) {
    if (!text.empty()) {
      CopyFromBase(base_->path_begin_ + base_->path().rfind('/'), text.size());
      AppendPath(text);
    } else if (query_) {
      CopyFromBase(base_->query_begin_, 0);
    } else {
      url_ = *base_;
      return true;
    }
    AppendQuery();
    return true;
  }

  // Special authority ignore slashes state and authority state: the user name and password end at
  // the last "@".
  bool ReadAuthority(bool https, std::string_view text) {
    while (StartsWithSlash(text)) text.remove_prefix(1);
    url_.text_.reserve(8 + text.size() + QueryBytes() + 1);
    url_.text_ = https ? "https://" : "http://";
    url_.scheme_end_ = https ? 5 : 4;
    const std::size_t end = SegmentBytes(text);
    const std::string_view authority = text.substr(0, end);
    if (!ReadHostAndPort(https, authority.substr(authority.rfind('@') + 1))) return false;
    AppendPath(text.substr(end));
    AppendQuery();
    return true;
  }

  // Host state: the port begins at the first ":" that is not in brackets.
  bool ReadHostAndPort(bool https, std::string_view text) {
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    const std::size_t colon = text.find(':', bracket);
    if (!AppendHost(text.substr(0, colon), url_.text_)) return false;
    url_.host_end_ = Size();
    if (colon != std::string_view::npos && !ReadPort(https, text.substr(colon + 1))) return false;
    url_.path_begin_ = Size();
    return true;
  }

  // Port state. An empty port is the default port.
  bool ReadPort(bool https, std::string_view text) {
    std::uint32_t port = 0;
    for (const char c : text) {
      if (!IsDigit(c)) return false;
      port = port * 10 + static_cast<std::uint32_t>(c - '0');
      if (port > 0xFFFF) return false;
    }
    if (!text.empty() && port != DefaultPort(https)) url_.text_ += ':' + std::to_string(port);
    return true;
  }

  // Path start state and path state. The text so far is the parent of the first segment, without
  // its "/".
  void AppendPath(std::string_view path) {
    if (StartsWithSlash(path)) path.remove_prefix(1);
    if (IsPlain(path)) {
      url_.text_ += '/';
      url_.text_ += path;
    } else {
      AppendSegments(path);
    }
    url_.query_begin_ = Size();
  }

  void AppendSegments(std::string_view path) {
    for (bool last = false; !last;) {
      const std::size_t size = SegmentBytes(path);
      last = size == path.size();
      ReadSegment(path.substr(0, size), last);
      if (!last) path.remove_prefix(size + 1);
    }
  }

  // A dot segment that ends the path leaves an empty segment.
  void ReadSegment(std::string_view segment, bool last) {
    const Segment kind = KindOf(segment);
    if (kind == Segment::kDoubleDot) RemoveLastSegment();
    if (kind == Segment::kOrdinary || last) url_.text_ += '/';
    if (kind == Segment::kOrdinary) AppendSegment(segment, url_.text_);
  }

  // "Shorten a url's path".
  void RemoveLastSegment() {
    if (url_.text_.size() > url_.path_begin_) url_.text_.resize(url_.text_.rfind('/'));
  }

  // Query state, after the path is whole.
  void AppendQuery() {
    if (!query_ || query_->empty()) return;
    url_.text_ += '?';
    const std::size_t begin = url_.text_.size();
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    std::string_view bytes = *query_;
    std::string encoded;
    if (query_encoder_ && !std::all_of(bytes.begin(), bytes.end(), is_ascii)) {
      encoded = query_encoder_(bytes);
      bytes = encoded;
    }
    AppendEncoded(bytes, kEncodeInQuery, url_.text_);
    if (bytes.find('%') != std::string_view::npos) NormalizeEscapes(url_.text_, begin);
  }

  // Takes the first `size` bytes of the base, its authority at least, and makes room for
  // `more_bytes` and the query.
  void CopyFromBase(std::size_t size, std::size_t more_bytes) {
    url_.text_.reserve(size + more_bytes + QueryBytes() + 1);
    url_.text_.assign(base_->text_, 0, size);
    url_.scheme_end_ = base_->scheme_end_;
    url_.host_end_ = base_->host_end_;
    url_.path_begin_ = base_->path_begin_;
    url_.query_begin_ = base_->query_begin_;
  }

  std::size_t QueryBytes() const { return query_ ? 1 + query_->size() : 0; }
  std::uint32_t Size() const { return static_cast<std::uint32_t>(url_.text_.size()); }

  const Url* const base_;  // null without one
  const QueryEncoder& query_encoder_;
  std::optional<std::string_view> query_;
  Url url_;  // as far as read
};

Result<Url> Url::Parse(std::string_view text) { return Url().Resolve(text); }

Result<Url> Url::Resolve(std::string_view reference, const QueryEncoder& query_encoder) const {
  return UrlParser(text_.empty() ? nullptr : this, query_encoder).Parse(reference);
}

std::string ForeignSchemeOf(std::string_view text) {
  // Removing tabs and newlines costs a copy, and a scheme is short.
  constexpr std::size_t kMaxSchemeBytes = 256;
  const std::string start = Clean(Trim(text).substr(0, kMaxSchemeBytes));
  const std::string scheme = LowerCase(SchemeOf(start));
  return scheme == "http" || scheme == "https" ? "" : scheme;
}

std::uint16_t Url::port() const {
  std::uint32_t port = DefaultPort(is_https());
  if (host_end_ < path_begin_) {
    std::from_chars(text_.data() + host_end_ + 1, text_.data() + path_begin_, port);
  }
  return static_cast<std::uint16_t>(port);
}

std::string_view AuthorityOf(std::string_view canonical_url) {
  const std::size_t scheme_end = canonical_url.find("://");
  if (scheme_end == std::string_view::npos) return {};
  canonical_url.remove_prefix(scheme_end + 3);
  return canonical_url.substr(0, canonical_url.find('/'));
}

}  // namespace trawl

#include "worker/charset/prescan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/text.h"

namespace trawl {
namespace {

using std::string_view_literals::operator""sv;

/// std::string_view's searches for one of several bytes call memchr() for each byte of the text.
class ByteSet {
 public:
  explicit constexpr ByteSet(std::string_view bytes) {
    for (const unsigned char c : bytes) has_[c] = true;
  }
  constexpr bool Has(char c) const { return has_[static_cast<unsigned char>(c)]; }
  /// The first of them from `at` on; npos without one.
  std::size_t FindIn(std::string_view text, std::size_t at) const { return Find(text, at, true); }
  /// The first other byte.
  std::size_t FindEndIn(std::string_view text, std::size_t at) const {
    return Find(text, at, false);
  }

 private:
  std::size_t Find(std::string_view text, std::size_t at, bool wanted) const {
    while (at < text.size() && Has(text[at]) != wanted) ++at;
    return at < text.size() ? at : text.npos;
  }

  std::array<bool, 256> has_{};
};

constexpr ByteSet kBlanks("\t\n\f\r ");
constexpr ByteSet kBlanksAndSlash("\t\n\f\r /");
constexpr ByteSet kTagNameEnds("\t\n\f\r >");
constexpr ByteSet kAttributeNameEnds("\t\n\f\r />=");

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::size_t SkipBlanks(std::string_view text, std::size_t at) {
  return std::min(kBlanks.FindEndIn(text, at), text.size());
}

/// What a page cannot declare, since its bytes could be read as ASCII so far.
std::optional<Encoding> Declared(std::optional<Encoding> encoding) {
  if (encoding == Encoding::Utf16Be() || encoding == Encoding::Utf16Le()) return Encoding::Utf8();
  return encoding;
}

/// "Extracting a character encoding from a meta element", of the lower-case value of its content.
std::optional<Encoding> EncodingOfContent(std::string_view content) {
  constexpr std::string_view kName = "charset";
  for (std::size_t at = content.find(kName); at != content.npos; at = content.find(kName, at)) {
    at = SkipBlanks(content, at + kName.size());
    if (at == content.size() || content[at] != '=') continue;
    at = SkipBlanks(content, at + 1);
    std::string_view value = content.substr(at);
    if (value.empty()) return std::nullopt;
    if (value[0] != '"' && value[0] != '\'') {
      return Encoding::ForLabel(value.substr(0, value.find_first_of("\t\n\f\r ;")));
    }
    const std::size_t end = value.find(value[0], 1);
    if (end == value.npos) return std::nullopt;
    return Encoding::ForLabel(value.substr(1, end - 1));
  }
  return std::nullopt;
}

/// "Get an XML encoding": of an XML declaration that the page begins with.
std::optional<Encoding> EncodingOfXmlDeclaration(std::string_view head) {
  constexpr std::string_view kName = "encoding";
  if (!head.starts_with("<?xml") || head.find('>') == head.npos) return std::nullopt;
  std::size_t at = head.find(kName);
  if (at == head.npos) return std::nullopt;
  const auto skip_controls = [&] {
    while (at < head.size() && static_cast<unsigned char>(head[at]) <= 0x20) ++at;
  };
  at += kName.size();
  skip_controls();
  if (at == head.size() || head[at] != '=') return std::nullopt;
  ++at;
  skip_controls();
  if (at == head.size() || (head[at] != '"' && head[at] != '\'')) return std::nullopt;
  const std::size_t end = head.find(head[at], at + 1);
  if (end == head.npos) return std::nullopt;
  const std::string_view label = head.substr(at + 1, end - at - 1);
  if (std::any_of(label.begin(), label.end(), [](unsigned char c) { return c <= 0x20; })) {
    return std::nullopt;
  }
  return Declared(Encoding::ForLabel(label));
}

struct Attribute {
  std::string_view name, value;
};

class Scanner {
 public:
  explicit Scanner(std::string_view head) : head_(head) {}

  /// Nothing when the bytes end before a <meta> has told.
  std::optional<Encoding> Scan() {
    for (; !AtEnd(); ++at_) {
      if (head_[at_] != '<') {
        at_ = std::min(head_.find('<', at_), head_.size()) - 1;
        continue;
      }
      const std::string_view rest = head_.substr(at_);
      if (rest.starts_with("<!--")) {
        // The comment's own dashes may be those of its end, as in "<!-->".
        if (!MoveTo(head_.find("-->", at_ + 2), 2)) return std::nullopt;
      } else if (IsMeta(rest)) {
        at_ += 5;
        if (const std::optional<Encoding> encoding = ScanMeta()) return encoding;
      } else if (IsTag(rest)) {
        if (!MoveTo(kTagNameEnds.FindIn(head_, at_))) return std::nullopt;
        while (NextAttribute()) {
        }
      } else if (rest.size() > 1 && (rest[1] == '!' || rest[1] == '/' || rest[1] == '?')) {
        if (!MoveTo(head_.find('>', at_))) return std::nullopt;
      }
    }
    return std::nullopt;
  }

 private:
  bool AtEnd() const { return at_ >= head_.size(); }

  bool MoveTo(std::size_t at, std::size_t further = 0) {
    at_ = at == head_.npos ? head_.size() : at + further;
    return !AtEnd();
  }

  static bool IsMeta(std::string_view rest) {
    return rest.size() > 5 && EqualsIgnoringCase(rest.substr(0, 5), "<meta") &&
           kBlanksAndSlash.Has(rest[5]);
  }

  static bool IsTag(std::string_view rest) {
    const std::size_t name = rest.size() > 1 && rest[1] == '/' ? 2 : 1;
    return rest.size() > name && IsLetter(rest[name]);
  }

  std::optional<Encoding> ScanMeta() {
    std::vector<std::string> names;
    bool got_pragma = false;
    std::optional<bool> needs_pragma;
    std::optional<Encoding> encoding;
    while (const std::optional<Attribute> attribute = NextAttribute()) {
      std::string name = LowerCase(attribute->name);
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      if (name == "http-equiv") {
        got_pragma = EqualsIgnoringCase(attribute->value, "content-type");
      } else if (name == "content" && !needs_pragma) {
        encoding = EncodingOfContent(LowerCase(attribute->value));
        if (encoding) needs_pragma = true;
      } else if (name == "charset") {
        encoding = Encoding::ForLabel(attribute->value);
        needs_pragma = false;
      }
      names.push_back(std::move(name));
    }
    if (AtEnd() || !needs_pragma || (*needs_pragma && !got_pragma)) return std::nullopt;
    if (encoding == Encoding::ForLabel("x-user-defined")) return Encoding::Windows1252();
    return Declared(encoding);
  }

  /// "Get an attribute"; nothing at the tag's end, and, with AtEnd(), when the bytes end in it.
  std::optional<Attribute> NextAttribute() {
    MoveTo(kBlanksAndSlash.FindEndIn(head_, at_));
    if (AtEnd() || head_[at_] == '>') return std::nullopt;
    Attribute attribute;
    // A "=" that the name begins with is part of it.
    const std::size_t name = at_;
    if (!MoveTo(kAttributeNameEnds.FindIn(head_, at_ + (head_[at_] == '=' ? 1 : 0)))) {
      return std::nullopt;
    }
    attribute.name = head_.substr(name, at_ - name);
    if (!MoveTo(kBlanks.FindEndIn(head_, at_))) return std::nullopt;
    if (head_[at_] != '=') return attribute;
    if (!MoveTo(kBlanks.FindEndIn(head_, at_ + 1))) return std::nullopt;
    std::size_t value = at_;
    if (head_[at_] == '"' || head_[at_] == '\'') {
      ++value;
      if (!MoveTo(head_.find(head_[at_], value))) return std::nullopt;
      attribute.value = head_.substr(value, at_ - value);
      ++at_;
    } else {
      if (!MoveTo(kTagNameEnds.FindIn(head_, at_))) return std::nullopt;
      attribute.value = head_.substr(value, at_ - value);
    }
    return attribute;
  }

  const std::string_view head_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<Encoding> Prescan(std::string_view head) {
  // A UTF-16 page that begins with "<?x".
  if (head.starts_with("<\0?\0x\0"sv)) return Encoding::Utf16Le();
  if (head.starts_with("\0<\0?\0x"sv)) return Encoding::Utf16Be();
  if (const std::optional<Encoding> encoding = Scanner(head).Scan()) return encoding;
  return EncodingOfXmlDeclaration(head);
}

}  // namespace trawl

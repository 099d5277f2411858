// The encodings of web pages, as browsers have them: which one a page is in (the HTML Standard's
// encoding sniffing), its text as UTF-8 and a query in its bytes (the Encoding Standard).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/url.h"

namespace trawl {

struct EncodingInfo;
class StreamDecoder;

/// One of the Encoding Standard's encodings.
class Encoding {
 public:
  /// "Get an encoding" (Encoding Standard, section 4.2); nothing when no encoding has that label.
  static std::optional<Encoding> ForLabel(std::string_view label);
  static Encoding Utf8();
  static Encoding Utf16Be();
  static Encoding Utf16Le();
  static Encoding Windows1252();

  /// The standard's name of it in lower case: "utf-8", "windows-1252", "shift_jis".
  std::string_view name() const;
  const EncodingInfo& info() const { return *info_; }

  friend bool operator==(Encoding, Encoding) = default;

 private:
  explicit Encoding(const EncodingInfo& info) : info_(&info) {}

  const EncodingInfo* info_;  // static
};

struct SniffedEncoding {
  Encoding encoding;
  std::size_t
      bom_bytes;  // of the byte order mark at the page's front, which is no part of its text
};

/// How much of a page's beginning can tell its encoding.
inline constexpr std::size_t kSniffBytes = 1024;

/// The encoding of an HTML page that begins with `head`, its first kSniffBytes or all of it: that
/// of its byte order mark, else of the Content-Type's charset, else of what the page declares, else
/// `fallback` (HTML Standard, section 13.2.3.2).
SniffedEncoding SniffEncoding(std::string_view head, std::string_view header_label,
                              Encoding fallback = Encoding::Windows1252());

/// Turns a text's bytes, in pieces of any size, into valid UTF-8. What the encoding does not have
/// becomes U+FFFD by the Encoding Standard's decoders. A byte order mark is text here. Appends at
/// most three bytes for a byte.
class TextDecoder {
 public:
  explicit TextDecoder(Encoding encoding);
  TextDecoder(TextDecoder&&) noexcept;
  TextDecoder& operator=(TextDecoder&&) noexcept;
  ~TextDecoder();

  /// Appends to `out`.
  void Decode(std::string_view bytes, std::string& out);
  /// The end of the text: what is left of a character becomes U+FFFD. Called once, last.
  void Finish(std::string& out);

 private:
  std::unique_ptr<StreamDecoder> decoder_;
};

/// Decodes an HTML page whose encoding shows only in its bytes: sniffs, drops the byte order mark,
/// and appends the text to `out` as TextDecoder does. Keeps up to kSniffBytes back until it knows.
class PageDecoder {
 public:
  explicit PageDecoder(std::string_view header_label, Encoding fallback = Encoding::Windows1252())
      : header_label_(header_label), fallback_(fallback) {}

  void Decode(std::string_view bytes, std::string& out);
  /// The end of the page. Called once, last.
  void Finish(std::string& out);
  /// Known from kSniffBytes on and after Finish().
  std::optional<Encoding> encoding() const { return encoding_; }

 private:
  void Sniff(std::string& out);

  const std::string header_label_;
  const Encoding fallback_;
  std::string head_;
  std::optional<Encoding> encoding_;
  std::optional<TextDecoder> decoder_;
};

/// For the queries of a page's links; null where the URL Standard has them in UTF-8: for UTF-8,
/// UTF-16 and replacement.
QueryEncoder QueryEncoderFor(Encoding encoding);

/// The charset parameter of a Content-Type, empty without one (MIME Sniffing Standard, section 4.4;
/// of several values with commas between, the last that has the parameter).
std::string CharsetLabelOf(std::string_view content_type);

/// What a page of this Content-Type is in when nothing tells: XHTML, which is XML, in UTF-8; HTML
/// in windows-1252.
Encoding FallbackEncodingOf(std::string_view content_type);

}  // namespace trawl

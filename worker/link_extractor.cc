#include "worker/link_extractor.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "common/text.h"
#include "common/utf8.h"

namespace trawl {
namespace {

struct FreeParser {
  void operator()(htmlParserCtxtPtr parser) const { htmlFreeParserCtxt(parser); }
};

std::string_view Text(const xmlChar* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

/// The value of an attribute; nothing when the element has none of that name.
std::optional<std::string_view> Attribute(const xmlChar** attributes, std::string_view name) {
  for (; attributes && attributes[0]; attributes += 2) {
    if (Text(attributes[0]) == name) return Text(attributes[1]);
  }
  return std::nullopt;
}

std::string CollapseBlanks(std::string_view text) {
  std::string collapsed;
  bool blank = false;
  for (char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
      blank = !collapsed.empty();
      continue;
    }
    if (blank) collapsed += ' ';
    blank = false;
    collapsed += c;
  }
  return collapsed;
}

constexpr std::string_view kFallbackCharset = "windows-1252";
constexpr std::size_t kPieceBytes = 16 * 1024;
constexpr std::size_t kMaxRunBytes = 64 * 1024;  // without "<" or ">"
constexpr std::size_t kMaxKeptBytes = 16 * 1024 * 1024;

}  // namespace

class LinkExtractor::Impl {
 public:
  Impl(Url page, std::string_view charset) : page_(std::move(page)), charset_(LowerCase(charset)) {
    static const bool initialised = [] {
      xmlInitParser();
      return true;
    }();
    (void)initialised;
    std::memset(&sax_, 0, sizeof sax_);
    sax_.startElement = [](void* self, const xmlChar* name, const xmlChar** attributes) {
      static_cast<Impl*>(self)->OnElement(Text(name), attributes);
    };
    sax_.endElement = [](void* self, const xmlChar* name) {
      if (Text(name) == "title") static_cast<Impl*>(self)->in_title_ = false;
    };
    sax_.characters = [](void* self, const xmlChar* text, int length) {
      static_cast<Impl*>(self)->OnText(
          {reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)});
    };
  }

  void Feed(std::string_view bytes) {
    if (!parser_) Begin();
    while (!bytes.empty() && Kept() <= kMaxKeptBytes) {
      std::string_view piece = bytes.substr(0, kPieceBytes);
      bytes.remove_prefix(piece.size());
      const std::size_t last_angle = piece.find_last_of("<>");
      if (last_angle != piece.npos) {
        run_bytes_ = piece.size() - last_angle;
      } else if ((run_bytes_ += piece.size()) > kMaxRunBytes) {
        piece = Abridge(piece);
      }
      htmlParseChunk(parser_.get(), piece.data(), static_cast<int>(piece.size()), 0);
    }
  }

  PageLinks Finish() {
    if (parser_) htmlParseChunk(parser_.get(), nullptr, 0, 1);
    PageLinks page;
    const Url base = Base();
    std::unordered_set<std::string_view> seen;
    page.links.reserve(references_.size());  // so that the views in `seen` stay valid
    for (const std::string& reference : references_) {
      const Result<Url> url = base.Resolve(reference);
      if (!url || seen.contains(url->text())) continue;
      page.links.push_back(url->text());
      seen.insert(page.links.back());
    }
    if (refresh_) {
      if (const Result<Url> url = base.Resolve(*refresh_)) page.refresh = url->text();
    }
    page.title = CollapseBlanks(ValidUtf8(CutUtf8(title_, kMaxTitleBytes)));
    page.charset = Charset();
    return page;
  }

 private:
  /// What may end a tag, a comment or a script. libxml2 keeps a text, and takes time that grows
  /// with the square of a tag's attributes; neither matters here when it is that long.
  std::string_view Abridge(std::string_view piece) {
    abridged_.clear();
    for (char c : piece) {
      if (c == '-' || c == '"' || c == '\'' || c == '/') abridged_ += c;
    }
    return abridged_;
  }

  /// Bytes that the parser has got and not used: a script or comment without end.
  std::size_t Kept() const {
    const xmlParserInputPtr input = parser_->input;
    return input ? static_cast<std::size_t>(input->end - input->cur) : 0;
  }

  void Begin() {
    parser_.reset(
        htmlCreatePushParserCtxt(&sax_, this, nullptr, 0, nullptr, XML_CHAR_ENCODING_NONE));
    if (!parser_) throw std::bad_alloc();
    htmlCtxtUseOptions(parser_.get(), HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                          HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    const xmlCharEncodingHandlerPtr handler =
        charset_.empty() ? nullptr : xmlFindCharEncodingHandler(charset_.c_str());
    if (handler) xmlSwitchToEncoding(parser_.get(), handler);
  }

  void OnElement(std::string_view name, const xmlChar** attributes) {
    if (name == "a" || name == "area") {
      AddReference(Attribute(attributes, "href"));
    } else if (name == "iframe" || name == "frame") {
      AddReference(Attribute(attributes, "src"));
    } else if (name == "base") {
      if (!base_) base_ = Attribute(attributes, "href");
    } else if (name == "meta") {
      OnMeta(attributes);
    } else if (name == "title") {
      in_title_ = !title_begun_;
      title_begun_ = true;
    }
  }

  void OnMeta(const xmlChar** attributes) {
    const auto kind = Attribute(attributes, "http-equiv");
    if (refresh_ || !kind || !EqualsIgnoringCase(*kind, "refresh")) return;
    refresh_ = RefreshTarget(Attribute(attributes, "content").value_or(""));
  }

  void OnText(std::string_view text) {
    if (in_title_ && title_.size() < kMaxTitleBytes) title_ += text;
  }

  void AddReference(std::optional<std::string_view> reference) {
    if (!reference) return;
    reference_bytes_ += reference->size();
    if (references_.size() >= kMaxLinks || reference_bytes_ > kMaxReferenceBytes) return;
    if (known_.insert(std::string(*reference)).second) references_.emplace_back(*reference);
  }

  Url Base() const {
    if (!base_) return page_;
    const Result<Url> base = page_.Resolve(*base_);
    return base ? *base : page_;
  }

  /// The header's, else the one that the document declares, else what browsers assume.
  std::string Charset() const {
    if (!charset_.empty()) return charset_;
    if (parser_ && parser_->input && parser_->input->encoding) {
      return LowerCase(ValidUtf8(Text(parser_->input->encoding)));
    }
    return std::string(kFallbackCharset);
  }

  const Url page_;
  const std::string charset_;  // of the header
  htmlSAXHandler sax_;
  std::unique_ptr<htmlParserCtxt, FreeParser> parser_;
  std::vector<std::string> references_;  // as written, in document order
  std::unordered_set<std::string> known_;
  std::size_t reference_bytes_ = 0;
  std::optional<std::string> base_;
  std::optional<std::string> refresh_;
  std::string title_;
  std::size_t run_bytes_ = 0;  // since the last "<" or ">"
  std::string abridged_;
  bool in_title_ = false;
  bool title_begun_ = false;
};

LinkExtractor::LinkExtractor(Url page, std::string_view charset)
    : impl_(std::make_unique<Impl>(std::move(page), charset)) {}
LinkExtractor::~LinkExtractor() = default;
void LinkExtractor::Feed(std::string_view bytes) { impl_->Feed(bytes); }
PageLinks LinkExtractor::Finish() { return impl_->Finish(); }

}  // namespace trawl

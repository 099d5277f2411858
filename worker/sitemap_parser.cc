#include "worker/sitemap_parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/text.h"
#include "worker/charset.h"
#include "worker/http/inflater.h"
#include "worker/sitemap/sitemap_urls.h"
#include "worker/sitemap/sitemap_xml.h"

namespace trawl {
namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kBlanks = " \t\r\n\f\v";
/// What is looked at before encoding and format are decided.
constexpr std::size_t kHeadBytes = 1024;

bool IsUtf16(const Encoding& encoding) { return encoding.name().starts_with("utf-16"); }

/// The label in "<?xml version='1.0' encoding='...'?>"; empty without one.
std::string_view DeclaredEncoding(std::string_view head) {
  if (!head.starts_with("<?xml")) return {};
  head = head.substr(0, head.find('>'));
  const std::size_t name = head.find("encoding");
  if (name == head.npos) return {};
  head.remove_prefix(name);
  const std::size_t begin = head.find_first_of("\"'");
  if (begin == head.npos) return {};
  const std::size_t end = head.find(head[begin], begin + 1);
  return end == head.npos ? std::string_view() : head.substr(begin + 1, end - begin - 1);
}

/// By RFC 7303, section 3: byte order mark, header, the document's own word, UTF-8. A label says
/// nothing when the first bytes show that it is wrong.
SniffedEncoding EncodingOf(std::string_view head, std::string_view header_label) {
  using namespace std::string_view_literals;
  struct Mark {
    std::string_view bytes;
    std::string_view label;
    std::size_t bom_bytes;
  };
  constexpr Mark kMarks[] = {
      {"\xef\xbb\xbf"sv, "utf-8"sv, 3}, {"\xfe\xff"sv, "utf-16be"sv, 2},
      {"\xff\xfe"sv, "utf-16le"sv, 2},  {"\0<\0?"sv, "utf-16be"sv, 0},
      {"<\0?\0"sv, "utf-16le"sv, 0},
  };
  for (const Mark& mark : kMarks) {
    if (head.starts_with(mark.bytes)) return {*Encoding::ForLabel(mark.label), mark.bom_bytes};
  }
  const bool wide = head.substr(0, 2).find('\0') != head.npos;
  for (const std::string_view label : {header_label, DeclaredEncoding(head)}) {
    const std::optional<Encoding> encoding = Encoding::ForLabel(label);
    if (encoding && IsUtf16(*encoding) == wide) return {*encoding, 0};
  }
  return {Encoding::Utf8(), 0};
}

/// Where XML begins in a text: at its first character, or after what a server's script has
/// complained of before it; npos when it is plain text.
std::size_t BeginOfXml(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos || text[begin] == '<') return begin;
  std::size_t first = text.npos;
  for (const std::string_view root : {"<?xml", "<urlset", "<sitemapindex", "<rss", "<feed"}) {
    first = std::min(first, text.find(root));
  }
  return first;
}

/// A URL on each line.
class SitemapText {
 public:
  explicit SitemapText(SitemapUrls& urls) : urls_(urls) {}

  void Feed(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find_first_of("\r\n");
      Append(text.substr(0, end));
      if (end == text.npos) return;
      Finish();
      text.remove_prefix(end + 1);
    }
  }

  void Finish() {
    urls_.AddLine(line_);
    line_.clear();
  }

 private:
  void Append(std::string_view text) {
    // A longer line is no URL, and is kept just long enough to be refused as one.
    constexpr std::size_t kMaxLineBytes = 2 * Url::kMaxUrlBytes;
    line_ += text.substr(0, kMaxLineBytes - std::min(line_.size(), kMaxLineBytes));
  }

  SitemapUrls& urls_;
  std::string line_;
};

}  // namespace

class SitemapParser::Impl {
 public:
  Impl(Url sitemap, std::string_view content_type)
      : header_label_(CharsetLabelOf(content_type)), urls_(std::move(sitemap)) {}

  void Feed(std::string_view bytes) {
    if (begun_) return Read(bytes);
    magic_ += bytes;
    if (magic_.size() >= kGzipMagic.size()) Begin();
  }

  bool done() const { return cut_ || urls_.full(); }

  Sitemap Finish() {
    if (!begun_) Begin();
    if (inflater_ && !inflater_->whole()) cut_ = true;
    if (!decoder_) BeginText();
    text_.clear();
    decoder_->Finish(text_);
    FeedText();
    if (xml_) xml_->Finish();
    if (lines_ && !cut_) lines_->Finish();
    Sitemap found = urls_.Take();
    found.truncated |= cut_;
    return found;
  }

 private:
  void Begin() {
    begun_ = true;
    if (magic_.starts_with(kGzipMagic)) {
      inflater_.emplace();
      inflater_->Start(Inflater::Format::kGzip);
    }
    Read(std::exchange(magic_, {}));
  }

  void Read(std::string_view bytes) {
    if (!inflater_) return ReadPlain(bytes);
    while (!done()) {
      const Inflater::Piece piece = inflater_->Next(bytes);
      ReadPlain(piece.decoded);
      if (piece.status == Inflater::Status::kBroken) cut_ = true;
      if (bytes.empty() && piece.decoded.size() < Inflater::kPieceBytes) return;
    }
  }

  void ReadPlain(std::string_view bytes) {
    if (done()) return;
    const std::size_t room = kMaxBytes - bytes_read_;
    cut_ = bytes.size() > room;
    bytes = bytes.substr(0, room);
    bytes_read_ += bytes.size();
    if (decoder_) return Decode(bytes);
    const std::size_t missing = kHeadBytes - head_.size();
    head_ += bytes.substr(0, missing);
    if (head_.size() < kHeadBytes) return;
    BeginText();
    Decode(bytes.substr(missing));
  }

  void BeginText() {
    if (head_.starts_with(kGzipMagic)) cut_ = true;  // gzipped twice
    const SniffedEncoding sniffed = EncodingOf(head_, header_label_);
    decoder_.emplace(sniffed.encoding);
    text_.clear();
    decoder_->Decode(std::string_view(head_).substr(sniffed.bom_bytes), text_);
    const std::size_t xml = BeginOfXml(text_);
    if (xml == text_.npos) {
      lines_.emplace(urls_);
    } else {
      xml_.emplace(urls_);
      text_.erase(0, xml);
    }
    FeedText();
  }

  void Decode(std::string_view bytes) {
    text_.clear();
    decoder_->Decode(bytes, text_);
    FeedText();
  }

  void FeedText() {
    if (xml_) xml_->Feed(text_);
    if (lines_) lines_->Feed(text_);
  }

  const std::string header_label_;
  SitemapUrls urls_;
  bool begun_ = false;  // enough has come to know whether it is gzipped
  bool cut_ = false;    // what follows is not read, or cannot be
  std::string magic_;
  std::optional<Inflater> inflater_;
  std::size_t bytes_read_ = 0;  // decoded
  std::string head_;
  // After the head one of these reads the text.
  std::optional<TextDecoder> decoder_;
  std::optional<SitemapXml> xml_;
  std::optional<SitemapText> lines_;
  std::string text_;
};

SitemapParser::SitemapParser(Url sitemap, std::string_view content_type)
    : impl_(std::make_unique<Impl>(std::move(sitemap), content_type)) {}
SitemapParser::~SitemapParser() = default;
void SitemapParser::Feed(std::string_view bytes) { impl_->Feed(bytes); }
bool SitemapParser::done() const { return impl_->done(); }
Sitemap SitemapParser::Finish() { return impl_->Finish(); }

}  // namespace trawl

#include "worker/link_extractor.h"

#include <algorithm>
#include <utility>

#include "common/fingerprint.h"
#include "common/utf8.h"
#include "worker/charset.h"
#include "worker/fingerprint_map.h"
#include "worker/html/link_scanner.h"
#include "worker/meta_refresh.h"

namespace trawl {
namespace {

using html::LinkScanner;

std::string CollapseBlanks(std::string_view text) {
  std::string collapsed;
  bool blank = false;
  for (char c : text) {
    if (html::IsSpace(c)) {
      blank = !collapsed.empty();
      continue;
    }
    if (blank) collapsed += ' ';
    blank = false;
    collapsed += c;
  }
  return collapsed;
}

/// The part of a reference that tells where it leads. Blanks before a fragment count, those at the
/// end of a reference do not: there it is the whole.
std::string_view WithoutFragment(std::string_view reference) {
  const std::size_t mark = reference.find('#');
  const bool blank = mark != 0 && mark != reference.npos &&
                     static_cast<unsigned char>(reference[mark - 1]) <= 0x20;
  return blank ? reference : reference.substr(0, mark);
}

/// Canonical links, each once, in the order of their first mention.
class LinkList {
 public:
  LinkList(const Url& base, const QueryEncoder& query_encoder, std::size_t max_links)
      : base_(base), query_encoder_(query_encoder), max_links_(max_links) {}

  void Add(std::string_view reference, bool nofollow) {
    const Fingerprint key = FingerprintOf(WithoutFragment(reference));
    std::uint32_t index = known_.Find(key);
    if (index == FingerprintMap::kAbsent) {
      index = IndexOf(reference);
      if (!full_) known_.Add(key, index);
    }
    if (index != kNone && !nofollow) followed_[index] = true;
  }

  void MoveTo(PageLinks& page) {
    page.left_out = left_out_;
    page.links = std::move(links_);
    for (std::size_t i = 0; i < page.links.size(); ++i) {
      if (!followed_[i]) page.nofollow_links.push_back(page.links[i]);
    }
  }

 private:
  static constexpr std::uint32_t kNone = FingerprintMap::kAbsent - 1;

  /// In links_; kNone when the reference leads nowhere, or to a link that is left out.
  std::uint32_t IndexOf(std::string_view reference) {
    Result<Url> url = base_.Resolve(reference, query_encoder_);
    if (!url) return kNone;
    std::string text = std::move(*url).text();
    const Fingerprint key = FingerprintOf(text);
    if (const std::uint32_t known = known_.Find(key); known != FingerprintMap::kAbsent) {
      return known;
    }
    full_ = full_ || links_.size() == max_links_ ||
            link_bytes_ + text.size() > LinkExtractor::kMaxLinkBytes;
    if (full_) {
      ++left_out_;
      return kNone;
    }
    link_bytes_ += text.size();
    links_.push_back(std::move(text));
    followed_.push_back(false);
    const auto index = static_cast<std::uint32_t>(links_.size() - 1);
    known_.Add(key, index);
    return index;
  }

  const Url& base_;
  const QueryEncoder& query_encoder_;
  const std::size_t max_links_;
  bool full_ = false;  // takes no further links, nor remembers further references
  std::uint64_t left_out_ = 0;
  std::size_t link_bytes_ = 0;
  std::vector<std::string> links_;
  std::vector<bool> followed_;  // of each link: it was mentioned without nofollow
  // Where in links_ a reference leads, or kNone, and where each link is, by their texts: a text
  // that is both leads to itself.
  FingerprintMap known_;
};

}  // namespace

class LinkExtractor::Impl {
 public:
  Impl(Url page, std::string_view charset_label, std::string_view user_agent, Encoding fallback,
       std::size_t max_links)
      : page_(std::move(page)),
        charset_label_(charset_label),
        user_agent_(user_agent),
        fallback_(fallback),
        max_links_(max_links) {}

  void Feed(std::string_view bytes) {
    if (encoding_) return Scan(bytes);
    if (head_.empty() && bytes.size() >= kSniffBytes) return Begin(bytes);
    head_ += bytes;
    if (head_.size() >= kSniffBytes) Begin(std::exchange(head_, {}));
  }

  PageLinks Finish() {
    if (!encoding_) Begin(head_);
    if (decoder_) {
      text_.clear();
      decoder_->Finish(text_);
      scanner_.Feed(text_);
    }
    scanner_.Finish();
    PageLinks page;
    page.charset = encoding_->name();
    const Url base = Base();
    const QueryEncoder query_encoder = QueryEncoderFor(*encoding_);
    LinkList links(base, query_encoder, max_links_);
    std::optional<std::string_view> title;
    scanner_.ForEach([&](LinkScanner::Kind kind, std::string_view text) {
      if (kind == LinkScanner::Kind::kTitle) {
        if (!title) title = text;
      } else if (kind != LinkScanner::Kind::kBase) {
        links.Add(text, kind == LinkScanner::Kind::kNofollowLink);
      }
    });
    links.MoveTo(page);
    page.title = CutUtf8(CollapseBlanks(ValidUtf8(title.value_or(""))), kMaxTitleBytes);
    for (const LinkScanner::Meta& meta : scanner_.metas()) {
      if (meta.refreshes && !page.refresh) {
        // The refresh is read when its element is inserted: a base that follows comes too late.
        page.refresh = Target(meta.content, meta.follows_base ? base : page_, query_encoder);
      }
      if (NamesRobots(meta.name, user_agent_)) page.robots |= ParseRobotsMeta(meta.content);
    }
    return page;
  }

 private:
  /// The page's beginning is enough to tell the encoding, or all of it.
  void Begin(std::string_view bytes) {
    const SniffedEncoding sniffed =
        SniffEncoding(bytes.substr(0, kSniffBytes), charset_label_, fallback_);
    encoding_ = sniffed.encoding;
    if (*encoding_ != Encoding::Utf8()) decoder_.emplace(*encoding_);
    Scan(bytes.substr(sniffed.bom_bytes));
  }

  /// UTF-8 is scanned where it is.
  void Scan(std::string_view bytes) {
    if (!decoder_) {
      scanner_.Feed(bytes);
      return;
    }
    while (!bytes.empty()) {
      text_.clear();
      decoder_->Decode(bytes.substr(0, kDecodedBytes), text_);
      scanner_.Feed(text_);
      bytes.remove_prefix(std::min(bytes.size(), kDecodedBytes));
    }
  }

  /// The first base with an href decides; when it is no URL, or a data: or javascript: one, the
  /// page's URL is the base (HTML Standard, "set the frozen base URL"). Empty for other URLs that
  /// are not crawled.
  Url Base() const {
    std::optional<std::string_view> first;
    scanner_.ForEach([&](LinkScanner::Kind kind, std::string_view text) {
      if (kind == LinkScanner::Kind::kBase && !first) first = text;
    });
    if (!first) return page_;
    const Result<Url> base = page_.Resolve(*first, QueryEncoderFor(*encoding_));
    if (base) return *base;
    const std::string scheme = ForeignSchemeOf(*first);
    return scheme.empty() || scheme == "data" || scheme == "javascript" ? page_ : Url();
  }

  std::optional<std::string> Target(std::string_view content, const Url& base,
                                    const QueryEncoder& query_encoder) const {
    const std::optional<Refresh> refresh = ParseRefresh(content);
    if (!refresh) return std::nullopt;
    if (refresh->reloads) return page_.text();
    const Result<Url> url = base.Resolve(refresh->reference, query_encoder);
    if (!url) return std::nullopt;
    return url->text();
  }

  static constexpr std::size_t kDecodedBytes = 64 * 1024;  // at a time

  const Url page_;
  const std::string charset_label_;
  const std::string user_agent_;
  const Encoding fallback_;
  const std::size_t max_links_;
  std::string head_;  // until the encoding is known
  std::optional<Encoding> encoding_;
  std::optional<TextDecoder> decoder_;  // not for UTF-8
  std::string text_;                    // decoded
  LinkScanner scanner_;
};

LinkExtractor::LinkExtractor(Url page, std::string_view charset_label, std::string_view user_agent,
                             Encoding fallback, std::size_t max_links)
    : impl_(std::make_unique<Impl>(std::move(page), charset_label, user_agent, fallback,
                                   max_links)) {}
LinkExtractor::~LinkExtractor() = default;
void LinkExtractor::Feed(std::string_view bytes) { impl_->Feed(bytes); }
PageLinks LinkExtractor::Finish() { return impl_->Finish(); }

}  // namespace trawl

#include "worker/sitemap/sitemap_xml.h"

#include <libxml/parser.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "common/text.h"
#include "worker/sitemap/xml_mender.h"

namespace trawl {
namespace {

struct FreeParser {
  void operator()(xmlParserCtxtPtr parser) const { xmlFreeParserCtxt(parser); }
};

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kPieceBytes = 16 * 1024;

std::string_view Text(const xmlChar* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

std::optional<std::string_view> Attribute(const xmlChar** attributes, std::string_view name) {
  for (; attributes && attributes[0]; attributes += 2) {
    if (Text(attributes[0]) == name) return Text(attributes[1]);
  }
  return std::nullopt;
}

/// What an element is to us.
enum class Role {
  kOther,
  kEntry,      // holds loc: url and sitemap of sitemaps.org, and for the careless their roots
  kItem,       // of RSS and Atom
  kUrl,        // its text is a URL
  kPermalink,  // its text is the URL of an item that has no link
};

struct Element {
  Role role = Role::kOther;
  std::string prefix;
  SitemapUrls::Kind kind = SitemapUrls::Kind::kUrl;  // what loc means below it
};

bool HoldsUrl(const Element& element) {
  return element.role == Role::kUrl || element.role == Role::kPermalink;
}

/// A child of our vocabulary has its parent's prefix, whatever that is: image:loc and atom:link are
/// of others.
Role RoleOf(const Element& parent, std::string_view prefix, std::string_view name) {
  if (name == "urlset" || name == "sitemapindex" || name == "url" || name == "sitemap") {
    return Role::kEntry;
  }
  if (name == "item" || name == "entry") return Role::kItem;
  if (prefix != parent.prefix) return Role::kOther;
  if (parent.role == Role::kEntry && name == "loc") return Role::kUrl;
  if (parent.role == Role::kItem && name == "link") return Role::kUrl;
  if (parent.role == Role::kItem && name == "guid") return Role::kPermalink;
  return Role::kOther;
}

}  // namespace

class SitemapXml::Impl {
 public:
  explicit Impl(SitemapUrls& urls) : urls_(urls) {
    static const bool initialised = [] {
      xmlInitParser();
      return true;
    }();
    (void)initialised;
    std::memset(&sax_, 0, sizeof sax_);
    // The interface without namespaces: prefixes are all that is looked at.
    sax_.startElement = [](void* self, const xmlChar* name, const xmlChar** attributes) {
      static_cast<Impl*>(self)->OnStart(Text(name), attributes);
    };
    sax_.endElement = [](void* self, const xmlChar*) { static_cast<Impl*>(self)->OnEnd(); };
    sax_.characters = [](void* self, const xmlChar* text, int length) {
      static_cast<Impl*>(self)->OnText(
          {reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)});
    };
    parser_.reset(xmlCreatePushParserCtxt(&sax_, this, nullptr, 0, nullptr));
    if (!parser_) throw std::bad_alloc();
    // NOENT has "&amp;" in an attribute mean "&"; there are no entities that it could expand.
    xmlCtxtUseOptions(parser_.get(), XML_PARSE_RECOVER | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                         XML_PARSE_NONET | XML_PARSE_SAX1 | XML_PARSE_NOENT);
  }

  void Feed(std::string_view text) {
    while (!text.empty()) {
      const std::string_view piece = text.substr(0, kPieceBytes);
      text.remove_prefix(piece.size());
      mended_.clear();
      mender_.Feed(piece, mended_);
      Parse(false);
    }
  }

  void Finish() {
    mended_.clear();
    mender_.Finish(mended_);
    Parse(true);
  }

 private:
  void Parse(bool last) {
    xmlParseChunk(parser_.get(), mended_.data(), static_cast<int>(mended_.size()), last);
  }

  void OnStart(std::string_view qualified_name, const xmlChar** attributes) {
    const std::size_t colon = qualified_name.find(':');
    const bool prefixed = colon != qualified_name.npos;
    const std::string_view prefix = qualified_name.substr(0, prefixed ? colon : 0);
    const std::string name = LowerCase(qualified_name.substr(prefixed ? colon + 1 : 0));

    if (open_.empty()) return open_.push_back({Role::kEntry, "", SitemapUrls::Kind::kUrl});
    if (HoldsUrl(open_.back())) {
      // A wrapper inside of a URL (<loc><url>...), or the end tag of the URL is missing.
      if (text_.empty() && name == "url") return open_.push_back(open_.back());
      EndText();
      open_.back() = open_[open_.size() - 2];
    }
    Element element{RoleOf(open_.back(), prefix, name), std::string(prefix), open_.back().kind};
    if (name == "sitemap") element.kind = SitemapUrls::Kind::kSitemap;
    if (name == "sitemapindex" || name == "urlset") {
      element.kind = name == "urlset" ? SitemapUrls::Kind::kUrl : SitemapUrls::Kind::kSitemap;
    }
    if (element.role == Role::kItem) BeginItem();
    if (element.role == Role::kUrl && name == "link") AddLink(attributes);
    if (element.role == Role::kPermalink &&
        LowerCase(Attribute(attributes, "isPermaLink").value_or("")) == "false") {
      element.role = Role::kOther;
    }
    open_.push_back(std::move(element));
  }

  void OnText(std::string_view text) {
    if (open_.empty() || !HoldsUrl(open_.back())) return;
    if (text_.empty()) text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    // A longer text is a URL only if the fragment is what is long; else it is kept just long enough
    // to be refused as one.
    constexpr std::size_t kMaxTextBytes = 2 * Url::kMaxUrlBytes;
    text_ += text.substr(0, kMaxTextBytes - std::min(text_.size(), kMaxTextBytes));
  }

  void OnEnd() {
    if (open_.empty()) return;
    EndText();
    if (open_.back().role == Role::kItem) EndItem();
    open_.pop_back();
  }

  void EndText() {
    if (text_.empty()) return;
    if (open_.back().role == Role::kPermalink) {
      permalink_ = text_;
    } else {
      urls_.AddReference(open_.back().kind, text_);
      item_has_link_ = true;
    }
    text_.clear();
  }

  // ---- Items of feeds ----

  void BeginItem() {
    EndItem();
    item_has_link_ = false;
  }

  void EndItem() {
    if (!item_has_link_) urls_.AddLine(permalink_);
    permalink_.clear();
  }

  /// Atom's link has its URL in an attribute, and other relations than the page itself
  /// (RFC 4287, section 4.2.7.2).
  void AddLink(const xmlChar** attributes) {
    const std::string relation = LowerCase(Attribute(attributes, "rel").value_or("alternate"));
    const auto href = Attribute(attributes, "href");
    if (!href || relation != "alternate") return;
    urls_.AddReference(SitemapUrls::Kind::kUrl, *href);
    item_has_link_ = true;
  }

  SitemapUrls& urls_;
  XmlMender mender_;
  std::string mended_;
  xmlSAXHandler sax_;
  std::unique_ptr<xmlParserCtxt, FreeParser> parser_;
  std::vector<Element> open_;  // the first is the element that the mender puts around all
  std::string text_;           // of the URL that is open
  std::string permalink_;      // of the item that is open
  bool item_has_link_ = false;
};

SitemapXml::SitemapXml(SitemapUrls& urls) : impl_(std::make_unique<Impl>(urls)) {}
SitemapXml::~SitemapXml() = default;
void SitemapXml::Feed(std::string_view text) { impl_->Feed(text); }
void SitemapXml::Finish() { impl_->Finish(); }

}  // namespace trawl

#include "worker/charset.h"

#include <utility>

#include "worker/charset/encoding_table.h"
#include "worker/charset/prescan.h"
#include "worker/charset/stream_decoder.h"

namespace trawl {
namespace {

std::optional<SniffedEncoding> SniffByteOrderMark(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) return {{Encoding::Utf8(), 3}};
  if (head.starts_with("\xFE\xFF")) return {{Encoding::Utf16Be(), 2}};
  if (head.starts_with("\xFF\xFE")) return {{Encoding::Utf16Le(), 2}};
  return std::nullopt;
}

}  // namespace

std::optional<Encoding> Encoding::ForLabel(std::string_view label) {
  const EncodingInfo* info = FindEncoding(label);
  if (!info) return std::nullopt;
  return Encoding(*info);
}

Encoding Encoding::Utf8() {
  static const Encoding encoding = *ForLabel("utf-8");
  return encoding;
}

Encoding Encoding::Utf16Be() {
  static const Encoding encoding = *ForLabel("utf-16be");
  return encoding;
}

Encoding Encoding::Utf16Le() {
  static const Encoding encoding = *ForLabel("utf-16le");
  return encoding;
}

Encoding Encoding::Windows1252() {
  static const Encoding encoding = *ForLabel("windows-1252");
  return encoding;
}

std::string_view Encoding::name() const { return info_->name; }

SniffedEncoding SniffEncoding(std::string_view head, std::string_view header_label,
                              Encoding fallback) {
  if (const std::optional<SniffedEncoding> marked = SniffByteOrderMark(head)) return *marked;
  std::optional<Encoding> encoding = Encoding::ForLabel(header_label);
  if (!encoding) encoding = Prescan(head.substr(0, kSniffBytes));
  return {encoding.value_or(fallback), 0};
}

TextDecoder::TextDecoder(Encoding encoding) : decoder_(MakeStreamDecoder(encoding.info())) {}
TextDecoder::TextDecoder(TextDecoder&&) noexcept = default;
TextDecoder& TextDecoder::operator=(TextDecoder&&) noexcept = default;
TextDecoder::~TextDecoder() = default;

void TextDecoder::Decode(std::string_view bytes, std::string& out) { decoder_->Decode(bytes, out); }
void TextDecoder::Finish(std::string& out) { decoder_->Finish(out); }

void PageDecoder::Decode(std::string_view bytes, std::string& out) {
  if (!decoder_) {
    const std::string_view rest_of_head = bytes.substr(0, kSniffBytes - head_.size());
    head_ += rest_of_head;
    if (head_.size() < kSniffBytes) return;
    bytes.remove_prefix(rest_of_head.size());
    Sniff(out);
  }
  decoder_->Decode(bytes, out);
}

void PageDecoder::Finish(std::string& out) {
  if (!decoder_) Sniff(out);
  decoder_->Finish(out);
}

void PageDecoder::Sniff(std::string& out) {
  const SniffedEncoding sniffed = SniffEncoding(head_, header_label_, fallback_);
  encoding_ = sniffed.encoding;
  decoder_.emplace(sniffed.encoding);
  decoder_->Decode(std::string_view(head_).substr(sniffed.bom_bytes), out);
  head_.clear();
}

}  // namespace trawl

#include "common/idna.h"

#include <unicode/uidna.h>

#include <memory>
#include <stdexcept>

namespace trawl {
namespace {

struct IdnaCloser {
  void operator()(UIDNA* idna) const { uidna_close(idna); }
};
using IdnaPtr = std::unique_ptr<UIDNA, IdnaCloser>;

// ICU cannot switch these checks off; they are CheckHyphens and VerifyDnsLength.
constexpr uint32_t kIgnoredErrors = UIDNA_ERROR_EMPTY_LABEL | UIDNA_ERROR_LABEL_TOO_LONG |
                                    UIDNA_ERROR_DOMAIN_NAME_TOO_LONG | UIDNA_ERROR_LEADING_HYPHEN |
                                    UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4;

IdnaPtr OpenIdna() {
  UErrorCode status = U_ZERO_ERROR;
  IdnaPtr idna(uidna_openUTS46(UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                   UIDNA_NONTRANSITIONAL_TO_ASCII |
                                   UIDNA_NONTRANSITIONAL_TO_UNICODE,
                               &status));
  if (U_FAILURE(status)) throw std::runtime_error(u_errorName(status));
  return idna;
}

}  // namespace

std::optional<std::string> IdnaToAscii(std::string_view domain) {
  static const IdnaPtr idna = OpenIdna();  // Immutable, so that threads may share it.
  if (domain.size() > kMaxIdnaBytes) return std::nullopt;

  std::string ascii(kMaxIdnaBytes, '\0');
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode status = U_ZERO_ERROR;
  const int32_t size =
      uidna_nameToASCII_UTF8(idna.get(), domain.data(), static_cast<int32_t>(domain.size()),
                             ascii.data(), static_cast<int32_t>(ascii.size()), &info, &status);
  if (U_FAILURE(status) || (info.errors & ~kIgnoredErrors) != 0) return std::nullopt;
  ascii.resize(static_cast<std::size_t>(size));
  return ascii;
}

}  // namespace trawl

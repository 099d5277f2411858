#include "tests/support/certificates.h"

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/openssl_ptr.h"

namespace trawl {
namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

constexpr std::chrono::seconds kDay = std::chrono::hours(24);

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

KeyPtr NewKey() {
  KeyPtr key(EVP_EC_gen("P-256"));
  Check(key != nullptr, "EVP_EC_gen");
  return key;
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string ToPem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_X509(bio.get(), certificate) == 1, "PEM_write_bio_X509");
  return Text(bio.get());
}

std::string ToPem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "PEM_write_bio_PrivateKey");
  return Text(bio.get());
}

void SetName(X509_NAME* name, const char* common_name) {
  Check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(common_name), -1, -1,
                                   0) == 1,
        "X509_NAME_add_entry_by_txt");
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  Check(extension != nullptr, "X509V3_EXT_conf_nid");
  Check(X509_add_ext(certificate, extension.get(), -1) == 1, "X509_add_ext");
}

struct Party {
  const char* name;
  EVP_PKEY* key;
};

/// `names` may be empty.
std::string Certify(Party subject, Party issuer, const std::string& names,
                    std::chrono::seconds expires_in) {
  const CertificatePtr certificate(X509_new());
  X509* const x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  const auto from = std::min(expires_in, std::chrono::seconds(0)) - kDay;
  X509_gmtime_adj(X509_getm_notBefore(x509), from.count());
  X509_gmtime_adj(X509_getm_notAfter(x509), expires_in.count());
  SetName(X509_get_subject_name(x509), subject.name);
  SetName(X509_get_issuer_name(x509), issuer.name);
  Check(X509_set_pubkey(x509, subject.key) == 1, "X509_set_pubkey");
  AddExtension(x509, NID_basic_constraints, names.empty() ? "CA:TRUE" : "CA:FALSE");
  if (!names.empty()) AddExtension(x509, NID_subject_alt_name, names);
  Check(X509_sign(x509, issuer.key, EVP_sha256()) > 0, "X509_sign");
  return ToPem(x509);
}

constexpr const char* kAuthorityName = "Test Authority";
constexpr const char* kServerName = "Test Server";

}  // namespace

struct TestAuthority::Key {
  KeyPtr key = NewKey();
};

TestAuthority::TestAuthority() : key_(std::make_unique<Key>()) {
  const Party self = {kAuthorityName, key_->key.get()};
  certificate_pem_ = Certify(self, self, {}, kDay);
}

TestAuthority::~TestAuthority() = default;

TestCertificate TestAuthority::Issue(const std::string& names,
                                     std::chrono::seconds expires_in) const {
  const KeyPtr key = NewKey();
  return {.certificate_pem = Certify({kServerName, key.get()}, {kAuthorityName, key_->key.get()},
                                     names, expires_in),
          .key_pem = ToPem(key.get())};
}

TestCertificate SelfSigned(const std::string& names) {
  const KeyPtr key = NewKey();
  const Party self = {kServerName, key.get()};
  return {.certificate_pem = Certify(self, self, names, kDay), .key_pem = ToPem(key.get())};
}

}  // namespace trawl

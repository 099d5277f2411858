// OpenSSL's objects, owned, and read from text.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace trawl {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, FreeWith<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

/// `text` is borrowed and outlives the result.
inline BioPtr ReaderOf(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Nullptr when the text is none.
inline CertificatePtr CertificateFrom(const std::string& pem) {
  return CertificatePtr(PEM_read_bio_X509(ReaderOf(pem).get(), nullptr, nullptr, nullptr));
}
inline KeyPtr KeyFrom(const std::string& pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(ReaderOf(pem).get(), nullptr, nullptr, nullptr));
}

}  // namespace trawl

// Certificates made on the spot for tests of TLS.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace trawl {

struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;
};

/// A certificate authority that nobody trusts but the tests.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();

  const std::string& certificate_pem() const { return certificate_pem_; }

  /// A server's certificate. `names` as in OpenSSL's subjectAltName: "DNS:a.test,IP:127.0.0.1".
  /// Valid from a day before `expires_in`, or before now if that is earlier, until `expires_in`
  /// from now.
  TestCertificate Issue(const std::string& names,
                        std::chrono::seconds expires_in = std::chrono::hours(1)) const;

 private:
  struct Key;
  std::unique_ptr<Key> key_;
  std::string certificate_pem_;
};

/// A server's certificate that its own key has signed.
TestCertificate SelfSigned(const std::string& names);

}  // namespace trawl

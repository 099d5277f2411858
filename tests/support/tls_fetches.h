// A fixture for fetches over TLS: an authority, and a fetcher's options by which it is trusted.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/support/certificates.h"
#include "tests/support/test_site.h"
#include "worker/http/fetcher.h"

namespace trawl {

class TlsFetches : public ::testing::Test {
 protected:
  TlsFetches() { std::ofstream(ca_file_) << authority_.certificate_pem(); }
  ~TlsFetches() override { std::remove(ca_file_.c_str()); }

  Fetcher::Options Trusting() const { return {.user_agent = "test/1.0", .ca_file = ca_file_}; }

  static TestSite::Options Serving(const TestCertificate& certificate) {
    return {.certificate_pem = certificate.certificate_pem, .key_pem = certificate.key_pem};
  }

  const TestAuthority authority_;
  const std::string ca_file_ = ::testing::TempDir() + "trawl_ca_" + std::to_string(::getpid()) +
                               "_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) +
                               ".pem";
};

}  // namespace trawl

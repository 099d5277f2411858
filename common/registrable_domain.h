// Which domain a host belongs to, by the Public Suffix List (https://publicsuffix.org).
#pragma once

#include <string_view>

namespace trawl {

/// The part of a canonical URL's host that somebody has registered ("example.co.uk" of
/// "www.example.co.uk"), or the host itself where there is none (addresses, `localhost`). A view
/// into `host`, which is not empty.
std::string_view RegistrableDomain(std::string_view host);

}  // namespace trawl

#include "common/registrable_domain.h"

#include <libpsl.h>

#include <string>

namespace trawl {

std::string_view RegistrableDomain(std::string_view host) {
  // An address: no name of a canonical URL has a number for its last label.
  if (host.ends_with(']') || (host.back() >= '0' && host.back() <= '9')) return host;
  const std::string terminated(host);
  const char* domain = psl_registrable_domain(psl_builtin(), terminated.c_str());
  return domain ? host.substr(domain - terminated.c_str()) : host;
}

}  // namespace trawl

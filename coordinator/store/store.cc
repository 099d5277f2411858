#include "coordinator/store/store.h"

namespace trawl {

std::string_view DropWord(Admission::Kind kind) {
  switch (kind) {
    case Admission::Kind::kHostFull:
      return "pages_per_host";
    case Admission::Kind::kDomainFull:
      return "hosts_per_domain";
    case Admission::Kind::kAdmitted:
    case Admission::Kind::kSeen:
    case Admission::Kind::kMoved:
      break;
  }
  return {};
}

}  // namespace trawl

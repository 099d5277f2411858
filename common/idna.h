// International domain names. The only place that knows ICU.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trawl {

/// Longest domain given to or had from IdnaToAscii(), bytes. DNS ends at 253 octets; the standard
/// asks for no check, so this one only bounds the work on a hostile name.
inline constexpr std::size_t kMaxIdnaBytes = 4096;

/// Unicode ToASCII (UTS #46, section 4.2) as the URL Standard calls it: CheckHyphens,
/// UseSTD3ASCIIRules, Transitional_Processing and VerifyDnsLength false, CheckBidi and CheckJoiners
/// true. Revision 33, but with the characters of the installed ICU's Unicode version: a name with a
/// newer one is invalid. `domain` is UTF-8; anything else in it makes it invalid. Nothing for an
/// invalid domain or one over kMaxIdnaBytes. Thread-safe.
std::optional<std::string> IdnaToAscii(std::string_view domain);

}  // namespace trawl

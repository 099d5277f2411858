// What servers get wrong in the head of a response and every browser forgives, mended before a
// strict parser reads it: lines that end with a bare LF (RFC 9112, section 2.2), a status line that
// ends with its code (section 4), blanks before a header's colon (section 5.1). No I/O.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trawl {

/// Whether the bytes are, or may become, the beginning of an HTTP/1 response; what an HTTP/0.9
/// server sends, a body alone, is none.
bool BeginsResponse(std::string_view bytes);

/// The size of the head that `bytes` begins with, its empty line included; nothing when that has
/// not arrived yet. `searched` is how many of the bytes have been searched before, 0 at first, so
/// that a head that comes byte by byte is searched once.
std::optional<std::size_t> HeadBytes(std::string_view bytes, std::size_t& searched);

/// A whole head as the standard wants it: the head itself, or what is mended in `storage`.
std::string_view MendedHead(std::string_view head, std::string& storage);

}  // namespace trawl

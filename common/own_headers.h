// What a person wants to have sent to the sites that a crawl begins with, and to no other: headers
// and a password. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/options.h"
#include "common/url.h"

namespace trawl {

/// Longest header, as "Name: value", and how many there may be.
inline constexpr std::size_t kMaxOwnHeaderBytes = 8 * 1024;
inline constexpr std::size_t kMaxOwnHeaders = 50;

/// Why "Name: value" cannot be sent; empty when it can. It must be one header by RFC 9110, section
/// 5, and none that belongs to the connection, or that Trawl sets or reads the answers by.
std::string HeaderComplaint(std::string_view header);

/// The headers of the options, and Authorization when there is a password, each "Name: value".
std::vector<std::string> OwnHeaders(const CrawlOptions& crawl);

/// The origins (Url::origin()) that these are for: those of the seeds, or without any those of the
/// given sitemaps. http on its default port covers https of the same host, never the other way.
std::vector<std::string> OwnOrigins(const CrawlOptions& crawl);

/// Whether a URL, as given, has a user or a password in it.
bool HasUserInfo(std::string_view url);

}  // namespace trawl

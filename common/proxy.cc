#include "common/proxy.h"

#include "common/base64.h"
#include "common/host.h"
#include "common/url.h"

namespace trawl {
namespace {

constexpr std::size_t kMaxProxyBytes = 1024;

std::string Unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = EscapedByte(text.substr(i));
    bytes += byte < 0 ? text[i] : static_cast<char>(byte);
    if (byte >= 0) i += 2;
  }
  return bytes;
}

}  // namespace

std::optional<Proxy> ParseProxy(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme) || text.size() > kMaxProxyBytes) return std::nullopt;
  const Result<Url> url = Url::Parse(text);
  if (!url || url->target() != "/") return std::nullopt;
  Proxy proxy{std::string(url->host()), url->port(), {}};
  const std::size_t at = text.rfind('@');
  if (at == text.npos) return proxy;
  std::string user = Unescaped(text.substr(kScheme.size(), at - kScheme.size()));
  if (user.find(':') == user.npos) user += ':';
  proxy.authorization = "Basic " + EncodeBase64(user);
  return proxy;
}

}  // namespace trawl

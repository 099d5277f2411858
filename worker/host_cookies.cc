#include "worker/host_cookies.h"

#include <chrono>
#include <utility>

namespace trawl {
namespace {

// What is looked at of one response.
constexpr std::size_t kMaxSetCookieBytes = 64 * 1024;

class CookieFetch : public FetchObserver {
 public:
  CookieFetch(Url url, std::shared_ptr<CookieJar> jar, std::unique_ptr<FetchObserver> observer)
      : url_(std::move(url)), jar_(std::move(jar)), observer_(std::move(observer)) {}

  BodyWish OnHead(const ResponseHead& head) override {
    const auto now = std::chrono::system_clock::now();
    for (const std::string& set_cookie : head.set_cookies) jar_->Set(url_, set_cookie, now);
    return observer_->OnHead(head);
  }
  boost::system::error_code OnBody(std::string_view bytes) override {
    return observer_->OnBody(bytes);
  }
  void OnDone(FetchOutcome outcome) override { observer_->OnDone(std::move(outcome)); }

 private:
  const Url url_;
  const std::shared_ptr<CookieJar> jar_;
  const std::unique_ptr<FetchObserver> observer_;
};

}  // namespace

std::unique_ptr<FetchObserver> HostCookies::Carry(const std::string& host, FetchRequest& request,
                                                  std::unique_ptr<FetchObserver> observer) {
  std::shared_ptr<CookieJar>& jar = jars_[host];
  if (!jar) jar = std::make_shared<CookieJar>();
  const std::string cookies = jar->For(request.url, std::chrono::system_clock::now());
  if (!cookies.empty()) request.headers += "Cookie: " + cookies + "\r\n";
  request.limits.set_cookie_bytes = kMaxSetCookieBytes;
  return std::make_unique<CookieFetch>(request.url, jar, std::move(observer));
}

}  // namespace trawl

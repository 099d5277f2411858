// What the web, a worker or a configuration can do to us, as values. An Error that ends a URL is
// named by ReasonWord() in errors.jsonl and in the counter `failed:WORD`, so the words are fixed.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <string_view>

namespace trawl {

template <class T>
using Result = boost::system::result<T>;

enum class Error {
  kHttpStatus = 1,  // the final status is neither 2xx nor a redirect
  kRobots,          // robots.txt forbids the URL, or could not be had
  kTimeout,         // a deadline passed: connect, idle, or the whole fetch
  kDns,             // the name does not exist, or no server answered for it
  kConnect,         // no address of the host accepted a connection
  kTls,             // the handshake failed or the certificate did not verify
  kReset,           // the connection broke, or ended before there was an answer
  kTruncated,       // the connection ended in order, or its coding did, before the body was whole
  kMalformed,       // not HTTP, not the declared coding, or not a URL that can be crawled
  kTooLarge,        // more header or body bytes than allowed
  kContentType,     // a type that the crawl does not want
  kAddress,         // resolves to an address that this crawl must not reach
  kWorkerLost,      // took down its worker too often
  kRoundDeadline,   // its round was open for longer than --round-deadline
  kTooManyHops,     // one redirect more than allowed
  kScope,           // outside of what may be crawled
  kNotCrawlable,    // a link that is nothing to crawl: another scheme, or no valid URL
  kBadMessage,      // a peer's message that breaks the protocol
  kStore,           // the store was lost, or takes no steps for now
  kStepRefused,     // the store will never take the step: another coordinator has the job
  kRulesChanged,    // a job is not resumed under other rules
  kUsage,           // a flag, a key or a file that the user has to mend
};

/// The fixed word of `errors.jsonl` for an error that ends a URL ("timeout", "http_status", ...).
std::string_view ReasonWord(Error error);

/// The error with this word; kMalformed for a word that does not exist.
Error ReasonFromWord(std::string_view word);

const boost::system::error_category& ErrorCategory();

inline boost::system::error_code make_error_code(Error error) {
  return {static_cast<int>(error), ErrorCategory()};
}

}  // namespace trawl

template <>
struct boost::system::is_error_code_enum<trawl::Error> : std::true_type {};

// The first of one or two bytes in a range. Markup's runs are short (a word, a name), so the search
// is inline and by sixteen bytes: a call to memchr costs more than most runs.
#pragma once

#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace trawl::html {

/// The first `a` or `b` in [begin, end); `end` without one.
inline const char* FindEither(const char* begin, const char* end, char a, char b) {
#if defined(__SSE2__)
  const __m128i wanted_a = _mm_set1_epi8(a);
  const __m128i wanted_b = _mm_set1_epi8(b);
  for (; end - begin >= 16; begin += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
    const __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, wanted_a), _mm_cmpeq_epi8(bytes, wanted_b));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return begin + std::countr_zero(mask);
  }
#endif
  while (begin != end && *begin != a && *begin != b) ++begin;
  return begin;
}

/// The first `wanted` in [begin, end); `end` without one.
inline const char* FindByte(const char* begin, const char* end, char wanted) {
  return FindEither(begin, end, wanted, wanted);
}

}  // namespace trawl::html

#include "octets.h"
#include "offload.h"

// Adds 64-bit words by their 32-bit halves, each half into a 64-bit sum of its own. So no carry is lost before 2^32
// words, and the compiler can use vector instructions. `to`: copies the octets there; NULL: no copy.
static inline __attribute__((always_inline)) uint64_t add_up(uint8_t *to, const uint8_t *from, size_t length,
                                                             uint64_t sum) {
  uint64_t high = 0;
  size_t at = 0;
  for (; at + 8 <= length; at += 8) {
    uint64_t word;
    memcpy(&word, from + at, sizeof word);
    if (to != NULL) memcpy(to + at, &word, sizeof word);
    sum += word & 0xffffffff;
    high += word >> 32;
  }
  uint64_t rest = 0;
  memcpy(&rest, from + at, length - at);
  if (to != NULL) memcpy(to + at, &rest, length - at);
  return sum + high + (rest & 0xffffffff) + (rest >> 32);
}

#if defined(__x86_64__)
// Tested at run time, since a prebuilt addon must also run on processors without AVX2.
__attribute__((target("avx2"))) static uint64_t add_up_avx2(uint8_t *to, const uint8_t *from, size_t length,
                                                            uint64_t sum) {
  return to == NULL ? add_up(NULL, from, length, sum) : add_up(to, from, length, sum);
}
#define HAS_AVX2() __builtin_cpu_supports("avx2")
#else
#define add_up_avx2 add_up
#define HAS_AVX2() 0
#endif

uint64_t etherws_sum(const uint8_t *bytes, size_t length, uint64_t initial) {
  return HAS_AVX2() ? add_up_avx2(NULL, bytes, length, initial) : add_up(NULL, bytes, length, initial);
}

uint64_t etherws_copy_and_sum(uint8_t *restrict to, const uint8_t *restrict from, size_t length, uint64_t initial) {
  return HAS_AVX2() ? add_up_avx2(to, from, length, initial) : add_up(to, from, length, initial);
}

uint16_t etherws_fold(uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)sum;
}

uint64_t etherws_pseudo_sum(const uint8_t *frame, const struct etherws_headers *headers, uint32_t transport_bytes) {
  const uint8_t *network = frame + headers->network_start;
  uint8_t tail[8] = {0};
  etherws_write_long(tail, transport_bytes);
  tail[7] = (uint8_t)headers->protocol;
  uint64_t sum = etherws_sum(tail, sizeof tail, 0);
  return headers->is_ipv6 ? etherws_sum(network + 8, 32, sum) : etherws_sum(network + 12, 8, sum);
}

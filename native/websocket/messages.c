#include "messages.h"

#include <string.h>

enum { BINARY = 0x82, MASKED = 0x80, LENGTH_16 = 126, LENGTH_64 = 127 };

void etherws_mask(uint8_t *to, const uint8_t *from, size_t length, const uint8_t key[ETHERWS_KEY_BYTES]) {
  uint64_t wide;
  memcpy(&wide, key, 4);
  memcpy((uint8_t *)&wide + 4, key, 4);
  size_t at = 0;
  // Thirty-two octets a turn, so that the compiler makes vectors of them.
  for (; at + 32 <= length; at += 32) {
    uint64_t words[4];
    memcpy(words, from + at, 32);
    for (int i = 0; i < 4; i++) words[i] ^= wide;
    memcpy(to + at, words, 32);
  }
  for (; at < length; at++) to[at] = from[at] ^ key[at & 3];
}

size_t etherws_read_messages(uint8_t *bytes, size_t from, size_t end, bool is_masked, size_t most,
                             struct etherws_messages *found) {
  const size_t key_bytes = is_masked ? ETHERWS_KEY_BYTES : 0;
  while (found->count < found->capacity && end - from >= 2) {
    const uint8_t *head = bytes + from;
    if (head[0] != BINARY || ((head[1] & MASKED) != 0) != is_masked) break;
    size_t length = head[1] & 0x7f, header = 2;
    if (length == LENGTH_16) {
      if (end - from < 4) break;
      length = (size_t)head[2] << 8 | head[3];
      header = 4;
      if (length < LENGTH_16) break;
    } else if (length == LENGTH_64) {
      if (end - from < 10) break;
      length = 0;
      for (int i = 2; i < 10; i++) length = length << 8 | head[i];
      header = 10;
      if (length < 0x10000) break;
    }
    if (length > most || end - from - header < key_bytes || end - from - header - key_bytes < length) break;
    uint8_t *payload = bytes + from + header + key_bytes;
    if (is_masked) {
      uint8_t key[ETHERWS_KEY_BYTES];
      memcpy(key, payload - ETHERWS_KEY_BYTES, sizeof key);
      etherws_mask(payload, payload, length, key);
    }
    found->starts[found->count] = (uint32_t)(payload - bytes);
    found->lengths[found->count++] = (uint32_t)length;
    from = (size_t)(payload - bytes) + length;
  }
  return from;
}

size_t etherws_write_message(uint8_t *to, const uint8_t *payload, size_t length, size_t padded, const uint8_t *key) {
  const uint8_t masked = key != NULL ? MASKED : 0;
  uint8_t *at = to;
  *at++ = BINARY;
  if (padded < LENGTH_16) {
    *at++ = masked | (uint8_t)padded;
  } else if (padded < 0x10000) {
    *at++ = masked | LENGTH_16;
    *at++ = (uint8_t)(padded >> 8);
    *at++ = (uint8_t)padded;
  } else {
    *at++ = masked | LENGTH_64;
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (uint8_t)((uint64_t)padded >> shift);
  }
  if (key == NULL) {
    memcpy(at, payload, length);
    memset(at + length, 0, padded - length);
  } else {
    memcpy(at, key, ETHERWS_KEY_BYTES);
    at += ETHERWS_KEY_BYTES;
    etherws_mask(at, payload, length, key);
    // A pad of zeros, masked, is the key.
    for (size_t i = length; i < padded; i++) at[i] = key[i & 3];
  }
  return (size_t)(at - to) + padded;
}

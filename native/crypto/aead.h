// The ciphers of TLS 1.3 as records need them (RFC 8446, 5.2 and 5.3), under one key, in one direction: what their
// implementations have in common.
#ifndef ETHERWS_AEAD_H
#define ETHERWS_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What Node was built with comes with its headers, except from a few distributions.
#if __has_include(<openssl/evp.h>)
#define ETHERWS_HAS_CIPHERS 1
#endif

enum {
  ETHERWS_RECORD_HEADER_BYTES = 5,
  ETHERWS_TAG_BYTES = 16,
  ETHERWS_IV_BYTES = 12,
  ETHERWS_MAX_RECORD_KEY_BYTES = 32,
};

enum etherws_suite { ETHERWS_AES_128_GCM, ETHERWS_AES_256_GCM, ETHERWS_CHACHA20_POLY1305, ETHERWS_SUITES };

// A key of a cipher, in one direction. Each implementation puts its own behind this.
struct etherws_cipher {
  // Seals content and its type to `to`, the tag behind them; the places do not overlap. Returns false when it failed.
  bool (*seal)(struct etherws_cipher *cipher, const uint8_t *nonce, const uint8_t *header, const uint8_t *from,
               size_t length, uint8_t type, uint8_t *to);
  // Opens `length` octets, behind which the tag stands. Returns false when they are not what was sealed: what is at `to`
  // then is worthless.
  bool (*open)(struct etherws_cipher *cipher, const uint8_t *nonce, const uint8_t *header, const uint8_t *from,
               size_t length, uint8_t *to);
  // Forgets the key.
  void (*end)(struct etherws_cipher *cipher);
};

#endif

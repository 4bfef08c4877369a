// The interface of a cipher for records of TLS 1.3 (RFC 8446, 5.2 and 5.3): one key, one direction. openssl.c and
// ipsec_mb.c implement it.
#ifndef ETHERWS_AEAD_H
#define ETHERWS_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Node's headers include those of the OpenSSL that it was built with, except in packages of a few distributions.
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

// A cipher with its key, for one direction. Each implementation adds its own members behind these.
struct etherws_cipher {
  // Seals content and its type to `to`, and writes the tag behind them. `to` does not overlap `from`. Returns false
  // when the cipher failed.
  bool (*seal)(struct etherws_cipher *cipher, const uint8_t *nonce, const uint8_t *header, const uint8_t *from,
               size_t length, uint8_t type, uint8_t *to);
  // Opens `length` octets, behind which the tag stands. Returns false when the tag is not right; then the octets at
  // `to` must not be used.
  bool (*open)(struct etherws_cipher *cipher, const uint8_t *nonce, const uint8_t *header, const uint8_t *from,
               size_t length, uint8_t *to);
  // Wipes the key, and frees the cipher.
  void (*end)(struct etherws_cipher *cipher);
};

#endif

#include "cipher.h"

#include "openssl.h"

#ifdef ETHERWS_HAS_CIPHERS

size_t etherws_key_bytes(enum etherws_suite suite) { return suite == ETHERWS_AES_128_GCM ? 16 : 32; }

bool etherws_has_ciphers(void) { return etherws_has_openssl(); }

struct etherws_cipher *etherws_new_cipher(enum etherws_suite suite, const uint8_t *key, bool is_sealing,
                                          const struct etherws_ipsec_mb *library) {
  if (library == NULL || suite == ETHERWS_CHACHA20_POLY1305) return etherws_new_openssl_cipher(suite, key, is_sealing);
  return etherws_new_ipsec_mb_cipher(library, key, etherws_key_bytes(suite));
}

#endif

// A cipher of TLS 1.3 by the implementation that is fastest here: OpenSSL's, of Node's own copy, or ipsec-mb's.
#ifndef ETHERWS_CIPHER_H
#define ETHERWS_CIPHER_H

#include "aead.h"
#include "ipsec_mb.h"

// Whether the process has what this needs.
bool etherws_has_ciphers(void);

size_t etherws_key_bytes(enum etherws_suite suite);

// Takes a key of the suite's length. With a library AES-GCM is its own. Returns NULL when the cipher is not to be had.
struct etherws_cipher *etherws_new_cipher(enum etherws_suite suite, const uint8_t *key, bool is_sealing,
                                          const struct etherws_ipsec_mb *library);

#endif

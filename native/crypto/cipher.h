// A cipher of TLS 1.3 by one of two implementations: the OpenSSL that Node contains, or ipsec-mb, which is faster at
// AES-GCM.
#ifndef ETHERWS_CIPHER_H
#define ETHERWS_CIPHER_H

#include "aead.h"
#include "ipsec_mb.h"

// Whether Node exports the functions of OpenSSL that ciphers need.
bool etherws_has_ciphers(void);

size_t etherws_key_bytes(enum etherws_suite suite);

// Takes a key of the suite's length. `library`: it does AES-GCM; NULL: OpenSSL does. Returns NULL when the cipher is
// not available.
struct etherws_cipher *etherws_new_cipher(enum etherws_suite suite, const uint8_t *key, bool is_sealing,
                                          const struct etherws_ipsec_mb *library);

#endif

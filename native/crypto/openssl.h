// The ciphers of the OpenSSL that Node contains.
#ifndef ETHERWS_OPENSSL_H
#define ETHERWS_OPENSSL_H

#include "aead.h"

// Whether Node exports the functions that they need.
bool etherws_has_openssl(void);

// Takes a key of the suite's length. Returns NULL when the cipher is not available.
struct etherws_cipher *etherws_new_openssl_cipher(enum etherws_suite suite, const uint8_t *key, bool is_sealing);

#endif

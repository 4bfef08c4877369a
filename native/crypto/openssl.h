// The ciphers of OpenSSL, of Node's own copy.
#ifndef ETHERWS_OPENSSL_H
#define ETHERWS_OPENSSL_H

#include "aead.h"

// Whether this Node exports them.
bool etherws_has_openssl(void);

// Takes a key of the suite's length. Returns NULL when the cipher is not to be had.
struct etherws_cipher *etherws_new_openssl_cipher(enum etherws_suite suite, const uint8_t *key, bool is_sealing);

#endif

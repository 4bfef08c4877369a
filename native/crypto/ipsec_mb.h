// AES-GCM of Intel's Multi-Buffer Crypto library (ipsec-mb), which uses wider registers than the OpenSSL of most
// versions of Node. It needs the library's headers when the addon is built, and the library when it runs.
#ifndef ETHERWS_IPSEC_MB_H
#define ETHERWS_IPSEC_MB_H

#include <stddef.h>
#include <stdint.h>

// The loaded library.
struct etherws_ipsec_mb;

// Loads the library once in a process; any thread may call it. Returns NULL when the library is missing, is older than
// the headers, or has nothing for this processor.
const struct etherws_ipsec_mb *etherws_load_ipsec_mb(void);

// Writes its version, such as 1.3.0.
void etherws_ipsec_mb_version(const struct etherws_ipsec_mb *loaded, char *text, size_t size);

// Takes a key of 16 or 32 octets, for either direction. Returns NULL without memory.
struct etherws_cipher *etherws_new_ipsec_mb_cipher(const struct etherws_ipsec_mb *loaded, const uint8_t *key,
                                                   size_t key_bytes);

#endif

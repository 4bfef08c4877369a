// The record layer of TLS 1.3 after the handshake (RFC 8446, 5): opens and seals records. It has no socket and no key
// schedule. Each length is compared with the octets that are there before it is used.
#ifndef ETHERWS_RECORDS_H
#define ETHERWS_RECORDS_H

#include "../crypto/cipher.h"

#ifdef ETHERWS_HAS_CIPHERS

enum {
  ETHERWS_MAX_CONTENT_BYTES = 1 << 14,
  // A record minus its content: header, content type and tag.
  ETHERWS_RECORD_OVERHEAD_BYTES = ETHERWS_RECORD_HEADER_BYTES + 1 + ETHERWS_TAG_BYTES,
  // The most records in a row without data. Each costs the receiver work, so an endless row would be an attack.
  ETHERWS_MAX_IDLE_RECORDS = 32,
};

// Content types (RFC 8446, B.1).
enum { ETHERWS_ALERT = 21, ETHERWS_HANDSHAKE = 22, ETHERWS_APPLICATION_DATA = 23 };

// Fatal alerts (RFC 8446, B.2).
enum {
  ETHERWS_UNEXPECTED_MESSAGE = 10,
  ETHERWS_BAD_RECORD_MAC = 20,
  ETHERWS_RECORD_OVERFLOW = 22,
  ETHERWS_INTERNAL_ERROR = 80
};

// One direction of a connection, under one key.
struct etherws_tls_records {
  struct etherws_cipher *cipher;  // NULL once ended
  uint64_t sequence;
  uint8_t iv[ETHERWS_IV_BYTES];
  unsigned idle_records;
  bool is_sealing;
};

struct etherws_opened {
  size_t consumed;  // ciphertext octets; the next record begins there
  size_t produced;  // octets of application data
  size_t content;   // octets behind them: the content of an alert or handshake record
};

// Starts with a key of the suite's length and the next sequence number. `library`: it does AES-GCM; NULL: OpenSSL does.
// Returns false when the cipher is not available.
bool etherws_start_tls_records(struct etherws_tls_records *records, enum etherws_suite suite, const uint8_t *key,
                               const uint8_t *iv, uint64_t sequence, bool is_sealing,
                               const struct etherws_ipsec_mb *library);

// Wipes the key. Idempotent.
void etherws_end_tls_records(struct etherws_tls_records *records);

// Opens complete records, and writes their application data to `to`, which must not overlap `from`. Returns 0 when no complete
// record, or no room, is left; ETHERWS_ALERT or ETHERWS_HANDSHAKE after a record of that type, whose content stands behind
// the data; or minus a fatal alert, after which nothing may be opened.
int etherws_open_tls_records(struct etherws_tls_records *records, const uint8_t *from, size_t length, uint8_t *to,
                             size_t room, struct etherws_opened *opened);

// The length of the records for so much content.
size_t etherws_sealed_bytes(size_t length);

// Seals content of a type. `to` has room for etherws_sealed_bytes, and does not overlap `from`. Returns the length of the
// records, or 0 when the cipher failed or the sequence numbers are used up.
size_t etherws_seal_tls_records(struct etherws_tls_records *records, uint8_t type, const uint8_t *from, size_t length,
                                uint8_t *to);

#endif
#endif

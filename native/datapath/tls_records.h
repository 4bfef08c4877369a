// The record layer of TLS 1.3 behind the handshake (RFC 8446, 5): opens and seals records. Nothing here knows Node-API,
// a socket or a key schedule, or believes a length that it has not compared.
#ifndef ETHERWS_RECORDS_H
#define ETHERWS_RECORDS_H

#include "../crypto/cipher.h"

#ifdef ETHERWS_HAS_CIPHERS

enum {
  ETHERWS_MAX_CONTENT_BYTES = 1 << 14,
  // What a record is longer than its content: header, type of the content, tag.
  ETHERWS_RECORD_OVERHEAD_BYTES = ETHERWS_RECORD_HEADER_BYTES + 1 + ETHERWS_TAG_BYTES,
  // Records in a row that carry no data; each costs its receiver work for nothing.
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
  size_t consumed;  // of what was given; the rest begins with a record
  size_t produced;  // application data
  size_t content;   // behind it, the content of a record that is an alert or of the handshake
};

// Takes a key of the suite's length and the next sequence number; with a library, AES-GCM is its own. Returns false when
// the cipher is not to be had.
bool etherws_start_tls_records(struct etherws_tls_records *records, enum etherws_suite suite, const uint8_t *key,
                               const uint8_t *iv, uint64_t sequence, bool is_sealing,
                               const struct etherws_ipsec_mb *library);

// Forgets the key. Again is no harm.
void etherws_end_tls_records(struct etherws_tls_records *records);

// Opens whole records from `from`, and puts application data to `to`, one piece behind the other; the places do not
// overlap. Returns 0 when no whole record is left, or no room for it; ETHERWS_ALERT or ETHERWS_HANDSHAKE behind a
// record of those, whose content it leaves to the caller; or a fatal alert, negative. Behind that nothing is opened.
int etherws_open_tls_records(struct etherws_tls_records *records, const uint8_t *from, size_t length, uint8_t *to,
                             size_t room, struct etherws_opened *opened);

// How long so much content is in records that are as long as may be.
size_t etherws_sealed_bytes(size_t length);

// Seals content of a type; `to` has room for etherws_sealed_bytes and does not overlap it. Returns how many octets
// that were, or 0 when the cipher failed or the sequence numbers are used up.
size_t etherws_seal_tls_records(struct etherws_tls_records *records, uint8_t type, const uint8_t *from, size_t length,
                                uint8_t *to);

#endif
#endif

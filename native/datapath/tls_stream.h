// TLS 1.3 on a tunnel's stream: the keys of both directions, and ciphertext that is not opened yet. Records are opened in
// tls_ingress.c.
#ifndef ETHERWS_TLS_STREAM_H
#define ETHERWS_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct datapath;
struct etherws_tls_records;

struct tls_stream {
  struct etherws_tls_records *opening;  // owned by the host, which keeps both alive while they are set here
  struct etherws_tls_records *sealing;
  uint64_t records_a_key;    // the most records that may be sealed under one key (RFC 8446, 5.5)
  bool is_update_requested;  // the peer's key has reached its limit, and the peer was asked to update it
  uint8_t *carried;          // ciphertext that is not opened yet: a part of a record, or octets read before the tunnel
  size_t carried_bytes;
  bool is_inside_a_message;  // inside a handshake message: application data is an error (RFC 8446, 5.1)
  bool has_data;             // application data came since the last call of host_record
};

// Keeps ciphertext until it can be opened. Returns false without memory, or above the buffer budget.
bool tls_stream_carry(struct datapath *datapath, struct tls_stream *tls, const uint8_t *bytes, size_t length);

// Replaces the keys.
void tls_stream_set_keys(struct tls_stream *tls, struct etherws_tls_records *opening,
                         struct etherws_tls_records *sealing);

// The most content that is sealed in one call: fifteen records of 16 KiB.
enum { SEALED_PIECE_BYTES = 15 << 14 };

// A buffer for SEALED_PIECE_BYTES of sealed content; NULL without memory. Valid until the next message is sealed.
uint8_t *tls_stream_block(struct datapath *datapath);

// The length of the records for so much content.
size_t tls_stream_sealed_bytes(size_t length);

// Whether our key has sealed as many records as it may.
bool tls_stream_is_worn(const struct tls_stream *tls);

// Seals content of a type. Returns the length of the records, or 0 when the cipher failed.
size_t tls_stream_seal_content(struct tls_stream *tls, uint8_t type, const uint8_t *content, size_t length,
                               uint8_t *to);

// Seals a message of the fast path. Returns the records, which stay in tls_stream_block until the next call. NULL: the
// bridge has to take the frames, because the key has reached its limit, the message is too long, or the cipher failed.
const uint8_t *tls_stream_seal(struct datapath *datapath, struct tls_stream *tls, const uint8_t *message, size_t length,
                               size_t *sealed_bytes);

void tls_stream_free(struct datapath *datapath, struct tls_stream *tls);

#endif

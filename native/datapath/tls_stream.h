// TLS 1.3 on a tunnel's stream: the keys of both directions, and ciphertext that is not opened yet. tls_ingress.h reads.
#ifndef ETHERWS_TLS_STREAM_H
#define ETHERWS_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct datapath;
struct etherws_tls_records;

struct tls_stream {
  struct etherws_tls_records *opening;  // the host's, which keeps them as long as they stand here
  struct etherws_tls_records *sealing;
  uint64_t records_a_key;    // as many records may be sealed under a key (RFC 8446, 5.5)
  bool is_update_requested;  // of the peer's key, which has sealed as many records as it may
  uint8_t *carried;          // ciphertext that is not opened yet: less than a record
  size_t carried_bytes;
  bool is_inside_a_message;  // of the handshake: no data may come now (RFC 8446, 5.1)
  bool has_data;             // since the host was last told of a record
};

// Keeps ciphertext until it can be opened. Returns false without memory, or where no more may be held.
bool tls_stream_carry(struct datapath *datapath, struct tls_stream *tls, const uint8_t *bytes, size_t length);

// Goes on under these keys.
void tls_stream_set_keys(struct tls_stream *tls, struct etherws_tls_records *opening,
                         struct etherws_tls_records *sealing);

// What is sealed at once, at most: fifteen records.
enum { SEALED_PIECE_BYTES = 15 << 14 };

// A place for SEALED_PIECE_BYTES of content, sealed; NULL without memory.
uint8_t *tls_stream_block(struct datapath *datapath);

// How long the records of so much content are.
size_t tls_stream_sealed_bytes(size_t length);

// Whether the key has sealed as many records as it may.
bool tls_stream_is_worn(const struct tls_stream *tls);

// Seals content of a type. Returns the records' length, or 0 when the cipher failed.
size_t tls_stream_seal_content(struct tls_stream *tls, uint8_t type, const uint8_t *content, size_t length,
                               uint8_t *to);

// Seals a message that is forwarded. Returns the records, which stay in tls_stream_block until the next call; NULL when
// the bridge has to take it: the key is worn, the message is too long, or the cipher failed.
const uint8_t *tls_stream_seal(struct datapath *datapath, struct tls_stream *tls, const uint8_t *message, size_t length,
                               size_t *sealed_bytes);

void tls_stream_free(struct datapath *datapath, struct tls_stream *tls);

#endif

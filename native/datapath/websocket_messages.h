// WebSocket messages (RFC 6455, 5) in C: what src/wire/websocket/framing.ts and parser.ts say in TypeScript,
// for the two things that happen once a frame. Nothing here knows Node-API, allocates, or believes a length that it
// has not compared.
#ifndef ETHERWS_MESSAGES_H
#define ETHERWS_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  ETHERWS_KEY_BYTES = 4,
  ETHERWS_MAX_MESSAGE_HEADER_BYTES = 14,
};

// to[i] = from[i] ^ key[i % 4]; the same place, or places that do not overlap.
void etherws_mask(uint8_t *to, const uint8_t *from, size_t length, const uint8_t key[ETHERWS_KEY_BYTES]);

// Where messages lie.
struct etherws_messages {
  uint32_t *starts;
  uint32_t *lengths;
  uint32_t count;
  uint32_t capacity;
};

// Reads whole, unfragmented binary messages from `from` on, unmasks them in place when they must be masked, and notes
// where their payloads lie. Returns the position of the first octet that is not part of one: of a message that is not
// all there, of any other kind, longer than `most`, or against the rules. Judging it is the caller's business.
size_t etherws_read_messages(uint8_t *bytes, size_t from, size_t end, bool is_masked, size_t most,
                             struct etherws_messages *found);

// Whether what is left in [from, end) is the beginning of a binary message that etherws_read_messages will take once all
// of it is there, or nothing at all.
bool etherws_awaits_more(const uint8_t *bytes, size_t from, size_t end, bool is_masked, size_t most);

// Adds the frames of a message of the batched wire (docs/reference/protocol.md) to `found`; ten octets of offload header stand in
// front of each. Returns false, and adds none, when the message is of another type, breaks the protocol, or is more than
// there is room for.
bool etherws_read_batch(const uint8_t *bytes, uint32_t start, uint32_t length, struct etherws_messages *found);

// Writes one binary message with `length` octets of payload, padded by zeros to `padded`. `key` is NULL for a server.
// The caller has made room for the padded payload and ETHERWS_MAX_MESSAGE_HEADER_BYTES. Returns how many octets it took.
size_t etherws_write_message(uint8_t *to, const uint8_t *payload, size_t length, size_t padded, const uint8_t *key);

// Frames for a message of the batched wire (docs/reference/protocol.md): frame indexes[i], or i
// without indexes, is bytes[starts .. starts + lengths), and
// behind ten octets of offload header where has_offload_headers says so.
struct etherws_batch {
  const uint8_t *bytes;
  const uint32_t *starts;
  const uint32_t *lengths;
  const uint32_t *indexes;
  uint32_t count;
  bool has_offload_headers;
};

// How many octets of payload the message of these records has.
size_t etherws_batch_bytes(const struct etherws_batch *records);

// Makes frames that lie one behind the other, with fourteen octets to spare in front of each, their offload header in the
// last ten, into one binary message as they lie, masked in one pass; what lies in front of the first is overwritten.
// Returns where it begins, and its length in `length`; or NULL, and nothing is changed, when they do not lie so or there
// is no room for the message's header and four octets in front of them.
uint8_t *etherws_wrap_batch(uint8_t *bytes, const struct etherws_batch *records, const uint8_t *key, size_t *length);

// Undoes the masking of such a message, so that the frames are again what they were.
void etherws_unwrap_batch(uint8_t *message, size_t length);

// Writes them as one binary message, copying and masking in one pass. `key` is NULL for a server. The caller has made
// room for etherws_batch_bytes and ETHERWS_MAX_MESSAGE_HEADER_BYTES. Returns how many octets it took.
size_t etherws_write_batch(uint8_t *to, const struct etherws_batch *records, const uint8_t *key);

#endif

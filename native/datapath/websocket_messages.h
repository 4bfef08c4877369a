// WebSocket messages (RFC 6455, 5) in C: the parts of src/wire/websocket/framing.ts and parser.ts that run once a frame.
// Nothing here allocates. Each length is compared with the octets that are there before it is used.
#ifndef ETHERWS_MESSAGES_H
#define ETHERWS_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  ETHERWS_KEY_BYTES = 4,
  ETHERWS_MAX_MESSAGE_HEADER_BYTES = 14,
};

// Masks (RFC 6455, 5.3): to[i] = from[i] ^ key[i % 4]. `to` equals `from`, or does not overlap it.
void etherws_mask(uint8_t *to, const uint8_t *from, size_t length, const uint8_t key[ETHERWS_KEY_BYTES]);

// A list of payloads: payload i is [starts[i], starts[i] + lengths[i]).
struct etherws_messages {
  uint32_t *starts;
  uint32_t *lengths;
  uint32_t count;
  uint32_t capacity;
};

// Parses complete, unfragmented binary messages from `from` on, unmasks them in place if is_masked, and lists their payloads.
// Returns the position of the first octet that belongs to none of them: of an incomplete message, another kind of message,
// one longer than `most`, or one that breaks the protocol. The caller handles that.
size_t etherws_read_messages(uint8_t *bytes, size_t from, size_t end, bool is_masked, size_t most,
                             struct etherws_messages *found);

// Whether [from, end) is empty, or the beginning of a message that etherws_read_messages takes once it is complete.
bool etherws_awaits_more(const uint8_t *bytes, size_t from, size_t end, bool is_masked, size_t most);

// Lists the frames of a message of the batched wire (docs/reference/protocol.md); each has ten octets of offload header in
// front of it. Returns false, and lists none, when the message has another type, breaks the protocol, or has more frames
// than `found` has room for.
bool etherws_read_batch(const uint8_t *bytes, uint32_t start, uint32_t length, struct etherws_messages *found);

// Writes one binary message with `length` octets of payload, padded with zeros to `padded`. `key`: NULL: not masked. `to`
// has room for the padded payload and ETHERWS_MAX_MESSAGE_HEADER_BYTES. Returns the length of the message.
size_t etherws_write_message(uint8_t *to, const uint8_t *payload, size_t length, size_t padded, const uint8_t *key);

// Frames for a message of the batched wire (docs/reference/protocol.md). Frame k is bytes[starts[k] .. starts[k] + lengths[k]);
// k runs through indexes[0 .. count), or through 0 .. count where that is NULL. With has_offload_headers each frame has ten
// octets of offload header in front of it.
struct etherws_batch {
  const uint8_t *bytes;
  const uint32_t *starts;
  const uint32_t *lengths;
  const uint32_t *indexes;
  uint32_t count;
  bool has_offload_headers;
};

// The length of the payload of the message with these records.
size_t etherws_batch_bytes(const struct etherws_batch *records);

// Turns adjacent frames into one binary message in place, masked in one pass. Each frame needs fourteen octets in front of
// it: four free ones and its offload header. The octets in front of the first frame are overwritten. Returns the start of
// the message, and its length in `length`. NULL, and nothing is changed: the frames are not adjacent, or there is no room
// for the header in front of them.
uint8_t *etherws_wrap_batch(uint8_t *bytes, const struct etherws_batch *records, const uint8_t *key, size_t *length);

// Unmasks such a message, so that the frames are as before.
void etherws_unwrap_batch(uint8_t *message, size_t length);

// Writes the frames as one binary message, copied and masked in one pass. `key`: NULL: not masked. `to` has room for
// etherws_batch_bytes and ETHERWS_MAX_MESSAGE_HEADER_BYTES. Returns the length of the message.
size_t etherws_write_batch(uint8_t *to, const struct etherws_batch *records, const uint8_t *key);

#endif

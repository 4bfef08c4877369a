#include "websocket_messages.h"

#include <string.h>

enum { BINARY = 0x82, MASKED = 0x80, LENGTH_16 = 126, LENGTH_64 = 127 };

// The batched wire (docs/reference/protocol.md): the type of a message of frames, the length of its head, and the parts
// of the record header in front of each frame.
enum {
  TYPE_FRAMES = 0x01,
  RECORDS_HEAD_BYTES = 4,
  RECORD_LENGTH_BYTES = 4,
  OFFLOAD_HEADER_BYTES = 10,
  MAX_RECORD_BYTES = 65535 + 14 + 8
};

// 32 octets, as the registers of AVX2. For other processors the compiler makes two registers of 16 octets of it.
typedef uint32_t vector __attribute__((vector_size(32)));

// Always inlined, so that it is compiled once with AVX2, and once without.
static inline __attribute__((always_inline)) void mask(uint8_t *to, const uint8_t *from, size_t length,
                                                       const uint8_t key[ETHERWS_KEY_BYTES]) {
  uint32_t word;
  memcpy(&word, key, sizeof word);
  const vector wide = {word, word, word, word, word, word, word, word};
  size_t at = 0;
  for (; at + sizeof wide <= length; at += sizeof wide) {
    vector octets;
    memcpy(&octets, from + at, sizeof octets);
    octets ^= wide;
    memcpy(to + at, &octets, sizeof octets);
  }
  for (; at < length; at++) to[at] = from[at] ^ key[at & 3];
}

#ifdef __x86_64__
// Tested at run time, since a prebuilt addon must also run on processors without AVX2.
__attribute__((target("avx2"))) static void mask_avx2(uint8_t *to, const uint8_t *from, size_t length,
                                                      const uint8_t key[ETHERWS_KEY_BYTES]) {
  mask(to, from, length, key);
}
#define HAS_AVX2() __builtin_cpu_supports("avx2")
#else
#define mask_avx2 mask
#define HAS_AVX2() 0
#endif

void etherws_mask(uint8_t *to, const uint8_t *from, size_t length, const uint8_t key[ETHERWS_KEY_BYTES]) {
  if (HAS_AVX2()) mask_avx2(to, from, length, key);
  else mask(to, from, length, key);
}

size_t etherws_read_messages(uint8_t *bytes, size_t from, size_t end, bool is_masked, size_t most,
                             struct etherws_messages *found) {
  const size_t key_bytes = is_masked ? ETHERWS_KEY_BYTES : 0;
  while (found->count < found->capacity && end - from >= 2) {
    const uint8_t *head = bytes + from;
    if (head[0] != BINARY || ((head[1] & MASKED) != 0) != is_masked) break;
    size_t length = head[1] & 0x7f, header = 2;
    if (length == LENGTH_16) {
      if (end - from < 4) break;
      length = (size_t)head[2] << 8 | head[3];
      header = 4;
      if (length < LENGTH_16) break;
    } else if (length == LENGTH_64) {
      if (end - from < 10) break;
      length = 0;
      for (int i = 2; i < 10; i++) length = length << 8 | head[i];
      header = 10;
      if (length < 0x10000) break;
    }
    if (length > most || end - from - header < key_bytes || end - from - header - key_bytes < length) break;
    uint8_t *payload = bytes + from + header + key_bytes;
    if (is_masked) {
      uint8_t key[ETHERWS_KEY_BYTES];
      memcpy(key, payload - ETHERWS_KEY_BYTES, sizeof key);
      etherws_mask(payload, payload, length, key);
    }
    found->starts[found->count] = (uint32_t)(payload - bytes);
    found->lengths[found->count++] = (uint32_t)length;
    from = (size_t)(payload - bytes) + length;
  }
  return from;
}

bool etherws_awaits_more(const uint8_t *bytes, size_t from, size_t end, bool is_masked, size_t most) {
  const uint8_t *head = bytes + from;
  size_t left = end - from;
  if (left == 0) return true;
  if (head[0] != BINARY) return false;
  if (left == 1) return true;
  if (((head[1] & MASKED) != 0) != is_masked) return false;
  size_t length = head[1] & 0x7f, header = 2;
  if (length == LENGTH_16) {
    if (left < 4) return true;
    length = (size_t)head[2] << 8 | head[3];
    header = 4;
    if (length < LENGTH_16) return false;
  } else if (length == LENGTH_64) {
    if (left < 10) return true;
    length = 0;
    for (int i = 2; i < 10; i++) length = length << 8 | head[i];
    header = 10;
    if (length < 0x10000) return false;
  }
  if (is_masked) header += ETHERWS_KEY_BYTES;
  return length <= most && (left < header || left - header < length);
}

bool etherws_read_batch(const uint8_t *bytes, uint32_t start, uint32_t length, struct etherws_messages *found) {
  const uint32_t end = start + length, before = found->count;
  if (length < RECORDS_HEAD_BYTES || bytes[start] != TYPE_FRAMES) return false;
  for (uint32_t at = start + RECORDS_HEAD_BYTES; at < end;) {
    const uint8_t *lead = bytes + at;
    bool has_lead = end - at >= RECORD_LENGTH_BYTES + OFFLOAD_HEADER_BYTES && found->count < found->capacity;
    at += RECORD_LENGTH_BYTES + OFFLOAD_HEADER_BYTES;
    uint32_t frame_bytes = has_lead ? (uint32_t)lead[0] << 24 | lead[1] << 16 | lead[2] << 8 | lead[3] : 0;
    if (!has_lead || frame_bytes > MAX_RECORD_BYTES || frame_bytes > end - at) {
      found->count = before;
      return false;
    }
    found->starts[found->count] = at;
    found->lengths[found->count++] = frame_bytes;
    at += frame_bytes;
  }
  return true;
}

// The length of the header of a binary message, with its key.
static size_t header_bytes(size_t length, bool is_masked) {
  const size_t plain = length < LENGTH_16 ? 2 : length < 0x10000 ? 4 : 10;
  return plain + (is_masked ? ETHERWS_KEY_BYTES : 0);
}

// Writes the header of a binary message, with the key behind it. Returns the position behind both.
static uint8_t *write_header(uint8_t *at, size_t length, const uint8_t *key) {
  const uint8_t masked = key != NULL ? MASKED : 0;
  *at++ = BINARY;
  if (length < LENGTH_16) {
    *at++ = masked | (uint8_t)length;
  } else if (length < 0x10000) {
    *at++ = masked | LENGTH_16;
    *at++ = (uint8_t)(length >> 8);
    *at++ = (uint8_t)length;
  } else {
    *at++ = masked | LENGTH_64;
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (uint8_t)((uint64_t)length >> shift);
  }
  if (key != NULL) memcpy(at, key, ETHERWS_KEY_BYTES);
  return key != NULL ? at + ETHERWS_KEY_BYTES : at;
}

size_t etherws_write_message(uint8_t *to, const uint8_t *payload, size_t length, size_t padded, const uint8_t *key) {
  uint8_t *at = write_header(to, padded, key);
  if (key == NULL) {
    memcpy(at, payload, length);
    memset(at + length, 0, padded - length);
  } else {
    etherws_mask(at, payload, length, key);
    // A pad of zeros, masked, is the key.
    for (size_t i = length; i < padded; i++) at[i] = key[i & 3];
  }
  return (size_t)(at - to) + padded;
}

static uint32_t record_index(const struct etherws_batch *records, uint32_t i) {
  return records->indexes != NULL ? records->indexes[i] : i;
}

size_t etherws_batch_bytes(const struct etherws_batch *records) {
  size_t bytes = RECORDS_HEAD_BYTES;
  for (uint32_t i = 0; i < records->count; i++) {
    bytes += RECORD_LENGTH_BYTES + OFFLOAD_HEADER_BYTES + records->lengths[record_index(records, i)];
  }
  return bytes;
}

// A payload that is written in pieces. The mask of a piece continues where that of the piece before it ended.
struct payload {
  uint8_t *start;
  uint8_t *at;
  const uint8_t *key;
};

static void append(struct payload *payload, const uint8_t *from, size_t length) {
  if (payload->key == NULL) {
    memcpy(payload->at, from, length);
  } else {
    uint8_t key[ETHERWS_KEY_BYTES];
    size_t phase = (size_t)(payload->at - payload->start);
    for (size_t i = 0; i < sizeof key; i++) key[i] = payload->key[(phase + i) & 3];
    etherws_mask(payload->at, from, length, key);
  }
  payload->at += length;
}

size_t etherws_write_batch(uint8_t *to, const struct etherws_batch *records, const uint8_t *key) {
  static const uint8_t no_header[OFFLOAD_HEADER_BYTES], head[RECORDS_HEAD_BYTES] = {TYPE_FRAMES};
  uint8_t *start = write_header(to, etherws_batch_bytes(records), key);
  struct payload payload = {start, start, key};
  append(&payload, head, sizeof head);
  for (uint32_t i = 0; i < records->count; i++) {
    uint32_t index = record_index(records, i), length = records->lengths[index];
    const uint8_t *frame = records->bytes + records->starts[index];
    const uint8_t announced[RECORD_LENGTH_BYTES] = {length >> 24, length >> 16, length >> 8, length};
    append(&payload, announced, sizeof announced);
    if (records->has_offload_headers) {
      append(&payload, frame - OFFLOAD_HEADER_BYTES, OFFLOAD_HEADER_BYTES + length);
    } else {
      append(&payload, no_header, sizeof no_header);
      append(&payload, frame, length);
    }
  }
  return (size_t)(payload.at - to);
}

uint8_t *etherws_wrap_batch(uint8_t *bytes, const struct etherws_batch *records, const uint8_t *key, size_t *length) {
  const uint32_t lead = RECORD_LENGTH_BYTES + OFFLOAD_HEADER_BYTES;
  uint32_t first = records->starts[record_index(records, 0)], end = first;
  if (!records->has_offload_headers || first < lead + RECORDS_HEAD_BYTES) return NULL;
  for (uint32_t i = 0; i < records->count; i++) {
    uint32_t index = record_index(records, i);
    if (i > 0 && records->starts[index] != end + lead) return NULL;
    end = records->starts[index] + records->lengths[index];
  }
  uint8_t *payload = bytes + first - lead - RECORDS_HEAD_BYTES;
  size_t payload_bytes = (size_t)(bytes + end - payload);
  size_t header = header_bytes(payload_bytes, key != NULL);
  if ((size_t)(payload - bytes) < header) return NULL;
  for (uint32_t i = 0; i < records->count; i++) {
    uint32_t index = record_index(records, i), frame_bytes = records->lengths[index];
    uint8_t *at = bytes + records->starts[index] - lead;
    for (int shift = 24; shift >= 0; shift -= 8) *at++ = (uint8_t)(frame_bytes >> shift);
  }
  memset(payload, 0, RECORDS_HEAD_BYTES);
  *payload = TYPE_FRAMES;
  write_header(payload - header, payload_bytes, key);
  if (key != NULL) etherws_mask(payload, payload, payload_bytes, key);
  *length = header + payload_bytes;
  return payload - header;
}

void etherws_unwrap_batch(uint8_t *message, size_t length) {
  if ((message[1] & MASKED) == 0) return;
  size_t short_length = message[1] & 0x7f;
  size_t header = (short_length < LENGTH_16 ? 2 : short_length == LENGTH_16 ? 4 : 10) + ETHERWS_KEY_BYTES;
  uint8_t key[ETHERWS_KEY_BYTES];
  memcpy(key, message + header - ETHERWS_KEY_BYTES, sizeof key);
  etherws_mask(message + header, message + header, length - header, key);
}

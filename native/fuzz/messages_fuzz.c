// Feeds cut, spoiled and honest WebSocket messages to the message code, under the sanitizers:
//
//   cc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all native/fuzz/messages_fuzz.c native/websocket/*.c
//   ./a.out SEED CASES
//
// Every stream lies in a piece of memory of exactly its size, so that one octet too many shows.
#include <string.h>

#include "../websocket/messages.h"
#include "drive.h"

enum { MOST_MESSAGES = 6, MOST_PAYLOAD = 70000, MOST = 66000 };

static uint32_t any_length(void) {
  switch (below(8)) {
    case 0:
      return 120 + below(12);  // around the 16-bit length
    case 1:
      return 65530 + below(12);  // around the 64-bit one
    case 2:
      return below(MOST_PAYLOAD);
    default:
      return below(200);
  }
}

// Writes messages, and checks that an honest stream is read back as it was.
static void honest(void) {
  bool is_masked = below(2) == 0;
  uint32_t count = 1 + below(MOST_MESSAGES), lengths[MOST_MESSAGES], paddeds[MOST_MESSAGES];
  size_t size = 0;
  for (uint32_t i = 0; i < count; i++) {
    lengths[i] = any_length();
    paddeds[i] = lengths[i] < 60 ? 60 : lengths[i];
    size += ETHERWS_MAX_MESSAGE_HEADER_BYTES + paddeds[i];
  }
  uint8_t *stream = allocate(size), fill = (uint8_t)below(256);
  size_t end = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint8_t *payload = allocate(lengths[i]), key[ETHERWS_KEY_BYTES];
    memset(payload, fill, lengths[i]);
    for (int k = 0; k < ETHERWS_KEY_BYTES; k++) key[k] = (uint8_t)below(256);
    end += etherws_write_message(stream + end, payload, lengths[i], paddeds[i], is_masked ? key : NULL);
    free(payload);
  }
  size_t cut = below(2) == 0 ? end : below((uint32_t)end + 1);
  uint8_t *seen = allocate(cut);
  memcpy(seen, stream, cut);
  uint32_t starts[MOST_MESSAGES], found_lengths[MOST_MESSAGES];
  struct etherws_messages found = {starts, found_lengths, 0, MOST_MESSAGES};
  size_t stopped = etherws_read_messages(seen, 0, cut, is_masked, MOST_PAYLOAD, &found);
  require(stopped <= cut, "stopped behind the end");
  require(cut < end || (stopped == end && found.count == count), "an honest stream is not read to its end");
  for (uint32_t i = 0; i < found.count; i++) {
    require(found_lengths[i] == paddeds[i], "another length");
    for (uint32_t at = 0; at < paddeds[i]; at++) {
      require(seen[starts[i] + at] == (at < lengths[i] ? fill : 0), "another payload");
    }
  }
  free(seen);
  free(stream);
}

// Random octets that look like headers now and then: whatever is found lies in what there is.
static void hostile(void) {
  size_t size = below(300);
  uint8_t *stream = allocate(size);
  for (size_t i = 0; i < size; i++) stream[i] = below(3) == 0 ? 0x82 : (uint8_t)below(256);
  bool is_masked = below(2) == 0;
  uint32_t starts[MOST_MESSAGES], lengths[MOST_MESSAGES];
  struct etherws_messages found = {starts, lengths, 0, 1 + below(MOST_MESSAGES)};
  size_t from = below((uint32_t)size + 1), last = from;
  size_t stopped = etherws_read_messages(stream, from, size, is_masked, MOST, &found);
  require(stopped >= from && stopped <= size, "stopped outside");
  for (uint32_t i = 0; i < found.count; i++) {
    require(starts[i] > last && (size_t)starts[i] + lengths[i] <= stopped, "a message outside");
    last = (size_t)starts[i] + lengths[i];
  }
  free(stream);
}

// Records of the batched wire, out of a slab and into a place of exactly their sizes, are read back as they were.
static void records(void) {
  uint32_t count = 1 + below(MOST_MESSAGES), starts[MOST_MESSAGES], lengths[MOST_MESSAGES], indexes[MOST_MESSAGES];
  uint32_t front = below(2) == 0 ? 10 : 0;
  size_t size = 0;
  for (uint32_t i = 0; i < count; i++) {
    starts[i] = (uint32_t)size + front;
    lengths[i] = any_length();
    indexes[i] = count - 1 - i;
    size = starts[i] + lengths[i];
  }
  uint8_t *slab = allocate(size), key[ETHERWS_KEY_BYTES];
  for (size_t i = 0; i < size; i++) slab[i] = (uint8_t)below(256);
  for (int k = 0; k < ETHERWS_KEY_BYTES; k++) key[k] = (uint8_t)below(256);
  bool is_masked = below(2) == 0;
  struct etherws_batch written = {slab, starts, lengths, indexes, count, front != 0};
  size_t payload = etherws_batch_bytes(&written);
  size_t header = (payload < 126 ? 2 : payload < 65536 ? 4 : 10) + (is_masked ? ETHERWS_KEY_BYTES : 0);
  uint8_t *stream = allocate(header + payload);
  require(etherws_write_batch(stream, &written, is_masked ? key : NULL) == header + payload, "another size");
  uint32_t start, length;
  struct etherws_messages found = {&start, &length, 0, 1};
  require(etherws_read_messages(stream, 0, header + payload, is_masked, payload, &found) == header + payload,
          "records are not read to their end");
  require(start == header && length == payload && stream[header] == 1, "another message");
  const uint8_t *at = stream + header + 4;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t index = indexes[i];
    const uint8_t announced[4] = {lengths[index] >> 24, lengths[index] >> 16, lengths[index] >> 8, lengths[index]};
    const uint8_t none[10] = {0};
    require(memcmp(at, announced, 4) == 0, "another length of a record");
    require(memcmp(at + 4, front != 0 ? slab + starts[index] - 10 : none, 10) == 0, "another offload header");
    require(memcmp(at + 14, slab + starts[index], lengths[index]) == 0, "another frame");
    at += 14 + lengths[index];
  }
  free(stream);
  free(slab);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  unsigned long seed = strtoul(argv[1], NULL, 10), cases = strtoul(argv[2], NULL, 10);
  state = seed * 0x9e3779b97f4a7c15ull + 1;
  for (unsigned long i = 0; i < cases; i++) {
    if (i % 10 == 0) honest();
    else if (i % 10 == 1) records();
    else hostile();
  }
  printf("%lu cases with seed %lu\n", cases, seed);
}

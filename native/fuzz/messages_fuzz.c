// Feeds cut, spoiled and honest WebSocket messages to the message code, under the sanitizers:
//
//   cc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all native/fuzz/messages_fuzz.c native/datapath/websocket_messages.c
//   ./a.out SEED CASES
//
// Every stream lies in a piece of memory of exactly its size, so that one octet too many shows.
#include <string.h>

#include "../datapath/websocket_messages.h"
#include "drive.h"

enum { MOST_MESSAGES = 6, MOST_PAYLOAD = 70000, MOST = 66000 };

static uint32_t any_length(void) {
  switch (below(8)) {
    case 0: return 120 + below(12);    // around the 16-bit length
    case 1: return 65530 + below(12);  // around the 64-bit one
    case 2: return below(MOST_PAYLOAD);
    default: return below(200);
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

// Whether a stream that begins so may go on to be a message that is taken, by the words of RFC 6455, 5.2.
static bool is_beginning(const uint8_t *seen, size_t cut, bool is_masked) {
  static const size_t length_bytes[] = {0, 2, 8};
  if (cut == 0) return true;
  if (seen[0] != 0x82) return false;
  if (cut == 1) return true;
  if (seen[1] >= 128 ? !is_masked : is_masked) return false;
  uint8_t announced = seen[1] % 128;
  int kind = announced < 126 ? 0 : announced - 125;
  if (cut < 2 + length_bytes[kind]) return true;
  double length = announced;
  if (kind > 0) {
    length = 0;
    for (size_t i = 0; i < length_bytes[kind]; i++) length = length * 256 + seen[2 + i];
    if (length < (kind == 1 ? 126 : 65536)) return false;
  }
  return length <= MOST && (double)cut < 2 + (double)length_bytes[kind] + (is_masked ? 4 : 0) + length;
}

// etherws_awaits_more says whether only the far end has to go on, so that JavaScript need not look.
static void awaiting(void) {
  bool is_masked = below(2) == 0;
  uint32_t length = any_length(), cut;
  uint8_t *payload = allocate(length), key[ETHERWS_KEY_BYTES] = {1, 2, 3, 4};
  memset(payload, 7, length);
  uint8_t *stream = allocate((size_t)length + ETHERWS_MAX_MESSAGE_HEADER_BYTES);
  size_t end = etherws_write_message(stream, payload, length, length, is_masked ? key : NULL);
  for (uint32_t spoils = below(3); spoils > 0; spoils--)
    stream[below(end < 14 ? (uint32_t)end : 14)] = (uint8_t)below(256);
  cut = below(2) == 0 ? below(20) : below((uint32_t)end + 1);
  if (cut > end) cut = (uint32_t)end;
  uint8_t *seen = allocate(cut), *whole = allocate(end);
  memcpy(seen, stream, cut);
  memcpy(whole, stream, end);
  bool is_awaited = etherws_awaits_more(seen, 0, cut, is_masked, MOST);
  uint32_t start, found_length;
  struct etherws_messages found = {&start, &found_length, 0, 1};
  size_t stopped = etherws_read_messages(seen, 0, cut, is_masked, MOST, &found);
  require(!is_awaited || found.count == 0, "a whole message is awaited");
  require(is_awaited == is_beginning(stream, cut, is_masked), "another opinion of a beginning");
  if (found.count == 0) {
    require(stopped == 0 && memcmp(seen, stream, cut) == 0, "octets of a message that is not whole have changed");
    bool is_taken = etherws_read_messages(whole, 0, end, is_masked, MOST, &found) > 0;
    require(!is_taken || is_awaited, "a beginning was not known as one");
  }
  free(whole);
  free(seen);
  free(stream);
  free(payload);
}

// Says for one message of the batched wire what etherws_read_batch should, by the words of docs/reference/protocol.md.
static bool batch_is_good(const uint8_t *message, uint32_t length, uint32_t capacity, uint32_t *starts,
                          uint32_t *lengths, uint32_t *count) {
  *count = 0;
  if (length < 4 || message[0] != 1) return false;
  uint64_t at = 4;
  while (at != length) {
    if (at + 14 > length || *count == capacity) return false;
    uint64_t frame_bytes = 0;
    for (int i = 0; i < 4; i++) frame_bytes = frame_bytes * 256 + message[at + (uint64_t)i];
    if (frame_bytes > 65535 + 22 || at + 14 + frame_bytes > length) return false;
    starts[*count] = (uint32_t)at + 14;
    lengths[(*count)++] = (uint32_t)frame_bytes;
    at += 14 + frame_bytes;
  }
  return true;
}

// Messages of the batched wire, spoiled and cut, behind octets that are none of theirs.
static void batches(void) {
  enum { MOST_FRAMES = 12 };
  uint32_t front = below(30), count = below(MOST_FRAMES), length = 4;
  uint8_t *message = allocate(4 + MOST_FRAMES * 14 + MOST_FRAMES * 80);
  memcpy(message, (const uint8_t[]){1, 0, 0, 0}, 4);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t frame_bytes = below(80);
    memset(message + length, 0, 14 + frame_bytes);
    message[length + 3] = (uint8_t)frame_bytes;
    length += 14 + frame_bytes;
  }
  if (below(3) == 0) message[below(length)] = (uint8_t)below(256);
  if (below(3) == 0) length = below(length + 1);
  uint8_t *slab = allocate(front + length);
  memset(slab, 1, front);
  memcpy(slab + front, message, length);
  uint32_t starts[MOST_FRAMES + 2], lengths[MOST_FRAMES + 2], expected_starts[MOST_FRAMES],
      expected_lengths[MOST_FRAMES];
  uint32_t already = below(3), room = below(4) == 0 ? below(MOST_FRAMES) : MOST_FRAMES, expected_count;
  bool is_good = batch_is_good(message, length, room, expected_starts, expected_lengths, &expected_count);
  struct etherws_messages found = {starts, lengths, already, already + room};
  bool is_read = etherws_read_batch(slab, front, length, &found);
  require(is_read == is_good, "another opinion of a batch");
  require(found.count == already + (is_good ? expected_count : 0), "another number of frames");
  for (uint32_t i = 0; i < (is_good ? expected_count : 0); i++) {
    require(starts[already + i] == front + expected_starts[i] && lengths[already + i] == expected_lengths[i],
            "another frame");
  }
  free(slab);
  free(message);
}

// A batch that is made where its frames lie is what is written elsewhere; undone, the frames are what they were.
static void wrapping(void) {
  uint32_t count = 1 + below(MOST_MESSAGES), starts[MOST_MESSAGES], lengths[MOST_MESSAGES];
  bool has_gap = below(8) == 0, is_masked = below(2) == 0;
  uint32_t front = below(2) == 0 ? below(40) : 32 + below(40), size = front;
  for (uint32_t i = 0; i < count; i++) {
    starts[i] = i == 0 ? size : size + 14 + (has_gap && i == 1);
    lengths[i] = any_length();
    size = starts[i] + lengths[i];
  }
  uint8_t *slab = allocate(size), *before = allocate(size), key[ETHERWS_KEY_BYTES];
  for (uint32_t i = 0; i < size; i++) slab[i] = (uint8_t)below(256);
  for (int k = 0; k < ETHERWS_KEY_BYTES; k++) key[k] = (uint8_t)below(256);
  memcpy(before, slab, size);
  bool has_headers = below(8) != 0 && front >= 10;
  struct etherws_batch batch = {slab, starts, lengths, NULL, count, has_headers};
  uint8_t *expected = allocate(etherws_batch_bytes(&batch) + ETHERWS_MAX_MESSAGE_HEADER_BYTES);
  size_t expected_length = etherws_write_batch(expected, &batch, is_masked ? key : NULL), length;
  // The message's header, its head of four octets, and what stands in front of the first frame's offload header.
  uint32_t wanted = (uint32_t)(expected_length - etherws_batch_bytes(&batch)) + 18;
  uint8_t *message = etherws_wrap_batch(slab, &batch, is_masked ? key : NULL, &length);
  if (message == NULL) {
    require(!has_headers || front < wanted || (has_gap && count > 1), "frames that lie right are not wrapped");
    require(memcmp(slab, before, size) == 0, "octets have changed for nothing");
  } else {
    require(has_headers && front >= wanted && !(has_gap && count > 1), "frames that do not lie right are wrapped");
    require(message >= slab && message + length == slab + size, "a message outside of its slab");
    require(length == expected_length && memcmp(message, expected, length) == 0, "another message");
    etherws_unwrap_batch(message, length);
    for (uint32_t i = 0; i < count; i++) {
      require(memcmp(slab + starts[i] - 10, before + starts[i] - 10, 10 + lengths[i]) == 0,
              "a frame is not what it was");
    }
  }
  free(expected);
  free(before);
  free(slab);
}

static void begin_run(void) {}

static void run_case(unsigned long number) {
  if (number % 10 == 0) honest();
  else if (number % 10 == 1) records();
  else if (number % 10 == 2) awaiting();
  else if (number % 10 < 5) batches();
  else if (number % 50 == 5) wrapping();
  else hostile();
}

static void check_run(unsigned long cases) { (void)cases; }

// Feeds honest, cut, spoiled and made-up TLS records to the record layer, under the sanitizers:
//
//   cc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -I INCLUDE native/fuzz/records_fuzz.c
//      native/datapath/tls_records.c native/crypto/*.c -l:libcrypto.so.3
//   ./a.out SEED CASES
//
// Everything lies in a piece of memory of exactly its size, so that one octet too many shows.
#include <string.h>

#include "../datapath/tls_records.h"
#include "drive.h"

static void start(struct etherws_tls_records *opening, struct etherws_tls_records *sealing) {
  uint8_t key[ETHERWS_MAX_RECORD_KEY_BYTES], iv[ETHERWS_IV_BYTES];
  enum etherws_suite suite = (enum etherws_suite)below(ETHERWS_SUITES);
  for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)below(256);
  for (size_t i = 0; i < sizeof iv; i++) iv[i] = (uint8_t)below(256);
  // Each by itself: what one seals the other has to open.
  const struct etherws_ipsec_mb *library = etherws_load_ipsec_mb();
  uint64_t sequence = (uint64_t)below(3) << 32 | below(1000);
  require(etherws_start_tls_records(opening, suite, key, iv, sequence, false, below(2) == 0 ? library : NULL),
          "no opening");
  require(etherws_start_tls_records(sealing, suite, key, iv, sequence, true, below(2) == 0 ? library : NULL),
          "no sealing");
}

static size_t any_length(void) {
  switch (below(4)) {
    case 0: return below(4);
    case 1: return ETHERWS_MAX_CONTENT_BYTES - 2 + below(5);
    case 2: return below(3 * ETHERWS_MAX_CONTENT_BYTES);
    default: return below(600);
  }
}

// Opens a stream bit by bit. Returns the last status, and how much came out, into memory of just the room that it gets.
static int open_all(struct etherws_tls_records *opening, const uint8_t *stream, size_t length, uint8_t *data,
                    size_t *data_length) {
  size_t at = 0, had = 0;
  *data_length = 0;
  while (true) {
    size_t more = length - had < 20 || below(3) == 0 ? length - had : below((uint32_t)(length - had) + 1);
    had += more;
    size_t size = had - at, room = below(4) == 0 ? below(3 * ETHERWS_MAX_CONTENT_BYTES) : size;
    uint8_t *from = allocate(size), *to = allocate(room);
    memcpy(from, stream + at, size);
    struct etherws_opened opened;
    int status = etherws_open_tls_records(opening, from, size, to, room, &opened);
    require(opened.consumed <= size, "consumed more than there was");
    require(opened.produced + opened.content <= room, "more came out than there was room for");
    require(opened.produced + opened.content <= opened.consumed, "more came out than went in");
    if (data != NULL) memcpy(data + *data_length, to, opened.produced);
    *data_length += opened.produced;
    at += opened.consumed;
    free(from);
    free(to);
    if (status < 0) return status;
    if (had == length && opened.consumed == 0 && room >= size) return status;
  }
}

static void honest_or_spoiled(void) {
  struct etherws_tls_records opening, sealing;
  start(&opening, &sealing);
  size_t length = any_length(), size = etherws_sealed_bytes(length), opened;
  uint8_t *content = allocate(length), *stream = allocate(size), *data = allocate(length);
  for (size_t i = 0; i < length; i += 1 + below(50)) content[i] = (uint8_t)below(256);
  require(etherws_seal_tls_records(&sealing, ETHERWS_APPLICATION_DATA, content, length, stream) == size,
          "another size");
  bool is_spoiled = below(2) == 0 && size > 0;
  if (is_spoiled) {
    if (below(3) == 0) {
      stream[below(5)] ^= (uint8_t)(1 + below(255));  // the first header
    } else {
      stream[below((uint32_t)size)] ^= (uint8_t)(1 << below(8));
    }
  }
  int status = open_all(&opening, stream, size, data, &opened);
  require(opened <= length && memcmp(data, content, opened) == 0, "other data");
  if (is_spoiled) require(opened < length, "what was spoiled came out");
  else require(status == 0 && opened == length, "what was honest did not come out");
  free(data);
  free(stream);
  free(content);
  etherws_end_tls_records(&opening);
  etherws_end_tls_records(&sealing);
  etherws_end_tls_records(&sealing);
}

// Records whose content the peer chose: types, emptiness, order.
static void made_up(void) {
  struct etherws_tls_records opening, sealing;
  start(&opening, &sealing);
  size_t count = below(60), end = 0, opened;
  uint8_t *stream = allocate((size_t)60 * 128);
  for (size_t i = 0; i < count; i++) {
    uint8_t content[64];
    size_t length = 1 + below(sizeof content);
    for (size_t k = 0; k < length; k++) content[k] = below(2) == 0 ? 0 : (uint8_t)below(256);
    uint8_t type = below(4) == 0 ? (uint8_t)below(256) : (uint8_t)(20 + below(5));
    end += etherws_seal_tls_records(&sealing, type, content, length, stream + end);
  }
  uint8_t *exact = allocate(end);
  memcpy(exact, stream, end);
  open_all(&opening, exact, end, NULL, &opened);
  free(exact);
  free(stream);
  etherws_end_tls_records(&opening);
  etherws_end_tls_records(&sealing);
}

static void hostile(void) {
  struct etherws_tls_records opening, sealing;
  start(&opening, &sealing);
  size_t size = below(400), opened;
  uint8_t *stream = allocate(size);
  for (size_t i = 0; i < size; i++) stream[i] = (uint8_t)(below(2) == 0 ? below(256) : i % 5 == 0 ? 23 : 0);
  open_all(&opening, stream, size, NULL, &opened);
  require(opened == 0, "data out of nothing");
  free(stream);
  etherws_end_tls_records(&opening);
  etherws_end_tls_records(&sealing);
}

static void begin_run(void) {}

static void run_case(unsigned long number) {
  if (number % 4 == 0) honest_or_spoiled();
  else if (number % 4 == 1) made_up();
  else hostile();
}

static void check_run(unsigned long cases) { (void)cases; }

// Follows shortcuts with runs of honest, lying and mixed frames, under the sanitizers:
//
//   cc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all native/fuzz/shortcuts_fuzz.c native/shortcuts/*.c native/offload/*.c
//   ./a.out SEED CASES
//
// Every run lies in a piece of memory of exactly its size, so that one octet too many shows. What is let through is
// judged a second time, by a list of all shortcuts that were made.
#include <string.h>

#include "../offload/octets.h"
#include "../offload/offload.h"
#include "../shortcuts/shortcuts.h"
#include "drive.h"

enum {
  HEADER = ETHERWS_OFFLOAD_HEADER_BYTES,
  MOST_WAYS = 40,
  MOST_FRAMES = 6,
  PORTS = 500,
  MOST_OCTETS = 65535 + 14 + 8
};

static bool one_in(uint32_t chances) { return below(chances) == 0; }

struct made {
  struct etherws_shortcut way;
  uint8_t stations[ETHERWS_STATIONS_BYTES];
};

static struct etherws_shortcuts shortcuts;
static struct made made[MOST_WAYS];
static uint32_t made_count;
static int ports[PORTS];
static unsigned long passed, refused;

// 0x8100, and what stands in it; zeros without.
static void stations_of(const uint8_t *frame, uint32_t length, uint8_t *to) {
  memset(to, 0, ETHERWS_STATIONS_BYTES);
  memcpy(to, frame, 12);
  if (length >= 16 && frame[12] == 0x81 && frame[13] == 0x00) memcpy(to + 12, frame + 12, 4);
}

// A frame of TCP over IPv4, or of no known kind, between few stations; its offload header in front.
static uint32_t build(uint8_t *offload, bool has_header) {
  uint8_t *frame = offload + HEADER;
  memset(offload, 0, HEADER);
  uint32_t payload = one_in(100) ? 60000 : below(300), tag = one_in(3) ? 4 : 0;
  uint32_t length = ETHERNET_HEADER_BYTES + tag + IPV4_HEADER_BYTES + TCP_HEADER_BYTES + payload;
  memset(frame, 0, length);
  frame[5] = (uint8_t)below(3);
  frame[11] = (uint8_t)below(2);
  if (tag != 0) {
    etherws_write_word(frame + 12, 0x8100);
    etherws_write_word(frame + 14, below(2));
  }
  uint8_t *network = frame + ETHERNET_HEADER_BYTES + tag, *transport = network + IPV4_HEADER_BYTES;
  etherws_write_word(network - 2, one_in(5) ? 0x88b5 : 0x0800);
  network[0] = 0x45;
  etherws_write_word(network + 2, length - ETHERNET_HEADER_BYTES - tag);
  network[9] = PROTOCOL_TCP;
  transport[12] = 0x50;
  if (has_header && one_in(2)) {
    offload[0] = ETHERWS_FLAG_NEEDS_CSUM;
    offload[1] = one_in(3) ? ETHERWS_GSO_NONE : ETHERWS_GSO_TCPV4 | (one_in(4) ? ETHERWS_GSO_ECN : 0);
    etherws_write_little(offload + 4, 1 + below(200));
    etherws_write_little(offload + 6, (uint32_t)(transport - frame));
    etherws_write_little(offload + 8, TCP_CHECKSUM);
  }
  if (has_header && one_in(3)) offload[below(HEADER)] = (uint8_t)below(256);
  if (one_in(6)) frame[12 + below(40)] = (uint8_t)below(256);
  if (one_in(12)) length = below(18);
  return length;
}

static void make_way(void) {
  uint8_t *record = allocate(HEADER + 70000);
  uint32_t length = build(record, false);
  // Of its own size, too.
  uint8_t *frame = allocate(length);
  memcpy(frame, record + HEADER, length);
  struct made *entry = &made[made_count];
  entry->way = (struct etherws_shortcut){.ingress = &ports[one_in(2) ? below(2) : below(PORTS)],
                                         .egress = &ports[below(2)],
                                         .until_ms = below(100),
                                         .offloads = below(32),
                                         .max_frame_bytes = one_in(3) ? below(400) : 66000,
                                         .tag_allowance = below(3),
                                         .may_wait = one_in(2)};
  etherws_add_shortcut(&shortcuts, frame, length, &entry->way);
  if (length >= ETHERNET_HEADER_BYTES) {
    stations_of(frame, length, entry->stations);
    made_count++;
  }
  free(frame);
  free(record);
}

static uint32_t debt_of(const uint8_t *offload) {
  uint32_t debt = offload[0] & 1;
  switch (offload[1]) {
    case 0: return debt;
    case 1: return debt | 2;
    case 1 | 0x80: return debt | 2 | 8;
    case 4: return debt | 4;
    case 4 | 0x80: return debt | 4 | 8;
    default: return debt | 16;
  }
}

static bool is_tag_at(const uint8_t *frame, uint32_t length, uint32_t at) {
  return length >= at + 4 &&
         ((frame[at] == 0x81 && frame[at + 1] == 0) || (frame[at] == 0x88 && frame[at + 1] == 0xa8));
}

static uint32_t limit_of(const struct etherws_shortcut *way, const uint8_t *frame, uint32_t length) {
  uint32_t tags = 0, limit = way->max_frame_bytes;
  if (way->tag_allowance == ETHERWS_TAGS_ONE_CUSTOMER) tags = is_tag_at(frame, length, 12) && frame[12] == 0x81;
  else if (way->tag_allowance == ETHERWS_TAGS_STACKED) {
    while (tags < 2 && is_tag_at(frame, length, 12 + 4 * tags)) tags++;
  }
  return limit + 4 * tags;
}

// Whether a way takes a frame as it is, by the rules of src/bridge/bridge.ts and of the ports' send.
static bool takes(const struct etherws_shortcut *way, const uint8_t *frame, uint32_t length, bool has_header) {
  const uint8_t *offload = frame - HEADER;
  const uint32_t limit = limit_of(way, frame, length);
  if (!has_header || (offload[0] == 0 && offload[1] == 0)) return length <= limit;
  struct etherws_layers layers;
  const struct etherws_frame owing = {frame, offload, length};
  if (etherws_check(&owing, &layers) != ETHERWS_OK || layers.is_encapsulated) return false;
  if ((debt_of(offload) & ~way->offloads) != 0) return false;
  return offload[1] != 0 || length <= limit;
}

// The one that was made last for such frames, if it holds.
static const struct made *known_way(const void *ingress, const uint8_t *frame, uint32_t length, uint64_t now_ms) {
  uint8_t stations[ETHERWS_STATIONS_BYTES];
  stations_of(frame, length, stations);
  for (uint32_t i = made_count; i-- > 0;) {
    if (made[i].way.ingress != ingress || memcmp(made[i].stations, stations, sizeof stations) != 0) continue;
    return now_ms < made[i].way.until_ms ? &made[i] : NULL;
  }
  return NULL;
}

static void *judge(const void *ingress, const struct etherws_run *run, uint64_t now_ms, bool *is_last_only) {
  void *egress = NULL;
  *is_last_only = true;
  for (uint32_t i = 0; i < run->count; i++) {
    const uint8_t *frame = run->bytes + run->starts[i];
    uint32_t length = run->lengths[i];
    if (length < ETHERNET_HEADER_BYTES || length > MOST_OCTETS) return NULL;
    const struct made *entry = known_way(ingress, frame, length, now_ms);
    if (entry == NULL || !takes(&entry->way, frame, length, run->has_offload_headers)) return NULL;
    if (egress != NULL && entry->way.egress != egress) return NULL;
    egress = entry->way.egress;
    *is_last_only &= entry == &made[made_count - 1];
  }
  return egress;
}

// What came of a run that was let through: hdr_len and the mark are true, nothing else has changed, and it is counted
// right.
static void require_honest(const struct etherws_run *run, const uint8_t *before) {
  double wanted_frames = 0, wanted_octets = 0, frames, octets;
  for (uint32_t i = 0; i < run->count; i++) {
    const uint8_t *frame = run->bytes + run->starts[i], *was = before + run->starts[i];
    uint32_t length = run->lengths[i], segments = 1;
    require(memcmp(frame, was, length) == 0, "a frame has changed");
    wanted_octets += length;
    if (run->has_offload_headers) {
      struct etherws_layers layers;
      const uint8_t *offload = frame - HEADER;
      const struct etherws_frame owing = {frame, offload, length};
      require(etherws_check(&owing, &layers) == ETHERWS_OK, "a header that lies was let through");
      require((offload[0] & ETHERWS_FLAG_ENCAPSULATED) == 0, "a mark is not true");
      require(offload[0] == (was[-HEADER] & ~ETHERWS_FLAG_ENCAPSULATED) && offload[1] == was[1 - HEADER] &&
                  memcmp(offload + 4, was - HEADER + 4, 6) == 0,
              "a header has changed");
      if (offload[1] != 0) {
        require(etherws_little(offload + 2) == etherws_inner(&layers)->payload_start, "hdr_len is not true");
        uint32_t payload = length - etherws_inner(&layers)->payload_start, size = etherws_little(offload + 4);
        segments = payload == 0 ? 1 : payload / size + (payload % size != 0);
      }
    }
    wanted_frames += segments;
  }
  etherws_count_run(run, 0, run->count, &frames, &octets);
  require(frames == wanted_frames && octets == wanted_octets, "another count");
}

static void follow(void) {
  bool has_headers = !one_in(3);
  uint32_t count = one_in(20) ? 0 : 1 + below(one_in(2) ? 1 : MOST_FRAMES), starts[MOST_FRAMES], lengths[MOST_FRAMES];
  uint32_t lead = has_headers ? HEADER : 0, size = 0;
  uint8_t *records[MOST_FRAMES];
  for (uint32_t i = 0; i < count; i++) {
    records[i] = allocate(HEADER + 70000);
    bool is_again = i > 0 && one_in(2);
    lengths[i] = is_again ? lengths[i - 1] : build(records[i], has_headers);
    if (is_again) memcpy(records[i], records[i - 1], HEADER + lengths[i]);
    starts[i] = size + lead;
    size = starts[i] + lengths[i];
  }
  uint8_t *slab = allocate(size), *before = allocate(size);
  for (uint32_t i = 0; i < count; i++) {
    memcpy(slab + starts[i] - lead, records[i] + HEADER - lead, lead + lengths[i]);
    free(records[i]);
  }
  memcpy(before, slab, size);
  const struct etherws_run run = {slab, starts, lengths, count, has_headers};
  // Of many ports, so that some stations of one stand where those of another would.
  const void *ingress = &ports[one_in(2) ? below(2) : below(PORTS)];
  uint64_t now_ms = below(100);
  bool is_last_only;
  void *wanted = judge(ingress, &run, now_ms, &is_last_only);
  const struct etherws_shortcut *way = etherws_follow(&shortcuts, ingress, &run, now_ms);
  if (way != NULL) {
    require(count > 0 && wanted != NULL && way->egress == wanted, "led to where nobody decided");
    require_honest(&run, before);
    passed++;
  } else {
    // Another one may have taken the place of an older one, but none that of the newest.
    require(wanted == NULL || !is_last_only, "the newest shortcut is not followed");
    refused++;
  }
  free(before);
  free(slab);
}

static void forget(void) {
  if (one_in(10)) shortcuts.epoch = UINT32_MAX;
  etherws_forget_shortcuts(&shortcuts);
  made_count = 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  unsigned long seed = strtoul(argv[1], NULL, 10), cases = strtoul(argv[2], NULL, 10);
  state = seed * 0x9e3779b97f4a7c15ull + 1;
  for (unsigned long i = 0; i < cases; i++) {
    if (made_count == MOST_WAYS || one_in(100)) forget();
    if (one_in(3)) make_way();
    follow();
  }
  require(cases < 10000 || (passed > cases / 50 && refused > cases / 50), "a run that has shown nothing");
  printf("%lu cases with seed %lu\n", cases, seed);
}

#include "shortcuts.h"

#include <string.h>

#include "../offload/offload.h"

enum {
  HEADER_BYTES = 14,
  TAG_BYTES = 4,
  ETHER_TYPE = 12,
  MAX_FRAME_BYTES = 65535 + 14 + 8,
  OFFLOAD_CHECKSUM = 1,
  OFFLOAD_USO = 16,
};

static bool has_tag(const uint8_t *frame, uint32_t length) {
  return length >= HEADER_BYTES + 2 && frame[ETHER_TYPE] == 0x81 && frame[ETHER_TYPE + 1] == 0;
}

// By what the bridge decides: the addresses and the VID. The tag's priority comes along, which splits a pair at worst.
static void read_stations(uint8_t *to, const uint8_t *frame, uint32_t length) {
  memcpy(to, frame, ETHER_TYPE);
  if (has_tag(frame, length)) memcpy(to + ETHER_TYPE, frame + ETHER_TYPE, TAG_BYTES);
  else memset(to + ETHER_TYPE, 0, TAG_BYTES);
}

static uint32_t slot_of(const void *ingress, const uint8_t *stations) {
  uint64_t halves[2];
  memcpy(halves, stations, sizeof halves);
  uint64_t mixed = (halves[0] ^ (uintptr_t)ingress) * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ halves[1] ^ mixed >> 29) * 0xbf58476d1ce4e5b9u;
  return (uint32_t)(mixed >> 40) % ETHERWS_SHORTCUT_SLOTS;
}

void etherws_add_shortcut(struct etherws_shortcuts *shortcuts, const uint8_t *frame, uint32_t length,
                          const struct etherws_shortcut *way) {
  if (length < HEADER_BYTES) return;
  uint8_t stations[ETHERWS_STATIONS_BYTES];
  read_stations(stations, frame, length);
  struct etherws_shortcut *slot = &shortcuts->slots[slot_of(way->ingress, stations)];
  *slot = *way;
  slot->epoch = shortcuts->epoch;
  memcpy(slot->stations, stations, sizeof stations);
}

void etherws_forget_shortcuts(struct etherws_shortcuts *shortcuts) {
  // Once round, an old one would be believed again.
  if (++shortcuts->epoch == 0) memset(shortcuts, 0, sizeof *shortcuts);
}

// As debtOf of src/wire/offload.ts, of a header that was checked.
static uint32_t debt_of(const uint8_t *offload) {
  uint32_t debt = (offload[0] & ETHERWS_FLAG_NEEDS_CSUM) != 0 ? OFFLOAD_CHECKSUM : 0;
  if ((offload[0] & ETHERWS_FLAG_ENCAPSULATED) != 0) debt |= ETHERWS_OFFLOAD_ENCAPSULATED;
  if (offload[1] == ETHERWS_GSO_NONE) return debt;
  if (offload[1] == ETHERWS_GSO_UDP_L4) return debt | OFFLOAD_USO;
  if ((offload[1] & ETHERWS_GSO_ECN) != 0) debt |= ETHERWS_OFFLOAD_TSO_ECN;
  return debt | ((offload[1] & ~ETHERWS_GSO_ECN) == ETHERWS_GSO_TCPV6 ? ETHERWS_OFFLOAD_TSO6 : ETHERWS_OFFLOAD_TSO4);
}

static bool is_tag(const uint8_t *type) {
  return (type[0] == 0x81 && type[1] == 0) || (type[0] == 0x88 && type[1] == 0xa8);
}

// As tagBytesOf of src/wire/frame-length.ts.
static uint32_t tag_bytes(const uint8_t *frame, uint32_t length, uint32_t allowance) {
  if (allowance == ETHERWS_TAGS_NONE || length < HEADER_BYTES + TAG_BYTES) return 0;
  if (allowance == ETHERWS_TAGS_ONE_CUSTOMER) return has_tag(frame, length) ? TAG_BYTES : 0;
  if (!is_tag(frame + ETHER_TYPE)) return 0;
  bool is_double = length >= HEADER_BYTES + 2 * TAG_BYTES && is_tag(frame + ETHER_TYPE + TAG_BYTES);
  return is_double ? 2 * TAG_BYTES : TAG_BYTES;
}

// Whether the egress takes the frame as it is.
static bool is_taken(const struct etherws_shortcut *way, uint8_t *frame, uint32_t length, bool has_offload_header) {
  uint8_t *offload = has_offload_header ? frame - ETHERWS_OFFLOAD_HEADER_BYTES : NULL;
  bool is_super_frame = false;
  if (offload != NULL && (offload[0] | offload[1]) != 0) {
    const struct etherws_frame owing = {.bytes = frame, .offload = offload, .length = length};
    if (etherws_check_and_correct(&owing, offload) != ETHERWS_OK) return false;
    if ((debt_of(offload) & ~way->offloads) != 0) return false;
    is_super_frame = offload[1] != ETHERWS_GSO_NONE;
  }
  return is_super_frame || length <= way->max_frame_bytes + tag_bytes(frame, length, way->tag_allowance);
}

const struct etherws_shortcut *etherws_follow(const struct etherws_shortcuts *shortcuts, const void *ingress,
                                              const struct etherws_run *run, uint64_t now_ms) {
  const struct etherws_shortcut *way = NULL;
  for (uint32_t i = 0; i < run->count; i++) {
    uint8_t *frame = run->bytes + run->starts[i];
    uint32_t length = run->lengths[i];
    if (length < HEADER_BYTES || length > MAX_FRAME_BYTES) return NULL;
    uint8_t stations[ETHERWS_STATIONS_BYTES];
    read_stations(stations, frame, length);
    // Most frames of a run are between the same two.
    if (way == NULL || memcmp(way->stations, stations, sizeof stations) != 0) {
      const struct etherws_shortcut *next = &shortcuts->slots[slot_of(ingress, stations)];
      if (next->ingress != ingress || next->epoch != shortcuts->epoch || now_ms >= next->until_ms ||
          memcmp(next->stations, stations, sizeof stations) != 0 || (way != NULL && next->egress != way->egress)) {
        return NULL;
      }
      way = next;
    }
    if (!is_taken(way, frame, length, run->has_offload_headers)) return NULL;
  }
  return way;
}

// As framesIn of src/wire/segmentation.ts.
static uint32_t frames_in(const uint8_t *offload, uint32_t length) {
  if (offload[1] == ETHERWS_GSO_NONE) return 1;
  uint32_t header_bytes = offload[2] | (uint32_t)offload[3] << 8, gso_size = offload[4] | (uint32_t)offload[5] << 8;
  uint32_t segments = (length - header_bytes + gso_size - 1) / gso_size;
  return segments == 0 ? 1 : segments;
}

void etherws_count_run(const struct etherws_run *run, uint32_t from, uint32_t to, double *frames, double *octets) {
  *frames = 0;
  *octets = 0;
  for (uint32_t i = from; i < to; i++) {
    const uint8_t *frame = run->bytes + run->starts[i];
    *frames += run->has_offload_headers ? frames_in(frame - ETHERWS_OFFLOAD_HEADER_BYTES, run->lengths[i]) : 1;
    *octets += run->lengths[i];
  }
}

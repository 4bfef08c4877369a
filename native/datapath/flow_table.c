#include "flow_table.h"

#include <string.h>

#include "../offload/offload.h"
#include "control_frame.h"

enum {
  HEADER_BYTES = 14,
  TAG_BYTES = 4,
  ETHER_TYPE = 12,
  MAX_FRAME_BYTES = 65535 + 14 + 8,
  GROUP_BIT = 1,
  OFFLOAD_CHECKSUM = 1,
  OFFLOAD_USO = 16,
};

static bool has_tag(const uint8_t *frame, uint32_t length) {
  return length >= HEADER_BYTES + 2 && frame[ETHER_TYPE] == 0x81 && frame[ETHER_TYPE + 1] == 0;
}

// The key has both addresses and the outer C-TAG. The bridge decides by the VID of the tag only; the priority is in the
// key as well, so two priorities are two flows.
static void read_key(uint8_t *to, const uint8_t *frame, uint32_t length) {
  memcpy(to, frame, ETHER_TYPE);
  if (has_tag(frame, length)) memcpy(to + ETHER_TYPE, frame + ETHER_TYPE, TAG_BYTES);
  else memset(to + ETHER_TYPE, 0, TAG_BYTES);
}

static uint32_t slot_of(const void *ingress, const uint8_t *key) {
  uint64_t halves[2];
  memcpy(halves, key, sizeof halves);
  uint64_t mixed = (halves[0] ^ (uintptr_t)ingress) * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ halves[1] ^ mixed >> 29) * 0xbf58476d1ce4e5b9u;
  return (uint32_t)(mixed >> 40) % ETHERWS_FLOW_SLOTS;
}

void etherws_install_flow(struct etherws_flow_table *table, const uint8_t *frame, uint32_t length,
                          const struct etherws_flow *flow) {
  if (length < HEADER_BYTES || (frame[0] & GROUP_BIT) != 0) return;
  uint8_t key[ETHERWS_FLOW_KEY_BYTES];
  read_key(key, frame, length);
  struct etherws_flow *slot = &table->slots[slot_of(flow->ingress, key)];
  *slot = *flow;
  slot->epoch = table->epoch;
  memcpy(slot->key, key, sizeof key);
}

void etherws_invalidate_flows(struct etherws_flow_table *table) {
  // When the epoch wraps around to 0, flows of an earlier epoch with the same number would be valid again.
  if (++table->epoch == 0) memset(table, 0, sizeof *table);
}

// The offloads that a checked header needs, as neededOffloads of src/wire/offload/virtio-header.ts.
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

// The octets of tags that may exceed max_frame_bytes, as tagBytesOf of src/wire/ethernet/frame-length.ts.
static uint32_t tag_bytes(const uint8_t *frame, uint32_t length, uint32_t allowance) {
  if (allowance == ETHERWS_TAGS_NONE || length < HEADER_BYTES + TAG_BYTES) return 0;
  if (allowance == ETHERWS_TAGS_ONE_CUSTOMER) return has_tag(frame, length) ? TAG_BYTES : 0;
  if (!is_tag(frame + ETHER_TYPE)) return 0;
  bool is_double = length >= HEADER_BYTES + 2 * TAG_BYTES && is_tag(frame + ETHER_TYPE + TAG_BYTES);
  return is_double ? 2 * TAG_BYTES : TAG_BYTES;
}

// Whether the egress takes the frame unchanged.
static bool is_taken(const struct etherws_flow *flow, uint8_t *frame, uint32_t length, bool has_offload_header) {
  uint8_t *offload = has_offload_header ? frame - ETHERWS_OFFLOAD_HEADER_BYTES : NULL;
  bool is_super_frame = false;
  if (offload != NULL && (offload[0] | offload[1]) != 0) {
    const struct etherws_frame owing = {.bytes = frame, .offload = offload, .length = length};
    if (etherws_check_and_correct(&owing, offload) != ETHERWS_OK) return false;
    if ((debt_of(offload) & ~flow->offloads) != 0) return false;
    is_super_frame = offload[1] != ETHERWS_GSO_NONE;
  }
  return is_super_frame || length <= flow->max_frame_bytes + tag_bytes(frame, length, flow->tag_allowance);
}

const struct etherws_flow *etherws_match_flow(const struct etherws_flow_table *table, const void *ingress,
                                              const struct etherws_run *run, uint64_t now_ms) {
  const struct etherws_flow *flow = NULL;
  for (uint32_t i = 0; i < run->count; i++) {
    uint8_t *frame = run->bytes + run->starts[i];
    uint32_t length = run->lengths[i];
    if (length < HEADER_BYTES || length > MAX_FRAME_BYTES) return NULL;
    uint8_t key[ETHERWS_FLOW_KEY_BYTES];
    read_key(key, frame, length);
    // Most frames of a run have the same key.
    if (flow == NULL || memcmp(flow->key, key, sizeof key) != 0) {
      const struct etherws_flow *next = &table->slots[slot_of(ingress, key)];
      if (next->ingress != ingress || next->epoch != table->epoch || now_ms >= next->until_ms ||
          memcmp(next->key, key, sizeof key) != 0 ||
          (flow != NULL && (next->egress != flow->egress || next->meter != flow->meter))) {
        return NULL;
      }
      flow = next;
    }
    if (etherws_is_control_frame(frame, length) || !is_taken(flow, frame, length, run->has_offload_headers))
      return NULL;
  }
  return flow;
}

// The number of frames after segmentation, as framesIn of src/wire/offload/gso.ts.
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

// The cells of a token bucket.
enum { TOKENS, LAST_MS, PER_SECOND, BURST };

// As TokenBucket.isOpen of src/bridge/token-bucket.ts.
static void refill(double *bucket, double now_ms) {
  double elapsed_ms = now_ms - bucket[LAST_MS];
  if (!(elapsed_ms > 0)) return;
  double tokens = bucket[TOKENS] + elapsed_ms * bucket[PER_SECOND] / 1000;
  bucket[LAST_MS] = now_ms;
  bucket[TOKENS] = tokens < bucket[BURST] ? tokens : bucket[BURST];
}

bool etherws_meter_admits(double *meter, const struct etherws_run *run, double now_ms) {
  if (run->count == 0) return true;
  refill(meter + ETHERWS_METER_FRAMES, now_ms);
  refill(meter + ETHERWS_METER_BITS, now_ms);
  // A bucket admits a frame while it has any tokens. So it admits all frames if it has tokens left after all but the
  // last.
  double frames, octets;
  etherws_count_run(run, 0, run->count - 1, &frames, &octets);
  return meter[ETHERWS_METER_FRAMES + TOKENS] - frames > 0 && meter[ETHERWS_METER_BITS + TOKENS] - octets * 8 > 0;
}

void etherws_meter_charge(double *meter, double frames, double octets) {
  meter[ETHERWS_METER_FRAMES + TOKENS] -= frames;
  meter[ETHERWS_METER_BITS + TOKENS] -= octets * 8;
}

#include "flow_table.h"

#include <stdlib.h>
#include <string.h>

#include "../offload/offload.h"
#include "control_frame.h"

enum {
  HEADER_BYTES = 14,
  MAX_TAGS = 2,
  TAG_BYTES = 4,
  ETHER_TYPE = 12,
  MAX_FRAME_BYTES = 65535 + 14 + 8,
  GROUP_BIT = 1,
  OFFLOAD_CHECKSUM = 1,
  OFFLOAD_USO = 16,
};

static bool is_tag(const uint8_t *type) {
  return (type[0] == 0x81 && type[1] == 0) || (type[0] == 0x88 && type[1] == 0xa8);
}

// The key has both addresses and the outer tag. The bridge decides by the VID of the tag only; the priority is in the key
// as well, so two priorities are two flows, and a tag that replaces this one keeps it.
static void read_key(uint8_t *to, const uint8_t *frame, uint32_t length) {
  memcpy(to, frame, ETHER_TYPE);
  if (length >= HEADER_BYTES + 2 && is_tag(frame + ETHER_TYPE)) memcpy(to + ETHER_TYPE, frame + ETHER_TYPE, TAG_BYTES);
  else memset(to + ETHER_TYPE, 0, TAG_BYTES);
}

static uint32_t hash_of(const void *ingress, const uint8_t *key) {
  uint64_t halves[2];
  memcpy(halves, key, sizeof halves);
  uint64_t mixed = (halves[0] ^ (uintptr_t)ingress) * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ halves[1] ^ mixed >> 29) * 0xbf58476d1ce4e5b9u;
  return (uint32_t)(mixed >> 40);
}

// The set of slots where a flow may be. The table has slots.
static struct etherws_flow *set_of(const struct etherws_flow_table *table, const void *ingress, const uint8_t *key) {
  return table->slots + (hash_of(ingress, key) & (table->slot_count - 1) & ~(uint32_t)(ETHERWS_FLOW_WAYS - 1));
}

static bool is_same(const struct etherws_flow *slot, const void *ingress, const uint8_t *key) {
  return slot->ingress == ingress && memcmp(slot->key, key, ETHERWS_FLOW_KEY_BYTES) == 0;
}

// Whether a slot has no flow, one that was ended, or one that has expired when one is installed that ends at until_ms.
static bool is_free(const struct etherws_flow_table *table, const struct etherws_flow *slot, uint64_t until_ms) {
  return slot->ingress == NULL || slot->epoch != table->epoch || slot->until_ms + ETHERWS_FLOW_LIFE_MS < until_ms;
}

// Returns the slot for a flow: its own, or a free one. NULL: the set is full.
static struct etherws_flow *free_slot(const struct etherws_flow_table *table, const struct etherws_flow *flow) {
  struct etherws_flow *set = set_of(table, flow->ingress, flow->key), *found = NULL;
  for (int way = 0; way < ETHERWS_FLOW_WAYS; way++) {
    if (is_same(&set[way], flow->ingress, flow->key)) return &set[way];
    if (found == NULL && is_free(table, &set[way], flow->until_ms)) found = &set[way];
  }
  return found;
}

static struct etherws_flow *first_to_end(struct etherws_flow *set) {
  struct etherws_flow *first = set;
  for (int way = 1; way < ETHERWS_FLOW_WAYS; way++) {
    if (set[way].until_ms < first->until_ms) first = &set[way];
  }
  return first;
}

// Doubles the slots. False without memory, or at the most.
static bool grow(struct etherws_flow_table *table) {
  struct etherws_flow *const former = table->slots;
  const uint32_t before = former == NULL ? 0 : table->slot_count;
  if (before >= ETHERWS_FLOW_MOST_SLOTS) return false;
  const uint32_t count = before == 0 ? ETHERWS_FLOW_LEAST_SLOTS : 2 * before;
  struct etherws_flow *const slots = calloc(count, sizeof *slots);
  if (slots == NULL) return false;
  table->slots = slots;
  table->slot_count = count;
  for (uint32_t i = 0; i < before; i++) {
    if (former[i].ingress == NULL || former[i].epoch != table->epoch) continue;
    // The flows of one set are in two sets now, so there is a place for each.
    struct etherws_flow *slot = free_slot(table, &former[i]);
    if (slot != NULL) *slot = former[i];
  }
  free(former);
  return true;
}

void etherws_install_flow(struct etherws_flow_table *table, const uint8_t *frame, uint32_t length,
                          const struct etherws_flow *flow) {
  if (length < HEADER_BYTES || (frame[0] & GROUP_BIT) != 0) return;
  struct etherws_flow installed = *flow;
  installed.epoch = table->epoch;
  read_key(installed.key, frame, length);
  if (table->slots == NULL && !grow(table)) return;
  struct etherws_flow *slot = free_slot(table, &installed);
  while (slot == NULL && grow(table)) slot = free_slot(table, &installed);
  if (slot == NULL) slot = first_to_end(set_of(table, installed.ingress, installed.key));
  *slot = installed;
}

void etherws_invalidate_flows(struct etherws_flow_table *table) {
  // When the epoch wraps around to 0, flows of an earlier epoch with the same number would be valid again.
  if (++table->epoch == 0 && table->slots != NULL) memset(table->slots, 0, table->slot_count * sizeof *table->slots);
}

void etherws_release_flows(struct etherws_flow_table *table) {
  free(table->slots);
  *table = (struct etherws_flow_table){0};
}

// Returns the flow of frames with this key that is valid now; NULL without one.
static const struct etherws_flow *valid_flow(const struct etherws_flow_table *table, const void *ingress,
                                             const uint8_t *key, uint64_t now_ms) {
  if (table->slots == NULL) return NULL;
  const struct etherws_flow *set = set_of(table, ingress, key);
  for (int way = 0; way < ETHERWS_FLOW_WAYS; way++) {
    if (!is_same(&set[way], ingress, key)) continue;
    return set[way].epoch == table->epoch && now_ms < set[way].until_ms ? &set[way] : NULL;
  }
  return NULL;
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

// The octets of tags that may exceed max_frame_bytes, as tagBytesOf of src/wire/ethernet/frame-length.ts. `outer` is the
// first EtherType of a frame of this length, `inner` the one that is four octets behind it.
static uint32_t tag_bytes(const uint8_t *outer, const uint8_t *inner, uint32_t length, uint32_t allowance) {
  if (allowance == ETHERWS_TAGS_NONE || length < HEADER_BYTES + TAG_BYTES || !is_tag(outer)) return 0;
  if (allowance == ETHERWS_TAGS_ONE_CUSTOMER) return outer[0] == 0x81 ? TAG_BYTES : 0;
  return length >= HEADER_BYTES + 2 * TAG_BYTES && is_tag(inner) ? 2 * TAG_BYTES : TAG_BYTES;
}

// Whether the egress takes the changed frame, as far as its length tells.
static bool has_room_for(const struct etherws_flow *flow, const uint8_t *frame, uint32_t changed) {
  if (changed <= flow->max_frame_bytes) return true;
  const struct etherws_tag_change *change = &flow->change;
  const uint8_t *kept = frame + ETHER_TYPE + change->stripped;
  const bool is_inserted = change->inserted != 0;
  const uint32_t allowed =
      tag_bytes(is_inserted ? change->tag : kept, is_inserted ? kept : kept + TAG_BYTES, changed, flow->tag_allowance);
  return changed <= flow->max_frame_bytes + allowed;
}

// Whether a frame that has this many tags gets one more, behind which the headers of its offloads are not found.
static bool gets_too_many_tags(const struct etherws_flow *flow, const uint8_t *frame, uint32_t length) {
  if (flow->change.inserted <= flow->change.stripped) return false;
  uint32_t tags = 0;
  for (uint32_t at = ETHER_TYPE; tags < MAX_TAGS && at + TAG_BYTES + 2 <= length && is_tag(frame + at); at += TAG_BYTES)
    tags++;
  return tags == MAX_TAGS;
}

// Whether the egress takes the frame with the change of its tag.
static bool is_taken(const struct etherws_flow *flow, uint8_t *frame, uint32_t length, bool has_offload_header) {
  const uint32_t changed = length + flow->change.inserted - flow->change.stripped;
  if (changed > MAX_FRAME_BYTES || length < (uint32_t)HEADER_BYTES + flow->change.stripped) return false;
  uint8_t *offload = has_offload_header ? frame - ETHERWS_OFFLOAD_HEADER_BYTES : NULL;
  bool is_super_frame = false;
  if (offload != NULL && (offload[0] | offload[1]) != 0) {
    const struct etherws_frame owing = {.bytes = frame, .offload = offload, .length = length};
    if (etherws_check_and_correct(&owing, offload) != ETHERWS_OK) return false;
    const uint32_t debt = debt_of(offload);
    if ((debt & ~flow->offloads) != 0 || (debt != 0 && gets_too_many_tags(flow, frame, length))) return false;
    is_super_frame = offload[1] != ETHERWS_GSO_NONE;
  }
  return is_super_frame || has_room_for(flow, frame, changed);
}

// Whether frames of both flows can stand in one run: the run changes, and is changed back, as a whole.
static bool go_together(const struct etherws_flow *one, const struct etherws_flow *other) {
  if (one->egress != other->egress || one->meter != other->meter) return false;
  const struct etherws_tag_change *change = &one->change;
  if (memcmp(change, &other->change, sizeof *change) != 0) return false;
  return (change->stripped | change->inserted) == 0 ||
         memcmp(one->key + ETHER_TYPE, other->key + ETHER_TYPE, TAG_BYTES) == 0;
}

const struct etherws_flow *etherws_match_flow(const struct etherws_flow_table *table, const void *ingress,
                                              const struct etherws_run *run, uint64_t now_ms) {
  const struct etherws_flow *flow = NULL;
  uint32_t free_from = 0;
  for (uint32_t i = 0; i < run->count; i++) {
    uint8_t *frame = run->bytes + run->starts[i];
    uint32_t length = run->lengths[i];
    if (length < HEADER_BYTES || length > MAX_FRAME_BYTES) return NULL;
    uint8_t key[ETHERWS_FLOW_KEY_BYTES];
    read_key(key, frame, length);
    // Most frames of a run have the same key.
    if (flow == NULL || memcmp(flow->key, key, sizeof key) != 0) {
      const struct etherws_flow *next = valid_flow(table, ingress, key, now_ms);
      if (next == NULL || (flow != NULL && !go_together(flow, next))) return NULL;
      flow = next;
    }
    if (etherws_is_control_frame(frame, length) || !is_taken(flow, frame, length, run->has_offload_headers))
      return NULL;
    // A longer frame begins earlier, and so does its header.
    const uint32_t lead = flow->change.inserted + (run->has_offload_headers ? ETHERWS_OFFLOAD_HEADER_BYTES : 0);
    if (flow->change.inserted > flow->change.stripped && run->starts[i] < free_from + lead) return NULL;
    free_from = run->starts[i] + length;
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

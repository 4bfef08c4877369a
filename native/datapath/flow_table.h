// The flow table of a bridge: it says where frames go that have the same ingress, addresses and tag as one that the bridge
// has just forwarded. The bridge installs flows, and each expires soon. Frames that match none go to the bridge. Offload
// headers are checked before they are used.
#ifndef ETHERWS_FLOW_TABLE_H
#define ETHERWS_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  // Slots of a table with its first flow, and the most. A network with few stations needs few.
  ETHERWS_FLOW_LEAST_SLOTS = 16,
  ETHERWS_FLOW_MOST_SLOTS = 1024,
  // A flow may be in any of so many slots, which are neighbours.
  ETHERWS_FLOW_WAYS = 4,
  // No flow lives longer: FLOW_LIFE_MS of src/bridge/flow-installer.ts.
  ETHERWS_FLOW_LIFE_MS = 1000,
  ETHERWS_ADDRESSES_BYTES = 12,
  // Both addresses, and the outer C-TAG or S-TAG where there is one.
  ETHERWS_FLOW_KEY_BYTES = 16,
};

// As TagAllowance of src/wire/ethernet/frame-length.ts.
enum { ETHERWS_TAGS_NONE, ETHERWS_TAGS_ONE_CUSTOMER, ETHERWS_TAGS_STACKED };

// A meter is a token bucket of frames and one of bits, each four numbers: src/bridge/token-bucket.ts has the same.
enum {
  ETHERWS_METER_FRAMES = 0,
  ETHERWS_METER_BITS = 4,
  ETHERWS_METER_CELLS = 8,
};

// Frames as they lie in a slab; with has_offload_headers ten octets of virtio-net header stand in front of each.
struct etherws_run {
  uint8_t *bytes;
  uint32_t *starts;
  uint32_t *lengths;
  uint32_t count;
  bool has_offload_headers;
  int32_t added;  // by how many octets each frame is longer than it was read: 4, 0 or -4 (retag.h)
};

// How the outer tag of frames changes: the octets of `stripped` behind the addresses go, then those of `tag` come.
struct etherws_tag_change {
  uint8_t stripped;  // 0 or 4
  uint8_t inserted;  // 0 or 4
  uint8_t tag[4];
};

// Frames from `ingress` with this key go to `egress`.
struct etherws_flow {
  const void *ingress;
  void *egress;
  uint64_t until_ms;
  double *meter;  // what the frames are charged to; NULL where the port has no rate for them
  uint32_t epoch;
  uint32_t offloads;         // ETHERWS_OFFLOAD_* that the egress does
  uint32_t max_frame_bytes;  // of finished frames, without a tag
  uint32_t tag_allowance;    // ETHERWS_TAGS_*: which tags may stand on top of that
  struct etherws_tag_change change;
  bool may_wait;  // all frames of the ingress go to this egress, so back-pressure delays no other one
  uint8_t key[ETHERWS_FLOW_KEY_BYTES];
};

// A table of sets of slots, one set for each hash of a key. It grows when a set is full of flows that live; at the most slots,
// or without memory, a new flow replaces the one of its set that ends first. A zeroed table is empty, and has no memory.
struct etherws_flow_table {
  uint32_t epoch;
  uint32_t slot_count;  // a power of two; 0 without slots
  struct etherws_flow *slots;
};

// Frees the slots; the table is empty then.
void etherws_release_flows(struct etherws_flow_table *table);

// Installs `flow` for frames with the key of `frame`; its key and epoch are set here. A frame to a group address, or
// shorter than an Ethernet header, installs nothing.
void etherws_install_flow(struct etherws_flow_table *table, const uint8_t *frame, uint32_t length,
                          const struct etherws_flow *flow);

// Ends all flows that are installed now, by a new epoch.
void etherws_invalidate_flows(struct etherws_flow_table *table);

// Returns the flow that all frames of the run match: one egress, which takes them after the same change of the same tag.
// NULL: at least one has to go to the bridge, as control frames always have (control_frame.h). Corrects hdr_len of
// super-frames, as the bridge does.
const struct etherws_flow *etherws_match_flow(const struct etherws_flow_table *table, const void *ingress,
                                              const struct etherws_run *run, uint64_t now_ms);

// Counts the frames [from, to) of a checked run: `frames` as after segmentation, `octets` as in the slab.
void etherws_count_run(const struct etherws_run *run, uint32_t from, uint32_t to, double *frames, double *octets);

// Whether the meter admits all frames of a checked run, one after the other. Charges nothing.
bool etherws_meter_admits(double *meter, const struct etherws_run *run, double now_ms);

// Charges admitted frames and octets.
void etherws_meter_charge(double *meter, double frames, double octets);

#endif

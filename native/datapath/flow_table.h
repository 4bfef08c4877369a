// The flow table of a bridge: where frames go that are like one which the bridge has just forwarded. The bridge installs
// flows, each lives for a moment only, and what matches none is the bridge's. Nothing here knows Node-API, or believes an
// offload header that it has not checked.
#ifndef ETHERWS_FLOW_TABLE_H
#define ETHERWS_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  ETHERWS_FLOW_SLOTS = 1024,
  // Both addresses, and the outer C-TAG where there is one.
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
  const uint32_t *starts;
  const uint32_t *lengths;
  uint32_t count;
  bool has_offload_headers;
};

// Frames from `ingress` with this key go to `egress`.
struct etherws_flow {
  const void *ingress;
  void *egress;
  uint64_t until_ms;
  double *meter;  // what the frames are charged to; NULL where the port has no rate for them
  uint32_t epoch;
  uint32_t offloads;         // the offloads that the egress takes, OFFLOAD_* of src/wire/offload/virtio-header.ts
  uint32_t max_frame_bytes;  // of finished frames, without a tag
  uint32_t tag_allowance;    // ETHERWS_TAGS_*: which tags may stand on top of that
  bool may_wait;             // all frames of the ingress go there: leaving them unread delays no other egress
  uint8_t key[ETHERWS_FLOW_KEY_BYTES];
};

// One slot for each, by a hash of its key: the newer flow replaces the older one. Zeroed, the table is empty.
struct etherws_flow_table {
  uint32_t epoch;
  struct etherws_flow slots[ETHERWS_FLOW_SLOTS];
};

// Makes frames with the key of `frame` follow `flow`, whose key and epoch are set here. A frame to a group address, and
// one without a whole header, installs nothing.
void etherws_install_flow(struct etherws_flow_table *table, const uint8_t *frame, uint32_t length,
                          const struct etherws_flow *flow);

// No flow that was installed so far is followed any more.
void etherws_invalidate_flows(struct etherws_flow_table *table);

// The flow that all frames of a run may follow: they go to one egress, which takes them as they are. NULL when any of
// them is the bridge's, as control frames always are (control_frame.h).
// Makes the hdr_len of super-frames true, as the bridge does.
const struct etherws_flow *etherws_match_flow(const struct etherws_flow_table *table, const void *ingress,
                                              const struct etherws_run *run, uint64_t now_ms);

// How many finished frames the frames [from, to) of a checked run stand for, and how many octets they have as they lie.
void etherws_count_run(const struct etherws_run *run, uint32_t from, uint32_t to, double *frames, double *octets);

// Whether the rates let all frames of a checked run in, one behind the other. Takes nothing.
bool etherws_meter_admits(double *meter, const struct etherws_run *run, double now_ms);

// Takes what was let in.
void etherws_meter_charge(double *meter, double frames, double octets);

#endif

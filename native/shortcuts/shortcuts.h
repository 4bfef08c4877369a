// Shortcuts: where frames go that are like one which the bridge has just decided. The bridge makes them, and each
// lives for a moment only; what has none is the bridge's. Nothing here knows Node-API, or believes an offload header
// that it has not checked.
#ifndef ETHERWS_SHORTCUTS_H
#define ETHERWS_SHORTCUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  ETHERWS_SHORTCUT_SLOTS = 1024,
  // Both addresses, and the outer C-TAG where there is one.
  ETHERWS_STATIONS_BYTES = 16,
};

// As TagAllowance of src/wire/frame-length.ts.
enum { ETHERWS_TAGS_NONE, ETHERWS_TAGS_ONE_CUSTOMER, ETHERWS_TAGS_STACKED };

// Frames as they lie in a slab; with has_offload_headers ten octets of virtio-net header stand in front of each.
struct etherws_run {
  uint8_t *bytes;
  const uint32_t *starts;
  const uint32_t *lengths;
  uint32_t count;
  bool has_offload_headers;
};

// Frames from `ingress` between these stations go to `egress`.
struct etherws_shortcut {
  const void *ingress;
  void *egress;
  uint64_t until_ms;
  uint32_t epoch;
  uint32_t offloads;         // the debts that the egress takes, OFFLOAD_* of src/wire/offload.ts
  uint32_t max_frame_bytes;  // of finished frames, without a tag
  uint32_t tag_allowance;    // ETHERWS_TAGS_*: which tags may stand on top of that
  bool may_wait;             // all that the ingress gets goes there, so that waiting for room delays nobody else
  uint8_t stations[ETHERWS_STATIONS_BYTES];
};

// One place for each, by a hash: a newer one takes it over. Zeroed, it has none.
struct etherws_shortcuts {
  uint32_t epoch;
  struct etherws_shortcut slots[ETHERWS_SHORTCUT_SLOTS];
};

// Makes frames with the stations of `frame` follow `way`, whose stations and epoch are set here. Frames without a whole
// header get none.
void etherws_add_shortcut(struct etherws_shortcuts *shortcuts, const uint8_t *frame, uint32_t length,
                          const struct etherws_shortcut *way);

// All that were made so far end.
void etherws_forget_shortcuts(struct etherws_shortcuts *shortcuts);

// Where all frames of a run may go: a way to one egress, which takes them as they are, or NULL when any of them is the
// bridge's.
// The hdr_len of super-frames is made true, as the bridge does.
const struct etherws_shortcut *etherws_follow(const struct etherws_shortcuts *shortcuts, const void *ingress,
                                              const struct etherws_run *run, uint64_t now_ms);

// How many finished frames the frames [from, to) of a checked run stand for, and how many octets they have as they lie.
void etherws_count_run(const struct etherws_run *run, uint32_t from, uint32_t to, double *frames, double *octets);

#endif

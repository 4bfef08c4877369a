// A device that frames are read from and written to: a TAP, or a packet socket.
#ifndef ETHERWS_DEVICE_H
#define ETHERWS_DEVICE_H

#include "descriptor.h"
#include "flow_end.h"
#include "frames.h"

struct device {
  struct descriptor head;
  bool has_vnet_header;
  size_t max_frame_bytes;  // of the frames that the datapath reads from it; 0 while the host reads
  uint32_t offloads;       // what it does for frames, as an egress of flows
  struct flow_end flows;
  struct descriptor *expected;  // where its last flow led to, for comparing only; NULL before there was one
  // Back-pressure (backpressure.h).
  const struct descriptor *waits_for;  // it is not read until this one has room; NULL: it is read
  uint64_t waits_since_ms;
  uint64_t no_wait_until_ms;
};

// NULL where the descriptor is no device's.
static inline struct device *device_of(struct descriptor *descriptor) {
  const bool is_device = descriptor->kind == KIND_TAP || descriptor->kind == KIND_PACKET;
  return is_device ? (struct device *)(void *)descriptor : NULL;
}

// Reads what is waiting, until the slab is full, and adds what was dropped to the tally. Frames of more than
// max_frame_bytes are dropped as too long. Without a virtio-net header from the device its ten octets are zero. Returns
// the number of frames, or -errno when there was none and reading failed.
int device_read(const struct device *device, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally);

// Writes frames in order, and adds what was dropped to the tally: one that fails keeps none of the others. Returns how
// many the device took.
int device_write(const struct device *device, const struct frame_slab *slab, const struct frame_selection *frames,
                 uint32_t *tally);

#endif

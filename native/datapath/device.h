// A device that frames are read from and written to: a TAP, or a packet socket.
#ifndef ETHERWS_DEVICE_H
#define ETHERWS_DEVICE_H

#include "descriptor.h"
#include "flow_end.h"
#include "frames.h"

struct device {
  struct descriptor head;
  bool has_vnet_header;
  size_t max_frame_bytes;  // the longest frame that the datapath reads; 0: the host has not asked it to read
  uint32_t offloads;       // ETHERWS_OFFLOAD_* that the device does, as an egress of flows
  struct flow_end flows;
  struct descriptor *expected;  // egress of its last flow, only to be compared; NULL: there was none
  size_t tag_room;              // by how many octets the tag change of that flow makes frames longer: 0 or 4
};

// NULL for a descriptor of another kind.
static inline struct device *device_of(struct descriptor *descriptor) {
  const bool is_device = descriptor->kind == KIND_TAP || descriptor->kind == KIND_PACKET;
  return is_device ? (struct device *)(void *)descriptor : NULL;
}

// Reads frames until none waits or the slab is full, and adds dropped frames to the tally. A frame above max_frame_bytes is
// dropped as too long. Where the device gives no virtio-net header, its ten octets are zero. Returns the number of frames,
// or -errno when the first read failed.
int device_read(const struct device *device, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally);

// Writes frames in order, and adds dropped frames to the tally. A frame that the device refuses does not keep the others
// back. Returns how many frames the device took.
int device_write(const struct device *device, const struct frame_slab *slab, const struct frame_selection *frames,
                 uint32_t *tally);

#endif

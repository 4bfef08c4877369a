// Frames as they lie in a slab.
//
// A record is [4 octets free][10-octet virtio-net header][frame], and the next one stands directly behind. The first
// stands behind SLAB_FRONT_BYTES. A tunnel message can so be made of them where they lie: the free octets take each
// record's length, the front takes the message's header. Where frames are expected to get a tag, the octets of a tag are
// free in front of each record as well, so that the records of the longer frames stand directly behind each other.
#ifndef ETHERWS_FRAMES_H
#define ETHERWS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  VNET_HEADER_BYTES = 10,  // virtio-net header without num_buffers
  LENGTH_BYTES = 4,
  RECORD_HEADER_BYTES = LENGTH_BYTES + VNET_HEADER_BYTES,
  SLAB_FRONT_BYTES = 64,
  MAX_FRAME_BYTES = 65535 + 14 + 8,
};

// Frame i is bytes[starts[i] .. starts[i] + lengths[i]). The memory is the host's.
struct frame_slab {
  uint8_t *bytes;
  size_t size;
  uint32_t *starts;
  uint32_t *lengths;
  size_t capacity;
  size_t tag_room;  // octets that a read leaves free in front of each record: 0, or those of a tag
};

// The frames of a slab that are to be written.
struct frame_selection {
  const uint32_t *indexes;  // NULL: the first `count`
  size_t count;
  bool has_vnet_headers;  // in front of each frame in the slab
  uint32_t gro_offloads;  // those of the device, for which TCP segments are merged (GRO); 0: no GRO
};

static inline uint32_t selected(const struct frame_selection *frames, size_t i) {
  return frames->indexes != NULL ? frames->indexes[i] : (uint32_t)i;
}

#endif

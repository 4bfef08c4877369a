// Generic receive offload (GRO), as Linux does it at ingress: consecutive TCP segments of a flow become one super-frame.
// The rules and their reasons stand in test/support/gro.ts and gro-candidate.ts, the oracle of the tests.
#ifndef ETHERWS_GRO_H
#define ETHERWS_GRO_H

#include "offload.h"

enum {
  ETHERWS_GRO_WINDOW_FRAMES = 256,
  ETHERWS_GRO_FLOWS = 16,
  ETHERWS_NO_FRAME = -1,
};

// A TCP segment, or several in a super-frame, whose checksums are right or vouched for.
struct etherws_segment {
  struct etherws_headers headers;
  uint32_t payload_bytes;
  uint32_t segment_bytes;
  uint32_t segments;
  uint32_t sequence;
  uint16_t id;
  uint8_t flags;
};

struct etherws_group {
  int first;  // index of a frame in the window; `next` leads to the others
  int last;
  uint32_t frames;
  uint32_t payload_bytes;
  uint32_t segments;
  int id_step;  // of the IPv4 identification, from segment to segment: 0 or 1; -1 until two segments are known
  uint8_t closing_flags;
  struct etherws_segment head;  // the first segment; only set in a group that other frames may join
};

// Working memory for one window of frames, about 30 KiB. etherws_gro_take_window fills in frames[0 .. frame_count).
struct etherws_gro {
  struct etherws_frame frames[ETHERWS_GRO_WINDOW_FRAMES];
  uint32_t frame_count;
  int next[ETHERWS_GRO_WINDOW_FRAMES];
  struct etherws_group groups[ETHERWS_GRO_WINDOW_FRAMES];
  uint32_t group_count;
};

// Groups the frames of a window for an egress that takes `offloads`. A group of one frame leaves unchanged.
void etherws_gro_group_frames(struct etherws_gro *gro, uint32_t offloads);

// Writes the offload header and the headers of a group of several frames. `to` has room for
// ETHERWS_OFFLOAD_HEADER_BYTES + ETHERWS_MAX_HEADER_BYTES. Returns the number of octets written; the payload of the
// super-frame is what stands behind head.headers.payload_start in each frame of the group.
uint32_t etherws_gro_write_headers(const struct etherws_gro *gro, const struct etherws_group *group, uint8_t *to);

// Writes frames to a device that takes an offload header in front of each: a TAP with IFF_VNET_HDR, or a bound packet
// socket with PACKET_VNET_HDR. Each group is one writev(2); no payload is copied.
//
// indices: selects frames of `starts` and `lengths`, in order; NULL: the first `count`
// errors: `count` numbers, set to 0, or to the errno with which the frame was lost
//
// Returns how many frames were lost. After an error of the device itself (down, full, deleted) the remaining frames are
// lost without a system call.
uint32_t etherws_gro_write(int fd, const uint8_t *bytes, const uint32_t *starts, const uint32_t *lengths,
                           const uint32_t *indices, uint32_t count, bool has_offload_headers, uint32_t offloads,
                           int *errors);

// Takes the frames of one window, from `indices[from]` on. Returns how many.
uint32_t etherws_gro_take_window(struct etherws_gro *gro, const uint8_t *bytes, const uint32_t *starts,
                                 const uint32_t *lengths, const uint32_t *indices, uint32_t from, uint32_t count,
                                 bool has_offload_headers);

#endif

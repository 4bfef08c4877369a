// Consecutive TCP segments of a flow become one super-frame, as Linux does at ingress (GRO). The rules, and why, stand in
// test/support/gro.ts and gro-candidate.ts, the oracle of tests.
#ifndef ETHERWS_MERGE_H
#define ETHERWS_MERGE_H

#include "offload.h"

enum {
  ETHERWS_MERGE_WINDOW_FRAMES = 256,
  ETHERWS_MERGE_FLOWS = 16,
  ETHERWS_NOBODY = -1,
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
  int first;  // frames of the window; the next of each is in `next`
  int last;
  uint32_t frames;
  uint32_t payload_bytes;
  uint32_t segments;
  int id_step;  // -1 until two identifications are known
  uint8_t closing_flags;
  struct etherws_segment head;  // set when others may join
};

// The scratch of one window, about 30 KiB: the caller fills in frames[0..frame_count).
struct etherws_merge {
  struct etherws_frame frames[ETHERWS_MERGE_WINDOW_FRAMES];
  uint32_t frame_count;
  int next[ETHERWS_MERGE_WINDOW_FRAMES];
  struct etherws_group groups[ETHERWS_MERGE_WINDOW_FRAMES];
  uint32_t group_count;
};

// Groups the frames of a window; a group of one frame goes as it came.
void etherws_group_frames(struct etherws_merge *merge, uint32_t offloads);

// Writes the offload header and the headers of a group of several frames to
// `to`, which has room for ETHERWS_OFFLOAD_HEADER_BYTES + ETHERWS_MAX_HEADER_BYTES.
// The payloads follow: of each frame, what stands behind head.headers.payload_start.
// Returns how many octets were written.
uint32_t etherws_write_merged_headers(const struct etherws_merge *merge, const struct etherws_group *group,
                                      uint8_t *to);

// Writes frames to a device that takes an offload header in front of each (a
// TAP with IFF_VNET_HDR, a bound packet socket with PACKET_VNET_HDR), merged
// where they can be, in one writev each and without copying a payload.
//
// indices: which of `starts` and `lengths`, in order; NULL for the first `count`
// errors: one for each of `count`; 0, or the errno by which the frame was lost
// Returns how many frames were lost. Once the device itself is down or full, the rest is lost without asking.
uint32_t etherws_write_coalesced(int fd, const uint8_t *bytes, const uint32_t *starts, const uint32_t *lengths,
                                 const uint32_t *indices, uint32_t count, bool has_offload_headers, uint32_t offloads,
                                 int *errors);

// Takes the frames of one window into the scratch, from `indices[from]` on. Returns how many.
uint32_t etherws_take_window(struct etherws_merge *merge, const uint8_t *bytes, const uint32_t *starts,
                             const uint32_t *lengths, const uint32_t *indices, uint32_t from, uint32_t count,
                             bool has_offload_headers);

#endif

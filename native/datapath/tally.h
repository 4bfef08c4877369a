// Counts of dropped frames by their reason, and an example frame for each reason that points at a fault.
#ifndef ETHERWS_TALLY_H
#define ETHERWS_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"

// The reasons, as indices into the counts that reads and writes add to.
enum tally_index {
  TALLY_QUEUE_FULL,
  TALLY_LINK_DOWN,
  TALLY_TOO_LONG,
  TALLY_BAD_OFFLOAD,
  TALLY_DEVICE_ERROR,
  TALLY_COUNT,
};

// The octets of an example: the virtio-net header, and the headers of the frame behind it.
enum { EXAMPLE_FRAME_BYTES = 118, EXAMPLE_BYTES = VNET_HEADER_BYTES + EXAMPLE_FRAME_BYTES };

// Whether an error says nothing about the frame, so that it can be retried when the descriptor is ready.
bool warrants_retry(int error);

// Whether the virtio-net header in front of a frame asks for a checksum or segmentation.
bool needs_offload(const uint8_t *frame, bool has_header);

// The reason for which a write failed. With needs_offload, EINVAL is about the virtio-net header.
enum tally_index tally_of_write_error(int error, bool needs_offload);

// Keeps the first octets of a dropped frame, if the reason points at a fault. length 0: there is no frame to show.
void note_fault(enum tally_index reason, const uint8_t *frame, size_t length, bool has_header);

// Writes EXAMPLE_BYTES of the frame that was dropped last for the reason, and forgets it. Returns the frame's length; 0: none.
uint32_t take_fault(enum tally_index reason, uint8_t *bytes);

#endif

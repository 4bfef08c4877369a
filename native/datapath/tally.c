#include "tally.h"

#include <errno.h>
#include <string.h>

// One example for each reason. Worker threads have their own, as they have their own datapath.
static _Thread_local struct {
  uint8_t octets[EXAMPLE_BYTES];
  uint32_t length;  // of the whole frame; 0: there is no example
} examples[TALLY_COUNT];

bool warrants_retry(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

bool needs_offload(const uint8_t *frame, bool has_header) {
  static const uint8_t nothing[VNET_HEADER_BYTES];
  return has_header && memcmp(frame - VNET_HEADER_BYTES, nothing, VNET_HEADER_BYTES) != 0;
}

enum tally_index tally_of_write_error(int error, bool needs_offload) {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM: return TALLY_QUEUE_FULL;
    case EIO:  // of a TAP that is down
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
    case EBADFD:  // of a TAP that was deleted
      return TALLY_LINK_DOWN;
    case EMSGSIZE: return TALLY_TOO_LONG;
    case EINVAL: return needs_offload ? TALLY_BAD_OFFLOAD : TALLY_DEVICE_ERROR;
    default: return TALLY_DEVICE_ERROR;
  }
}

void note_fault(enum tally_index reason, const uint8_t *frame, size_t length, bool has_header) {
  if (reason != TALLY_TOO_LONG && reason != TALLY_BAD_OFFLOAD && reason != TALLY_DEVICE_ERROR) return;
  examples[reason].length = (uint32_t)length;
  if (length == 0) return;
  uint8_t *octets = examples[reason].octets;
  if (has_header) memcpy(octets, frame - VNET_HEADER_BYTES, VNET_HEADER_BYTES);
  else memset(octets, 0, VNET_HEADER_BYTES);
  memcpy(octets + VNET_HEADER_BYTES, frame, length < EXAMPLE_FRAME_BYTES ? length : EXAMPLE_FRAME_BYTES);
}

uint32_t take_fault(enum tally_index reason, uint8_t *bytes) {
  const uint32_t length = examples[reason].length;
  memcpy(bytes, examples[reason].octets, EXAMPLE_BYTES);
  examples[reason].length = 0;
  return length;
}

// One frame of those that reads and writes dropped last for a reason that points at a fault, for the log to show.
#include <string.h>

#include "../node/addon.h"

// The headers of a frame, behind its virtio-net header; src/ports/fault-example.ts has the same numbers.
enum { EXAMPLE_BYTES = 118 };

static _Thread_local struct {
  uint8_t octets[VNET_HEADER_BYTES + EXAMPLE_BYTES];
  uint32_t length;  // of the frame; 0 where there is none
} examples[TALLY_COUNT];

void note_fault(enum tally_index reason, const uint8_t *frame, size_t length, bool has_header) {
  if (reason != TALLY_TOO_LONG && reason != TALLY_BAD_OFFLOAD && reason != TALLY_DEVICE_ERROR) return;
  examples[reason].length = (uint32_t)length;
  if (length == 0) return;
  uint8_t *octets = examples[reason].octets;
  if (has_header) memcpy(octets, frame - VNET_HEADER_BYTES, VNET_HEADER_BYTES);
  else memset(octets, 0, VNET_HEADER_BYTES);
  memcpy(octets + VNET_HEADER_BYTES, frame, length < EXAMPLE_BYTES ? length : EXAMPLE_BYTES);
}

// takeFaultExample(reason, bytes) copies the frame that was dropped last for a reason, an index into the tally, with its
// virtio-net header in front. Returns the frame's length, of which the first EXAMPLE_BYTES are there; 0 for no frame.
napi_value take_fault_example(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  int32_t reason;
  uint8_t *bytes;
  size_t size;
  if (!take_arguments(env, info, arguments, 2) || !take_int32(env, arguments[0], &reason) ||
      !take_octets(env, arguments[1], &bytes, &size)) {
    return NULL;
  }
  if (reason < 0 || reason >= TALLY_COUNT || size < sizeof examples[0].octets) {
    napi_throw_range_error(env, NULL, "no such reason, or no room for an example");
    return NULL;
  }
  memcpy(bytes, examples[reason].octets, sizeof examples[0].octets);
  CHECK_NAPI(env, napi_create_uint32(env, examples[reason].length, &result));
  examples[reason].length = 0;
  return result;
}

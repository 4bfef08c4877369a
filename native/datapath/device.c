#include "device.h"

#include <errno.h>

#include "../offload/gro.h"
#include "packet_socket.h"
#include "tally.h"
#include "tap.h"

// Writes by GRO: consecutive TCP segments of a flow leave as one super-frame. A failed write loses all of them.
static int write_by_gro(const struct device *device, const struct frame_slab *slab,
                        const struct frame_selection *frames, uint32_t *tally) {
  int errors[ETHERWS_GRO_WINDOW_FRAMES];
  size_t lost = 0;
  for (size_t from = 0; from < frames->count; from += ETHERWS_GRO_WINDOW_FRAMES) {
    size_t left = frames->count - from;
    uint32_t count = left < ETHERWS_GRO_WINDOW_FRAMES ? (uint32_t)left : ETHERWS_GRO_WINDOW_FRAMES;
    // Without indexes the window is the part of starts and lengths that begins at `from`.
    const size_t skipped = frames->indexes == NULL ? from : 0;
    const uint32_t *indexes = frames->indexes == NULL ? NULL : frames->indexes + from;
    const uint32_t *starts = slab->starts + skipped, *lengths = slab->lengths + skipped;
    uint32_t failed = etherws_gro_write(device->head.fd, slab->bytes, starts, lengths, indexes, count,
                                        frames->has_vnet_headers, frames->gro_offloads, errors);
    lost += failed;
    for (uint32_t i = 0; i < count && failed > 0; i++) {
      if (errors[i] == 0) continue;
      const uint32_t index = selected(frames, from + i);
      const uint8_t *frame = slab->bytes + slab->starts[index];
      enum tally_index reason = tally_of_write_error(errors[i], needs_offload(frame, frames->has_vnet_headers));
      tally[reason]++;
      note_fault(reason, frame, slab->lengths[index], frames->has_vnet_headers);
    }
  }
  return (int)(frames->count - lost);
}

int device_read(const struct device *device, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally) {
  const int fd = device->head.fd;
  if (fd < 0) return -EBADF;
  return device->head.kind == KIND_TAP ? tap_read(fd, device->has_vnet_header, slab, max_frame_bytes, tally)
                                       : packet_read(fd, device->has_vnet_header, slab, max_frame_bytes, tally);
}

int device_write(const struct device *device, const struct frame_slab *slab, const struct frame_selection *frames,
                 uint32_t *tally) {
  const int fd = device->head.fd;
  if (fd < 0) {
    tally[TALLY_LINK_DOWN] += (uint32_t)frames->count;
    return 0;
  }
  if (device->has_vnet_header && frames->gro_offloads != 0 && frames->count > 1) {
    return write_by_gro(device, slab, frames, tally);
  }
  return device->head.kind == KIND_TAP ? tap_write(fd, device->has_vnet_header, slab, frames, tally)
                                       : packet_write(fd, device->has_vnet_header, slab, frames, tally);
}

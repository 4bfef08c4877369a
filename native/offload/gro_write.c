#include <errno.h>
#include <sys/uio.h>

#include "gro.h"
#include "octets.h"

uint32_t etherws_gro_take_window(struct etherws_gro *gro, const uint8_t *bytes, const uint32_t *starts,
                                 const uint32_t *lengths, const uint32_t *indices, uint32_t from, uint32_t count,
                                 bool has_offload_headers) {
  uint32_t left = count - from;
  gro->frame_count = left < ETHERWS_GRO_WINDOW_FRAMES ? left : ETHERWS_GRO_WINDOW_FRAMES;
  for (uint32_t position = 0; position < gro->frame_count; position++) {
    uint32_t index = indices == NULL ? from + position : indices[from + position];
    const uint8_t *frame = bytes + starts[index];
    const uint8_t *offload = has_offload_headers ? frame - ETHERWS_OFFLOAD_HEADER_BYTES : NULL;
    gro->frames[position] = (struct etherws_frame){frame, offload, lengths[index]};
  }
  return gro->frame_count;
}

// Returns 0 or an errno. A device takes a frame as a whole or refuses it.
static int write_vector(int fd, const struct iovec *vector, int count) {
  ssize_t written;
  do {
    written = writev(fd, vector, count);
  } while (written < 0 && errno == EINTR);
  return written < 0 ? errno : 0;
}

static int write_group(int fd, const struct etherws_gro *gro, const struct etherws_group *group) {
  static const uint8_t nothing_owed[ETHERWS_OFFLOAD_HEADER_BYTES];
  const struct etherws_frame *first = &gro->frames[group->first];
  struct iovec vector[1 + ETHERWS_GRO_WINDOW_FRAMES];
  if (group->frames == 1) {
    if (first->offload != NULL) {
      // Header and frame are adjacent in the slab.
      vector[0] = (struct iovec){(void *)first->offload, ETHERWS_OFFLOAD_HEADER_BYTES + (size_t)first->length};
      return write_vector(fd, vector, 1);
    }
    vector[0] = (struct iovec){(void *)nothing_owed, sizeof nothing_owed};
    vector[1] = (struct iovec){(void *)first->bytes, first->length};
    return write_vector(fd, vector, 2);
  }
  uint8_t headers[ETHERWS_OFFLOAD_HEADER_BYTES + ETHERWS_MAX_HEADER_BYTES];
  uint32_t header_bytes = etherws_gro_write_headers(gro, group, headers);
  uint32_t payload_start = header_bytes - ETHERWS_OFFLOAD_HEADER_BYTES;
  int count = 0;
  vector[count++] = (struct iovec){headers, header_bytes};
  for (int index = group->first; index != ETHERWS_NO_FRAME; index = gro->next[index]) {
    const struct etherws_frame *frame = &gro->frames[index];
    vector[count++] = (struct iovec){(void *)(frame->bytes + payload_start), frame->length - payload_start};
  }
  return write_vector(fd, vector, count);
}

// Whether the following frames would fail with the same error. A TAP answers EIO while it is down, and EBADFD after it
// was deleted.
static bool is_device_error(int error) {
  return error == EAGAIN || error == EIO || error == EBADFD || error == ENETDOWN || error == ENODEV || error == ENXIO;
}

uint32_t etherws_gro_write(int fd, const uint8_t *bytes, const uint32_t *starts, const uint32_t *lengths,
                           const uint32_t *indices, uint32_t count, bool has_offload_headers, uint32_t offloads,
                           int *errors) {
  struct etherws_gro gro;
  uint32_t lost = 0;
  int error = 0;
  for (uint32_t from = 0; from < count;) {
    uint32_t taken = etherws_gro_take_window(&gro, bytes, starts, lengths, indices, from, count, has_offload_headers);
    etherws_gro_group_frames(&gro, offloads);
    for (uint32_t ordinal = 0; ordinal < gro.group_count; ordinal++) {
      const struct etherws_group *group = &gro.groups[ordinal];
      if (!is_device_error(error)) error = write_group(fd, &gro, group);
      if (error != 0) lost += group->frames;
      for (int index = group->first; index != ETHERWS_NO_FRAME; index = gro.next[index]) errors[from + index] = error;
    }
    from += taken;
  }
  return lost;
}

#include <errno.h>
#include <sys/uio.h>

#include "merge.h"
#include "octets.h"

uint32_t etherws_take_window(struct etherws_merge *merge, const uint8_t *bytes, const uint32_t *starts,
                             const uint32_t *lengths, const uint32_t *indices, uint32_t from, uint32_t count,
                             bool has_offload_headers) {
  uint32_t left = count - from;
  merge->frame_count = left < ETHERWS_MERGE_WINDOW_FRAMES ? left : ETHERWS_MERGE_WINDOW_FRAMES;
  for (uint32_t position = 0; position < merge->frame_count; position++) {
    uint32_t index = indices == NULL ? from + position : indices[from + position];
    const uint8_t *frame = bytes + starts[index];
    const uint8_t *offload = has_offload_headers ? frame - ETHERWS_OFFLOAD_HEADER_BYTES : NULL;
    merge->frames[position] = (struct etherws_frame){frame, offload, lengths[index]};
  }
  return merge->frame_count;
}

// Returns 0 or an errno. A device takes a frame or refuses it, never a part.
static int write_vector(int fd, const struct iovec *vector, int count) {
  ssize_t written;
  do {
    written = writev(fd, vector, count);
  } while (written < 0 && errno == EINTR);
  return written < 0 ? errno : 0;
}

static int write_group(int fd, const struct etherws_merge *merge, const struct etherws_group *group) {
  static const uint8_t nothing_owed[ETHERWS_OFFLOAD_HEADER_BYTES];
  const struct etherws_frame *first = &merge->frames[group->first];
  struct iovec vector[1 + ETHERWS_MERGE_WINDOW_FRAMES];
  if (group->frames == 1) {
    if (first->offload != NULL) {
      // The header stands in front of its frame already.
      vector[0] = (struct iovec){(void *)first->offload, ETHERWS_OFFLOAD_HEADER_BYTES + (size_t)first->length};
      return write_vector(fd, vector, 1);
    }
    vector[0] = (struct iovec){(void *)nothing_owed, sizeof nothing_owed};
    vector[1] = (struct iovec){(void *)first->bytes, first->length};
    return write_vector(fd, vector, 2);
  }
  uint8_t headers[ETHERWS_OFFLOAD_HEADER_BYTES + ETHERWS_MAX_HEADER_BYTES];
  uint32_t header_bytes = etherws_write_merged_headers(merge, group, headers);
  uint32_t payload_start = header_bytes - ETHERWS_OFFLOAD_HEADER_BYTES;
  int count = 0;
  vector[count++] = (struct iovec){headers, header_bytes};
  for (int index = group->first; index != ETHERWS_NOBODY; index = merge->next[index]) {
    const struct etherws_frame *frame = &merge->frames[index];
    vector[count++] = (struct iovec){(void *)(frame->bytes + payload_start), frame->length - payload_start};
  }
  return write_vector(fd, vector, count);
}

// What is down or full for one frame is so for those behind it: EIO and EBADFD
// are what a TAP answers while it is down, and once it was deleted.
static bool concerns_the_device(int error) {
  return error == EAGAIN || error == EIO || error == EBADFD || error == ENETDOWN || error == ENODEV || error == ENXIO;
}

uint32_t etherws_write_coalesced(int fd, const uint8_t *bytes, const uint32_t *starts, const uint32_t *lengths,
                                 const uint32_t *indices, uint32_t count, bool has_offload_headers, uint32_t offloads,
                                 int *errors) {
  struct etherws_merge merge;
  uint32_t lost = 0;
  int error = 0;
  for (uint32_t from = 0; from < count;) {
    uint32_t taken = etherws_take_window(&merge, bytes, starts, lengths, indices, from, count, has_offload_headers);
    etherws_group_frames(&merge, offloads);
    for (uint32_t ordinal = 0; ordinal < merge.group_count; ordinal++) {
      const struct etherws_group *group = &merge.groups[ordinal];
      if (!concerns_the_device(error)) error = write_group(fd, &merge, group);
      if (error != 0) lost += group->frames;
      for (int index = group->first; index != ETHERWS_NOBODY; index = merge.next[index]) errors[from + index] = error;
    }
    from += taken;
  }
  return lost;
}

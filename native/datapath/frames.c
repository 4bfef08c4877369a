// A batch in, a batch out: the two calls of the data path.
#include <errno.h>
#include <string.h>

#include "../node/addon.h"
#include "../offload/merge.h"

static bool take_slab(napi_env env, const napi_value *values, struct frame_slab *slab) {
  size_t starts, lengths;
  if (!take_octets(env, values[0], &slab->bytes, &slab->size) || !take_words(env, values[1], &slab->starts, &starts) ||
      !take_words(env, values[2], &slab->lengths, &lengths)) {
    return false;
  }
  slab->capacity = starts < lengths ? starts : lengths;
  return true;
}

static bool take_tally(napi_env env, napi_value value, uint32_t **tally) {
  size_t length;
  if (!take_words(env, value, tally, &length)) return false;
  if (length < TALLY_COUNT) {
    napi_throw_range_error(env, NULL, "the tally is too short");
    return false;
  }
  memset(*tally, 0, TALLY_COUNT * sizeof **tally);
  return true;
}

int read_waiting(const struct descriptor *descriptor, struct frame_slab *slab, size_t room, uint32_t *tally) {
  if (descriptor->fd < 0) return -EBADF;
  return descriptor->kind == KIND_TAP ? tap_read(descriptor, slab, room, tally)
                                      : packet_read(descriptor, slab, room, tally);
}

// readFrames(descriptor, bytes, starts, lengths, room, tally) returns how many frames it read, or -errno.
//
// A record is [4 octets free][10-octet virtio-net header][frame], and the next one stands directly behind. The first
// stands behind SLAB_FRONT_BYTES. Without header from the device the ten octets are zero. `room` is the longest frame
// to expect; what is longer is dropped as too long. It stops when nothing is waiting or the slab has no more room.
napi_value read_frames(napi_env env, napi_callback_info info) {
  napi_value arguments[6], result;
  struct descriptor *descriptor;
  struct frame_slab slab;
  int32_t room;
  uint32_t *tally;
  if (!take_arguments(env, info, arguments, 6) || !take_descriptor(env, arguments[0], &descriptor) ||
      !take_slab(env, arguments + 1, &slab) || !take_int32(env, arguments[4], &room) ||
      !take_tally(env, arguments[5], &tally)) {
    return NULL;
  }
  int count = room > 0 && room <= MAX_FRAME_BYTES ? read_waiting(descriptor, &slab, (size_t)room, tally) : -EBADF;
  CHECK_NAPI(env, napi_create_int32(env, count, &result));
  return result;
}

bool owes(const uint8_t *frame, bool has_header) {
  static const uint8_t nothing[VNET_HEADER_BYTES];
  return has_header && memcmp(frame - VNET_HEADER_BYTES, nothing, VNET_HEADER_BYTES) != 0;
}

// Consecutive segments of a flow leave as one super-frame, and are lost together.
static int write_merged(const struct descriptor *descriptor, const struct frame_slab *slab,
                        const struct frame_selection *frames, uint32_t *tally) {
  int errors[ETHERWS_MERGE_WINDOW_FRAMES];
  size_t lost = 0;
  for (size_t from = 0; from < frames->count; from += ETHERWS_MERGE_WINDOW_FRAMES) {
    size_t left = frames->count - from;
    uint32_t count = left < ETHERWS_MERGE_WINDOW_FRAMES ? (uint32_t)left : ETHERWS_MERGE_WINDOW_FRAMES;
    // Without indexes the window is moved over the frames themselves.
    const size_t skipped = frames->indexes == NULL ? from : 0;
    const uint32_t *indexes = frames->indexes == NULL ? NULL : frames->indexes + from;
    const uint32_t *starts = slab->starts + skipped, *lengths = slab->lengths + skipped;
    uint32_t failed = etherws_write_coalesced(descriptor->fd, slab->bytes, starts, lengths, indexes, count,
                                              frames->has_vnet_headers, frames->merge_for, errors);
    lost += failed;
    for (uint32_t i = 0; i < count && failed > 0; i++) {
      if (errors[i] == 0) continue;
      const uint32_t index = selected(frames, from + i);
      const uint8_t *frame = slab->bytes + slab->starts[index];
      enum tally_index reason = tally_of_write_error(errors[i], owes(frame, frames->has_vnet_headers));
      tally[reason]++;
      note_fault(reason, frame, slab->lengths[index], frames->has_vnet_headers);
    }
  }
  return (int)(frames->count - lost);
}

int write_selection(const struct descriptor *descriptor, const struct frame_slab *slab,
                    const struct frame_selection *frames, uint32_t *tally) {
  if (descriptor->has_vnet_header && frames->merge_for != 0 && frames->count > 1) {
    return write_merged(descriptor, slab, frames, tally);
  }
  return descriptor->kind == KIND_TAP ? tap_write(descriptor, slab, frames, tally)
                                      : packet_write(descriptor, slab, frames, tally);
}

// writeFrames(descriptor, bytes, starts, lengths, indexes, count, hasOffloadHeaders, mergeFor, tally) returns how many
// the device took. One failing frame keeps none of the others.
napi_value write_frames(napi_env env, napi_callback_info info) {
  napi_value arguments[9], result;
  struct descriptor *descriptor;
  struct frame_slab slab;
  struct frame_selection frames;
  size_t indexes;
  int32_t count, merge_for;
  uint32_t *tally;
  if (!take_arguments(env, info, arguments, 9) || !take_descriptor(env, arguments[0], &descriptor) ||
      !take_slab(env, arguments + 1, &slab) || !take_words(env, arguments[4], (uint32_t **)&frames.indexes, &indexes) ||
      !take_int32(env, arguments[5], &count) || !take_bool(env, arguments[6], &frames.has_vnet_headers) ||
      !take_int32(env, arguments[7], &merge_for) || !take_tally(env, arguments[8], &tally)) {
    return NULL;
  }
  frames.merge_for = (uint32_t)merge_for;
  frames.count = count < 0 ? 0 : (size_t)count < indexes ? (size_t)count : indexes;
  // Each frame and its header must lie within the slab: a mistake above must not become an over-read here.
  for (size_t i = 0; i < frames.count; i++) {
    uint32_t index = frames.indexes[i];
    if (index >= slab.capacity || slab.starts[index] > slab.size ||
        slab.lengths[index] > slab.size - slab.starts[index] ||
        (frames.has_vnet_headers && slab.starts[index] < VNET_HEADER_BYTES)) {
      napi_throw_range_error(env, NULL, "a frame lies outside of its slab");
      return NULL;
    }
  }
  int taken = 0;
  if (descriptor->fd < 0) {
    tally[TALLY_LINK_DOWN] = (uint32_t)frames.count;
  } else {
    taken = write_selection(descriptor, &slab, &frames, tally);
  }
  CHECK_NAPI(env, napi_create_int32(env, taken, &result));
  return result;
}

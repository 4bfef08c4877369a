// Sending through a tunnel, for src/ports/stream/kernel-stream.ts.
#include "../datapath/send.h"

#include "../datapath/frames.h"
#include "../datapath/outgoing.h"
#include "../datapath/tunnel.h"
#include "../datapath/websocket_messages.h"
#include "bindings.h"
#include "stream_values.h"
#include "values.h"

static napi_value number(napi_env env, ssize_t value) {
  napi_value result;
  CHECK_NAPI(env, napi_create_int32(env, (int32_t)value, &result));
  return result;
}

// sendOctets(descriptor, bytes, from, to) returns how many octets wait now, or -errno.
static napi_value send_octets(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct stream *stream;
  uint8_t *bytes;
  size_t length;
  if (!take_arguments(env, info, arguments, 4) || !take_tunnel(env, arguments[0], "sendOctets", &stream) ||
      !take_range(env, arguments + 1, &bytes, &length)) {
    return NULL;
  }
  return number(env, tunnel_send(stream, bytes, length));
}

// sendRecord(descriptor, type, content) returns as sendOctets.
static napi_value send_record(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct stream *stream;
  uint8_t *content;
  size_t length;
  int32_t type;
  if (!take_arguments(env, info, arguments, 3) || !take_tunnel(env, arguments[0], "sendRecord", &stream) ||
      !take_int32(env, arguments[1], &type) || !take_octets(env, arguments[2], &content, &length)) {
    return NULL;
  }
  return number(env, tunnel_send_record(stream, (uint8_t)type, content, length));
}

// Whether all frames, and their offload headers if there are any, lie within the slab.
static bool are_inside(const struct etherws_batch *frames, size_t size, size_t listed) {
  const uint32_t front = frames->has_offload_headers ? VNET_HEADER_BYTES : 0;
  for (uint32_t i = 0; i < frames->count; i++) {
    const uint32_t index = frames->indexes[i];
    if (index >= listed || frames->starts[index] < front || frames->starts[index] > size ||
        frames->lengths[index] > size - frames->starts[index]) {
      return false;
    }
  }
  return true;
}

// The most octets that the messages of these frames can have.
static size_t most_bytes(const struct etherws_batch *frames, bool is_batched, size_t least) {
  if (is_batched) return etherws_batch_bytes(frames) + ETHERWS_MAX_MESSAGE_HEADER_BYTES;
  size_t bytes = 0;
  for (uint32_t i = 0; i < frames->count; i++) {
    const size_t length = frames->lengths[frames->indexes[i]];
    bytes += ETHERWS_MAX_MESSAGE_HEADER_BYTES + (length < least ? least : length);
  }
  return bytes;
}

// sendFrames(descriptor, bytes, starts, lengths, indexes, count, hasOffloadHeaders, leastBytes) sends selected frames
// as messages of the tunnel's wire. Returns as sendOctets.
static napi_value send_frames(napi_env env, napi_callback_info info) {
  napi_value arguments[8];
  struct stream *stream;
  uint8_t *bytes;
  uint32_t *starts, *lengths, *indexes;
  size_t size, starts_count, lengths_count, indexes_count;
  int32_t count, least;
  bool has_offload_headers;
  if (!take_arguments(env, info, arguments, 8) || !take_tunnel(env, arguments[0], "sendFrames", &stream) ||
      !take_octets(env, arguments[1], &bytes, &size) || !take_words(env, arguments[2], &starts, &starts_count) ||
      !take_words(env, arguments[3], &lengths, &lengths_count) ||
      !take_words(env, arguments[4], &indexes, &indexes_count) || !take_int32(env, arguments[5], &count) ||
      !take_bool(env, arguments[6], &has_offload_headers) || !take_int32(env, arguments[7], &least)) {
    return NULL;
  }
  const size_t listed = starts_count < lengths_count ? starts_count : lengths_count;
  if (count < 1 || (size_t)count > indexes_count || least < 0) {
    return throw_range(env, "there are fewer frames than were announced");
  }
  const struct etherws_batch frames = {bytes, starts, lengths, indexes, (uint32_t)count, has_offload_headers};
  if (!are_inside(&frames, size, listed)) {
    return throw_range(env, "a frame lies outside of its slab");
  }
  if (most_bytes(&frames, stream->tunnel->is_batched, (size_t)least) > MESSAGE_BLOCK_BYTES) {
    return throw_range(env, "the frames are too long to be sent at once");
  }
  return number(env, tunnel_send_frames(stream, &frames, (size_t)least));
}

napi_value init_send(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"sendOctets", send_octets},
      {"sendRecord", send_record},
      {"sendFrames", send_frames},
  };
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}

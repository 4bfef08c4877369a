// TAP devices and packet sockets.
#include <errno.h>
#include <string.h>

#include "../datapath/datapath.h"
#include "../datapath/device.h"
#include "../datapath/packet_socket.h"
#include "../datapath/state.h"
#include "../datapath/tally.h"
#include "../datapath/tap.h"
#include "bindings.h"
#include "handle.h"
#include "values.h"

static bool take_device(napi_env env, napi_value value, struct device **result) {
  struct descriptor *descriptor;
  if (!take_descriptor(env, value, &descriptor)) return false;
  *result = device_of(descriptor);
  if (*result != NULL) return true;
  napi_throw_type_error(env, NULL, "expected the descriptor of a device");
  return false;
}

// openTap(name, features, sendBufferBytes) returns {descriptor, name, features, isPersistent}.
static napi_value open_tap(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result;
  struct tap_settings settings = {0};
  const char *failed_call;
  if (!take_arguments(env, info, arguments, 3) ||
      !take_string(env, arguments[0], settings.name, sizeof settings.name) ||
      !take_int32(env, arguments[1], &settings.features) ||
      !take_int32(env, arguments[2], &settings.send_buffer_bytes)) {
    return NULL;
  }
  int fd = tap_open(&settings, &failed_call);
  if (fd < 0) return throw_errno(env, -fd, failed_call);
  napi_value descriptor = handle_create(env, fd, KIND_TAP, settings.features >= 0);
  if (descriptor == NULL) return NULL;
  CHECK_NAPI(env, napi_create_object(env, &result));
  CHECK_NAPI(env, napi_set_named_property(env, result, "descriptor", descriptor));
  if (!set_string(env, result, "name", settings.name) || !set_number(env, result, "features", settings.features) ||
      !set_bool(env, result, "isPersistent", settings.is_persistent)) {
    return NULL;
  }
  return result;
}

// openPacketSocket(interfaceIndex, hasOffloadHeaders, receiveBufferBytes) returns a descriptor.
static napi_value open_packet_socket(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int32_t index, receive_buffer_bytes;
  bool has_vnet_header;
  const char *failed_call;
  if (!take_arguments(env, info, arguments, 3) || !take_int32(env, arguments[0], &index) ||
      !take_bool(env, arguments[1], &has_vnet_header) || !take_int32(env, arguments[2], &receive_buffer_bytes)) {
    return NULL;
  }
  int fd = packet_open(index, has_vnet_header, receive_buffer_bytes, &failed_call);
  if (fd < 0) return throw_errno(env, -fd, failed_call);
  return handle_create(env, fd, KIND_PACKET, has_vnet_header);
}

// packetSocketsTakeUso()
static napi_value packet_sockets_take_uso(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  CHECK_NAPI(env, napi_get_boolean(env, packet_takes_uso(), &result));
  return result;
}

static bool take_slab(napi_env env, const napi_value *values, struct frame_slab *slab) {
  size_t starts, lengths;
  if (!take_octets(env, values[0], &slab->bytes, &slab->size) || !take_words(env, values[1], &slab->starts, &starts) ||
      !take_words(env, values[2], &slab->lengths, &lengths)) {
    return false;
  }
  slab->capacity = starts < lengths ? starts : lengths;
  slab->tag_room = 0;
  return true;
}

static bool take_tally(napi_env env, napi_value value, uint32_t **tally) {
  size_t length;
  if (!take_words(env, value, tally, &length)) return false;
  if (length < TALLY_COUNT) {
    napi_throw_range_error(env, NULL, "the tally is too short");
    return false;
  }
  return true;
}

// Whether a frame and its header lie within the slab. Checked here, because a wrong position would read memory outside
// of the slab.
static bool is_within(const struct frame_slab *slab, uint32_t index, bool has_vnet_header) {
  return index < slab->capacity && slab->starts[index] <= slab->size &&
         slab->lengths[index] <= slab->size - slab->starts[index] &&
         (!has_vnet_header || slab->starts[index] >= VNET_HEADER_BYTES);
}

// writeFrames(descriptor, bytes, starts, lengths, indexes, count, hasOffloadHeaders, groOffloads, tally) returns how
// many frames the device took.
static napi_value write_frames(napi_env env, napi_callback_info info) {
  napi_value arguments[9], result;
  struct device *device;
  struct frame_slab slab;
  struct frame_selection frames;
  size_t indexes;
  int32_t count, gro_offloads;
  uint32_t *tally;
  if (!take_arguments(env, info, arguments, 9) || !take_device(env, arguments[0], &device) ||
      !take_slab(env, arguments + 1, &slab) || !take_words(env, arguments[4], (uint32_t **)&frames.indexes, &indexes) ||
      !take_int32(env, arguments[5], &count) || !take_bool(env, arguments[6], &frames.has_vnet_headers) ||
      !take_int32(env, arguments[7], &gro_offloads) || !take_tally(env, arguments[8], &tally)) {
    return NULL;
  }
  frames.gro_offloads = (uint32_t)gro_offloads;
  frames.count = count < 0 ? 0 : (size_t)count < indexes ? (size_t)count : indexes;
  for (size_t i = 0; i < frames.count; i++) {
    if (is_within(&slab, frames.indexes[i], frames.has_vnet_headers)) continue;
    return throw_range(env, "a frame lies outside of its slab");
  }
  memset(tally, 0, TALLY_COUNT * sizeof *tally);
  CHECK_NAPI(env, napi_create_int32(env, device_write(device, &slab, &frames, tally), &result));
  return result;
}

// takeFaultExample(reason, bytes) returns the length of a dropped frame; 0: there is none. `bytes` gets the frame's
// virtio-net header, and EXAMPLE_FRAME_BYTES from its beginning.
static napi_value take_fault_example(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  int32_t reason;
  uint8_t *bytes;
  size_t size;
  if (!take_arguments(env, info, arguments, 2) || !take_int32(env, arguments[0], &reason) ||
      !take_octets(env, arguments[1], &bytes, &size)) {
    return NULL;
  }
  if (reason < 0 || reason >= TALLY_COUNT || size < EXAMPLE_BYTES) {
    return throw_range(env, "no such reason, or no room for an example");
  }
  CHECK_NAPI(env, napi_create_uint32(env, take_fault((enum tally_index)reason, bytes), &result));
  return result;
}

static bool keep(napi_env env, napi_value value) {
  napi_ref reference;  // never deleted: it ends with the environment
  return napi_create_reference(env, value, 1, &reference) == napi_ok;
}

// shareDeviceSlab(bytes, starts, lengths, tally)
static napi_value share_device_slab(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct frame_slab slab;
  uint32_t *tally;
  if (!take_arguments(env, info, arguments, 4) || !take_slab(env, arguments, &slab) ||
      !take_tally(env, arguments[3], &tally)) {
    return NULL;
  }
  for (int i = 0; i < 4; i++) {
    if (!keep(env, arguments[i])) return throw_napi_failure(env);
  }
  datapath_share_device_slab(host_of(env)->datapath, slab, tally);
  return NULL;
}

// readsFrames(descriptor, maxFrameBytes)
static napi_value reads_frames(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct device *device;
  int32_t max_frame_bytes;
  if (!take_arguments(env, info, arguments, 2) || !take_device(env, arguments[0], &device) ||
      !take_int32(env, arguments[1], &max_frame_bytes)) {
    return NULL;
  }
  if (max_frame_bytes < 0 || max_frame_bytes > MAX_FRAME_BYTES || device->head.datapath->tally == NULL) {
    return throw_range(env, "maxFrameBytes is out of range, or no slab has been shared");
  }
  device->max_frame_bytes = (size_t)max_frame_bytes;
  return NULL;
}

napi_value init_devices(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"openTap", open_tap},
      {"openPacketSocket", open_packet_socket},
      {"packetSocketsTakeUso", packet_sockets_take_uso},
      {"writeFrames", write_frames},
      {"takeFaultExample", take_fault_example},
      {"shareDeviceSlab", share_device_slab},
      {"readsFrames", reads_frames},
  };
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}

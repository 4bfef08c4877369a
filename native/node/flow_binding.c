// The fast path as src/ports/shortcuts.ts, device-port.ts and native-transport.ts call for it.
#include <errno.h>
#include <stdlib.h>

#include "../datapath/fast_path.h"

enum { CELLS = 4 };

// What a port counts in, kept alive as long as its descriptor may count there.
static bool take_cells(napi_env env, napi_value value, struct descriptor *descriptor) {
  uint8_t *bytes;
  size_t length;
  if (!take_octets(env, value, &bytes, &length)) return false;
  if (length < CELLS * sizeof(double)) {
    napi_throw_range_error(env, NULL, "a port has four cells");
    return false;
  }
  if (descriptor->cells == (double *)(void *)bytes) return true;
  if (descriptor->cells_of != NULL) napi_delete_reference(env, descriptor->cells_of);
  descriptor->cells_of = NULL;
  descriptor->cells = NULL;
  if (napi_create_reference(env, value, 1, &descriptor->cells_of) != napi_ok) return false;
  descriptor->cells = (double *)(void *)bytes;
  return true;
}

// addShortcut(ingress, ingressCells, egress, egressCells, bytes, start, end, offloads, maxFrameBytes, tagAllowance,
// lifeMs, mayWait)
static napi_value add_shortcut(napi_env env, napi_callback_info info) {
  napi_value arguments[12];
  struct descriptor *ingress, *egress;
  uint8_t *frame;
  size_t length;
  int32_t offloads, max_frame_bytes, tag_allowance, life_ms;
  bool may_wait;
  if (!take_arguments(env, info, arguments, 12) || !take_descriptor(env, arguments[0], &ingress) ||
      !take_descriptor(env, arguments[2], &egress) || !take_range(env, arguments + 4, &frame, &length) ||
      !take_int32(env, arguments[7], &offloads) || !take_int32(env, arguments[8], &max_frame_bytes) ||
      !take_int32(env, arguments[9], &tag_allowance) || !take_int32(env, arguments[10], &life_ms) ||
      !take_bool(env, arguments[11], &may_wait)) {
    return NULL;
  }
  struct fast_path *fast = ingress->fast;
  if (fast == NULL || !ingress->is_watched || !egress->is_watched || ingress->fd < 0 || egress->fd < 0) return NULL;
  if (fast->shortcuts == NULL && (fast->shortcuts = calloc(1, sizeof *fast->shortcuts)) == NULL) return NULL;
  if (!take_cells(env, arguments[1], ingress) || !take_cells(env, arguments[3], egress)) return NULL;
  egress->offloads = (uint32_t)offloads;
  const struct etherws_shortcut way = {.ingress = ingress,
                                       .egress = egress,
                                       .until_ms = uv_now(ingress->poll.loop) + (uint64_t)(life_ms < 0 ? 0 : life_ms),
                                       .offloads = (uint32_t)offloads,
                                       .max_frame_bytes = (uint32_t)max_frame_bytes,
                                       .tag_allowance = (uint32_t)tag_allowance,
                                       .may_wait = may_wait};
  etherws_add_shortcut(fast->shortcuts, frame, (uint32_t)length, &way);
  return NULL;
}

// forgetShortcuts(): what has been decided may not hold any more.
static napi_value forget_shortcuts(napi_env env, napi_callback_info info) {
  (void)info;
  struct fast_path *fast = fast_path_of(env);
  if (fast != NULL && fast->shortcuts != NULL) etherws_forget_shortcuts(fast->shortcuts);
  return NULL;
}

static bool keep(napi_env env, napi_value value) {
  napi_ref reference;  // for as long as the environment lives
  return napi_create_reference(env, value, 1, &reference) == napi_ok;
}

// shareDeviceSlab(bytes, starts, lengths, tally): where devices are read to before JavaScript is called.
static napi_value share_device_slab(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct frame_slab slab;
  uint32_t *tally;
  size_t starts, lengths, tallied;
  if (!take_arguments(env, info, arguments, 4) || !take_octets(env, arguments[0], &slab.bytes, &slab.size) ||
      !take_words(env, arguments[1], &slab.starts, &starts) ||
      !take_words(env, arguments[2], &slab.lengths, &lengths) || !take_words(env, arguments[3], &tally, &tallied)) {
    return NULL;
  }
  if (tallied < TALLY_COUNT) {
    napi_throw_range_error(env, NULL, "the tally is too short");
    return NULL;
  }
  for (int i = 0; i < 4; i++) {
    if (!keep(env, arguments[i])) return throw_napi_failure(env);
  }
  slab.capacity = starts < lengths ? starts : lengths;
  struct fast_path *fast = fast_path_of(env);
  fast->device_slab = slab;
  fast->tally = tally;
  return NULL;
}

// shareFrameList(starts, lengths): where frames that came by a tunnel are listed when JavaScript is called.
static napi_value share_frame_list(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint32_t *starts, *lengths;
  size_t first, second;
  if (!take_arguments(env, info, arguments, 2) || !take_words(env, arguments[0], &starts, &first) ||
      !take_words(env, arguments[1], &lengths, &second)) {
    return NULL;
  }
  if (!keep(env, arguments[0]) || !keep(env, arguments[1])) return throw_napi_failure(env);
  struct fast_path *fast = fast_path_of(env);
  fast->starts = starts;
  fast->lengths = lengths;
  fast->capacity = (uint32_t)(first < second ? first : second);
  return NULL;
}

// shareBufferCells(cells): what is held is counted there from now on.
static napi_value share_buffer_cells(napi_env env, napi_callback_info info) {
  napi_value cells;
  uint8_t *bytes;
  size_t length;
  if (!take_arguments(env, info, &cells, 1) || !take_octets(env, cells, &bytes, &length)) return NULL;
  if (length < BUFFER_CELLS * sizeof(double)) {
    napi_throw_range_error(env, NULL, "there are three cells");
    return NULL;
  }
  struct fast_path *fast = fast_path_of(env);
  if (fast->buffers != NULL) {
    // Other cells, as a test has them, begin with what is held.
    ((double *)(void *)bytes)[HELD_HERE] += fast->buffers[HELD_HERE];
    fast->buffers[HELD_HERE] = 0;
  }
  if (!keep(env, cells)) return throw_napi_failure(env);
  fast->buffers = (double *)(void *)bytes;
  return NULL;
}

// readsFrames(descriptor, room): from now on the device is read before JavaScript is called, for frames of up to so many
// octets.
static napi_value reads_frames(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct descriptor *descriptor;
  int32_t room;
  if (!take_arguments(env, info, arguments, 2) || !take_descriptor(env, arguments[0], &descriptor) ||
      !take_int32(env, arguments[1], &room)) {
    return NULL;
  }
  if (room < 0 || room > MAX_FRAME_BYTES || descriptor->fast == NULL || descriptor->fast->tally == NULL) {
    napi_throw_range_error(env, NULL, "no room for frames");
    return NULL;
  }
  descriptor->room = (size_t)room;
  return NULL;
}
static napi_value do_nothing(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  return NULL;
}
static void on_patience_closed(uv_handle_t *handle) {
  struct fast_path *fast = handle->data;
  napi_remove_async_cleanup_hook(fast->cleanup);
  fast_path_release(fast);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  struct fast_path *fast = data;
  (void)hook;
  uv_close((uv_handle_t *)&fast->patience, on_patience_closed);
}

napi_value init_fast_path(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"addShortcut", add_shortcut},
      {"forgetShortcuts", forget_shortcuts},
      {"shareDeviceSlab", share_device_slab},
      {"shareFrameList", share_frame_list},
      {"shareBufferCells", share_buffer_cells},
      {"heldBytes", held_bytes},
      {"readsFrames", reads_frames},
      {"openTunnel", open_tunnel},
      {"readTunnel", read_tunnel},
      {"feedTunnel", feed_tunnel},
      {"sealTunnel", seal_tunnel},
      {"renewTunnelKeys", renew_tunnel_keys},
  };
  struct fast_path *fast = calloc(1, sizeof *fast);
  if (fast == NULL) return throw_errno(env, ENOMEM, "calloc");
  // The environment's, and the timer's.
  fast->owners = 2;
  instance_of(env)->fast_path = fast;
  uv_loop_t *loop;
  napi_value nothing;
  CHECK_NAPI(env, napi_create_function(env, "nothing", NAPI_AUTO_LENGTH, do_nothing, NULL, &nothing));
  CHECK_NAPI(env, napi_create_reference(env, nothing, 1, &fast->nothing));
  CHECK_NAPI(env, napi_get_uv_event_loop(env, &loop));
  uv_timer_init(loop, &fast->patience);
  fast->patience.data = fast;
  uv_unref((uv_handle_t *)&fast->patience);
  CHECK_NAPI(env, napi_add_async_cleanup_hook(env, on_environment_end, fast, &fast->cleanup));
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}

// What the fast path shares with JavaScript: device-port.ts and native-transport.ts call for it.
#include <errno.h>
#include <stdlib.h>

#include "../datapath/fast_path.h"

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

#include "fast-path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "websocket/messages.h"

enum {
  // What is written at once, but for the frame that goes beyond it: what does not leave can be overtaken by nothing.
  WRITE_BYTES = 64 * 1024,
  BLOCK_BYTES = WRITE_BYTES + MAX_FRAME_BYTES + 4096,
  // The most frames of one message; the shortest are 28 octets with what stands in front of them.
  MESSAGE_FRAMES = 1024,
  CELLS = 4,
  // How long a device waits for room; then the bridge's queues have to drop what cannot leave.
  MAX_WAIT_MS = 100,
  // A device whose frames all leave by shortcuts is read in pieces that are worth a write, so many a turn.
  ROUNDS = 4,
  PIECE_BYTES = 32 * 1024,
};

// In a port's cells: what src/bridge/counters.ts counts.
enum { RX = 0, TX = 2 };

static struct fast_path *fast_path_of(napi_env env) {
  struct instance *instance = instance_of(env);
  return instance == NULL ? NULL : instance->fast_path;
}

struct fast_path *fast_path_hold(napi_env env) {
  struct fast_path *fast = fast_path_of(env);
  if (fast != NULL) fast->owners++;
  return fast;
}

void fast_path_release(struct fast_path *fast) {
  if (fast == NULL || --fast->owners > 0) return;
  free(fast->shortcuts);
  free(fast->block);
  free(fast->sealed);
  free(fast->landing);
  free(fast);
}

void turn_enter(struct fast_path *fast) {
  fast->is_in_turn = true;
  fast->has_called = false;
}

void turn_leave(struct descriptor *descriptor) {
  struct fast_path *fast = descriptor->fast;
  fast->is_in_turn = false;
  if (!fast->has_called) return;
  fast->has_called = false;
  // Whatever is called from the loop takes what was left for later along.
  tell_javascript(descriptor, fast->nothing, 0, 0);
}

static napi_value do_nothing(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  return NULL;
}

// What crosses from one port to another. It is counted before it is written, which may change the bytes.
struct crossing {
  double frames;
  double octets;
};

static struct crossing crossing_of(const struct etherws_run *run, uint32_t from, uint32_t to) {
  struct crossing crossing;
  etherws_count_run(run, from, to, &crossing.frames, &crossing.octets);
  return crossing;
}

static void account(const struct descriptor *ingress, const struct descriptor *egress, struct crossing crossing) {
  // What JavaScript was told of may have ended either.
  if (ingress->cells != NULL) {
    ingress->cells[RX] += crossing.frames;
    ingress->cells[RX + 1] += crossing.octets;
  }
  if (egress->cells != NULL) {
    egress->cells[TX] += crossing.frames;
    egress->cells[TX + 1] += crossing.octets;
  }
}

static uint32_t write_to_device(struct descriptor *ingress, struct descriptor *egress, const struct etherws_run *run) {
  struct fast_path *fast = ingress->fast;
  account(ingress, egress, crossing_of(run, 0, run->count));
  const struct frame_slab slab = {
      .bytes = run->bytes, .starts = (uint32_t *)run->starts, .lengths = (uint32_t *)run->lengths};
  const struct frame_selection frames = {
      .count = run->count, .has_vnet_headers = run->has_offload_headers, .merge_for = egress->offloads};
  uint32_t tally[TALLY_COUNT] = {0};
  if (write_selection(egress, &slab, &frames, tally) == (int)run->count) return run->count;
  memcpy(fast->tally, tally, sizeof tally);
  tell_javascript(egress, egress->on_ready, LOST, 0);
  return run->count;
}

// A key that nobody can foresee (RFC 6455, 10.3), or NULL when the system has none to give.
static const uint8_t *next_key(struct fast_path *fast) {
  if (fast->keys_left < ETHERWS_KEY_BYTES) {
    if (getrandom(fast->keys, sizeof fast->keys, GRND_NONBLOCK) != (ssize_t)sizeof fast->keys) return NULL;
    fast->keys_left = sizeof fast->keys;
  }
  fast->keys_left -= ETHERWS_KEY_BYTES;
  return fast->keys + fast->keys_left;
}

static ssize_t send_now(const struct descriptor *egress, const uint8_t *bytes, size_t length) {
  ssize_t sent;
  do sent = send(egress->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

static void keep_rest(struct descriptor *egress, const uint8_t *bytes, size_t length) {
  struct tunnel *tunnel = egress->tunnel;
  tunnel->rest = malloc(length);
  if (tunnel->rest == NULL) {
    // Half a message makes the stream worthless.
    shutdown(egress->fd, SHUT_RDWR);
    return;
  }
  memcpy(tunnel->rest, bytes, length);
  tunnel->rest_from = 0;
  tunnel->rest_to = length;
  descriptor_poll(egress);
}

// Devices that wait for an egress are read again.
static void release_waiting(struct fast_path *fast, const struct descriptor *egress) {
  for (int i = 0; i < MOST_WAITING; i++) {
    struct descriptor *device = fast->waiting[i];
    if (device == NULL || device->waits_for != egress) continue;
    fast->waiting[i] = NULL;
    device->waits_for = NULL;
    descriptor_poll(device);
  }
}

static void on_patience(uv_timer_t *timer) {
  struct fast_path *fast = timer->data;
  uint64_t now_ms = uv_now(timer->loop);
  bool is_any = false;
  for (int i = 0; i < MOST_WAITING; i++) {
    struct descriptor *device = fast->waiting[i];
    if (device == NULL) continue;
    if (now_ms - device->waits_since_ms < MAX_WAIT_MS) {
      is_any = true;
      continue;
    }
    fast->waiting[i] = NULL;
    device->waits_for = NULL;
    device->impatient_until_ms = now_ms + MAX_WAIT_MS;
    descriptor_poll(device);
  }
  if (is_any) uv_timer_start(timer, on_patience, MAX_WAIT_MS / 4, 0);
}

// Leaves what comes in the device until `egress` has room.
static void wait_for(struct fast_path *fast, struct descriptor *device, struct descriptor *egress) {
  for (int i = 0; i < MOST_WAITING; i++) {
    if (fast->waiting[i] != NULL) continue;
    fast->waiting[i] = device;
    device->waits_for = egress;
    device->waits_since_ms = uv_now(device->poll.loop);
    if (!uv_is_active((uv_handle_t *)&fast->patience)) uv_timer_start(&fast->patience, on_patience, MAX_WAIT_MS, 0);
    descriptor_poll(device);
    return;
  }
}

bool send_rest(struct descriptor *egress) {
  struct tunnel *tunnel = egress->tunnel;
  ssize_t sent = send_now(egress, tunnel->rest + tunnel->rest_from, tunnel->rest_to - tunnel->rest_from);
  // What is wrong with the connection JavaScript hears by reading.
  if (sent < 0 && !warrants_retry(errno)) tunnel->rest_from = tunnel->rest_to;
  else if (sent > 0) tunnel->rest_from += (size_t)sent;
  if (tunnel->rest_from < tunnel->rest_to) return false;
  free(tunnel->rest);
  tunnel->rest = NULL;
  descriptor_poll(egress);
  release_waiting(egress->fast, egress);
  return true;
}

// What waits is sent first, whoever has it.
static bool is_waiting(const struct descriptor *egress) {
  return egress->tunnel->rest != NULL || (egress->awaited & UV_WRITABLE) != 0;
}

// Which frames from `from` on are written at once.
static uint32_t worth_of(const struct etherws_run *run, uint32_t from) {
  uint32_t to = from;
  size_t bytes = 0;
  do bytes += run->lengths[to++];
  while (to < run->count && to - from < MESSAGE_FRAMES && bytes + run->lengths[to] <= WRITE_BYTES);
  return to;
}

static uint32_t write_to_tunnel(struct descriptor *ingress, struct descriptor *egress, const struct etherws_run *run) {
  struct fast_path *fast = ingress->fast;
  uint32_t from = 0;
  if (fast->block == NULL && (fast->block = malloc(BLOCK_BYTES)) == NULL) return 0;
  while (from < run->count && !is_waiting(egress)) {
    uint32_t to = worth_of(run, from);
    const uint8_t *key = egress->tunnel->is_masking ? next_key(fast) : NULL;
    if (egress->tunnel->is_masking && key == NULL) break;
    const struct etherws_batch batch = {.bytes = run->bytes,
                                        .starts = run->starts + from,
                                        .lengths = run->lengths + from,
                                        .count = to - from,
                                        .has_offload_headers = run->has_offload_headers};
    size_t length;
    const struct crossing crossing = crossing_of(run, from, to);
    // In a device's slab there is room in front of each frame, and nothing else.
    uint8_t *in_place = ingress->room > 0 ? etherws_wrap_batch(run->bytes, &batch, key, &length) : NULL;
    if (in_place == NULL) length = etherws_write_batch(fast->block, &batch, key);
    const uint8_t *bytes = in_place != NULL ? in_place : fast->block;
    const size_t plain_length = length;
    if (egress->tunnel->sealed != NULL) bytes = sealed_message(egress, bytes, length, &length);
    ssize_t sent = bytes == NULL ? -1 : send_now(egress, bytes, length);
    // A message that none of has left can be taken back, but not records: their numbers are used up. What is wrong with
    // the connection JavaScript will see by itself.
    if (bytes == NULL || (sent < 0 && egress->tunnel->sealed == NULL)) {
      if (in_place != NULL) etherws_unwrap_batch(in_place, plain_length);
      break;
    }
    if (sent < 0) sent = 0;
    from = to;
    account(ingress, egress, crossing);
    if ((size_t)sent < length) keep_rest(egress, bytes + sent, length - (size_t)sent);
  }
  return from;
}

uint32_t hand_over(struct descriptor *ingress, const struct etherws_run *run) {
  struct fast_path *fast = ingress->fast;
  if (fast->shortcuts == NULL || run->count == 0 || ingress->cells == NULL) return 0;
  uint64_t now_ms = uv_now(ingress->poll.loop);
  const struct etherws_shortcut *way = etherws_follow(fast->shortcuts, ingress, run, now_ms);
  // An egress that has ended has no shortcuts: whoever ends it forgets them all first.
  struct descriptor *egress = way == NULL ? NULL : way->egress;
  if (egress == NULL) return 0;
  if (egress != ingress->expected) ingress->impatient_until_ms = now_ms + MAX_WAIT_MS;
  ingress->expected = egress;
  const bool may_wait = way->may_wait;
  uint32_t taken =
      egress->tunnel != NULL ? write_to_tunnel(ingress, egress, run) : write_to_device(ingress, egress, run);
  if (taken == run->count && ingress->room > 0 && egress->tunnel != NULL && egress->tunnel->rest != NULL &&
      may_wait && now_ms >= ingress->impatient_until_ms) {
    wait_for(fast, ingress, egress);
  }
  return taken;
}

void fast_path_leave(struct descriptor *descriptor) {
  struct fast_path *fast = descriptor->fast;
  if (fast != NULL && fast->shortcuts != NULL) etherws_forget_shortcuts(fast->shortcuts);
  if (descriptor->cells_of != NULL) napi_delete_reference(descriptor->env, descriptor->cells_of);
  descriptor->cells_of = NULL;
  descriptor->cells = NULL;
  tunnel_end(descriptor);
  if (fast == NULL) return;
  for (int i = 0; i < MOST_WAITING; i++) {
    if (fast->waiting[i] == descriptor) fast->waiting[i] = NULL;
  }
  release_waiting(fast, descriptor);
}

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

// addShortcut(ingress, ingressCells, egress, egressCells, bytes, start, end, offloads, maxFrameBytes, lifeMs,
// mayWait)
napi_value add_shortcut(napi_env env, napi_callback_info info) {
  napi_value arguments[11];
  struct descriptor *ingress, *egress;
  uint8_t *frame;
  size_t length;
  int32_t offloads, max_frame_bytes, life_ms;
  bool may_wait;
  if (!take_arguments(env, info, arguments, 11) || !take_descriptor(env, arguments[0], &ingress) ||
      !take_descriptor(env, arguments[2], &egress) || !take_range(env, arguments + 4, &frame, &length) ||
      !take_int32(env, arguments[7], &offloads) || !take_int32(env, arguments[8], &max_frame_bytes) ||
      !take_int32(env, arguments[9], &life_ms) || !take_bool(env, arguments[10], &may_wait)) {
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
                                       .may_wait = may_wait};
  etherws_add_shortcut(fast->shortcuts, frame, (uint32_t)length, &way);
  return NULL;
}

// forgetShortcuts(): what has been decided may not hold any more.
napi_value forget_shortcuts(napi_env env, napi_callback_info info) {
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
napi_value share_device_slab(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct frame_slab slab;
  uint32_t *tally;
  size_t starts, lengths, tallied;
  if (!take_arguments(env, info, arguments, 4) || !take_octets(env, arguments[0], &slab.bytes, &slab.size) ||
      !take_words(env, arguments[1], &slab.starts, &starts) || !take_words(env, arguments[2], &slab.lengths, &lengths) ||
      !take_words(env, arguments[3], &tally, &tallied)) {
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
napi_value share_frame_list(napi_env env, napi_callback_info info) {
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

// readsFrames(descriptor, room): from now on the device is read before JavaScript is called, for frames of up to so many
// octets.
napi_value reads_frames(napi_env env, napi_callback_info info) {
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

// Reads a piece of what waits, or all that the slab has room for. Returns as read_waiting, and whether that was all.
static int read_piece(struct descriptor *descriptor, bool *is_all) {
  struct fast_path *fast = descriptor->fast;
  struct frame_slab slab = fast->device_slab;
  // Frames are read while there is room for the longest, so this is one behind PIECE_BYTES at most.
  size_t piece = SLAB_FRONT_BYTES + PIECE_BYTES + RECORD_HEADER_BYTES + descriptor->room + 8;
  if (descriptor->expected != NULL && piece < slab.size) slab.size = piece;
  int count = read_waiting(descriptor, &slab, descriptor->room, fast->tally);
  size_t end = count > 0 ? slab.starts[count - 1] + slab.lengths[count - 1] : 0;
  *is_all = end <= SLAB_FRONT_BYTES + PIECE_BYTES && (size_t)(count < 0 ? 0 : count) < slab.capacity;
  return count;
}

void device_ready(struct descriptor *descriptor, int status) {
  struct fast_path *fast = descriptor->fast;
  struct frame_slab *slab = &fast->device_slab;
  for (int round = 0; round < ROUNDS; round++) {
    bool is_all;
    memset(fast->tally, 0, TALLY_COUNT * sizeof *fast->tally);
    int count = read_piece(descriptor, &is_all);
    uint32_t dropped = 0, taken = 0;
    for (int i = 0; i < TALLY_COUNT; i++) dropped |= fast->tally[i];
    if (count > 0 && dropped == 0) {
      const struct etherws_run run = {slab->bytes, slab->starts, slab->lengths, (uint32_t)count, true};
      taken = hand_over(descriptor, &run);
      if (descriptor->fd < 0) return;
    }
    if (count <= 0 && dropped == 0 && round > 0) return;
    if (count <= 0 || dropped != 0 || taken < (uint32_t)count) {
      if (taken > 0) {
        count -= (int)taken;
        memmove(slab->starts, slab->starts + taken, (size_t)count * sizeof *slab->starts);
        memmove(slab->lengths, slab->lengths + taken, (size_t)count * sizeof *slab->lengths);
      }
      tell_last(descriptor, status, count);
      return;
    }
    if (is_all || descriptor->expected == NULL || descriptor->waits_for != NULL) return;
  }
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

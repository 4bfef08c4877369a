// A tunnel's stream, taken apart where it arrives: reads go behind what is unfinished, so that whole messages lie in one
// piece, mostly without a copy. Frames that follow a flow are gone before JavaScript hears of them. A tunnel that is
// not in the middle of a message owns no memory here.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fast_path.h"
#include "websocket_messages.h"

enum {
  // What is read at once, at most: enough for any wake-up, little enough for the others' turn.
  READ_BYTES = 256 * 1024,
  // The longest message with its header, and a read behind it.
  SLAB_BYTES = 1024 * 1024 + 64 + READ_BYTES,
  // An unfinished message is copied out of its slab below this size, and when so many tunnels keep theirs.
  WORTH_KEEPING_BYTES = 16 * 1024,
  MAX_KEPT = 8,
  // With less room than this behind what is kept, it moves to the slab's front in any case.
  WORTH_READING_BYTES = 64 * 1024,
};

static bool make_slab(napi_env env, struct slab *slab) {
  napi_handle_scope scope;
  napi_value buffer;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  bool is_made = napi_create_buffer(env, SLAB_BYTES, (void **)&slab->bytes, &buffer) == napi_ok &&
                 napi_create_reference(env, buffer, 1, &slab->buffer) == napi_ok;
  napi_close_handle_scope(env, scope);
  return is_made;
}

static struct slab *take_slab(struct descriptor *descriptor) {
  for (int i = 0; i < SLABS; i++) {
    struct slab *slab = &descriptor->fast->slabs[i];
    if (slab->is_used) continue;
    if (slab->buffer == NULL && !make_slab(descriptor->env, slab)) return NULL;
    slab->is_used = true;
    return slab;
  }
  return NULL;
}

bool turn_begin(struct descriptor *descriptor, struct turn *turn) {
  struct tunnel *tunnel = descriptor->tunnel;
  if (tunnel->slab != NULL) {
    *turn = (struct turn){tunnel->slab, tunnel->from, tunnel->to, tunnel->to};
    tunnel->slab = NULL;
    descriptor->fast->kept--;
    // A read to where the last one was finds the place in the processor's cache.
    size_t left = turn->to - turn->from;
    if (left > turn->from && SLAB_BYTES - turn->to >= WORTH_READING_BYTES) return true;
    memmove(turn->slab->bytes, turn->slab->bytes + turn->from, left);
    turn->to = turn->end = left;
    turn->from = 0;
    return true;
  }
  *turn = (struct turn){.slab = take_slab(descriptor)};
  if (turn->slab == NULL) return false;
  if (tunnel->block != NULL) {
    memcpy(turn->slab->bytes, tunnel->block, tunnel->to);
    turn->to = turn->end = tunnel->to;
    free(tunnel->block);
    buffers_release(descriptor->fast->buffers, tunnel->to);
    tunnel->block = NULL;
  }
  return true;
}

bool turn_keep(struct descriptor *descriptor, const struct turn *turn, size_t consumed) {
  struct tunnel *tunnel = descriptor->tunnel;
  size_t left = turn->end - consumed;
  if (tunnel != NULL && left >= WORTH_KEEPING_BYTES && descriptor->fast->kept < MAX_KEPT) {
    descriptor->fast->kept++;
    tunnel->slab = turn->slab;
    tunnel->from = consumed;
    tunnel->to = turn->end;
    return true;
  }
  turn->slab->is_used = false;
  if (tunnel == NULL || left == 0) return true;
  if (!buffers_hold(descriptor->fast->buffers, left)) return false;
  tunnel->block = malloc(left);
  if (tunnel->block == NULL) {
    buffers_release(descriptor->fast->buffers, left);
    return false;
  }
  memcpy(tunnel->block, turn->slab->bytes + consumed, left);
  tunnel->to = left;
  return true;
}

// What a turn gave: frames in the list, a message that is no plain run of frames, and from where on nothing was read.
struct found {
  struct etherws_messages frames;
  uint32_t odd_start;
  uint32_t odd_length;
  bool is_odd;
  size_t position;
};

static void take_apart(const struct descriptor *descriptor, const struct turn *turn, struct found *found) {
  const struct tunnel *tunnel = descriptor->tunnel;
  uint8_t *bytes = turn->slab->bytes;
  found->position = turn->from;
  while (tunnel->is_whole && found->frames.count < found->frames.capacity) {
    uint32_t start, length;
    struct etherws_messages message = {&start, &length, 0, 1};
    // The far end of a client does not mask, that of a server does.
    found->position =
        etherws_read_messages(bytes, found->position, turn->end, !tunnel->is_masking, tunnel->most, &message);
    if (message.count == 0) return;
    if (!tunnel->is_batched) {
      found->frames.starts[found->frames.count] = start;
      found->frames.lengths[found->frames.count++] = length;
    } else if (!etherws_read_batch(bytes, start, length, &found->frames)) {
      found->is_odd = true;
      found->odd_start = start;
      found->odd_length = length;
      return;
    }
  }
}

// Gives JavaScript what is its own. Returns from where on the octets are to come again.
static size_t deliver(struct descriptor *descriptor, const struct turn *turn, const struct found *found, uint32_t taken,
                      bool is_from_loop) {
  napi_env env = descriptor->env;
  struct tunnel *tunnel = descriptor->tunnel;
  uint32_t frames = found->frames.count - taken;
  size_t consumed = turn->end;
  napi_handle_scope scope;
  if (taken > 0) {
    memmove(found->frames.starts, found->frames.starts + taken, frames * sizeof *found->frames.starts);
    memmove(found->frames.lengths, found->frames.lengths + taken, frames * sizeof *found->frames.lengths);
  }
  if (napi_open_handle_scope(env, &scope) != napi_ok) return consumed;
  napi_value arguments[6], receiver, callback, result = NULL;
  if (napi_get_reference_value(env, turn->slab->buffer, &arguments[0]) == napi_ok &&
      napi_create_uint32(env, frames, &arguments[1]) == napi_ok &&
      napi_create_int32(env, found->is_odd ? (int32_t)found->odd_start : -1, &arguments[2]) == napi_ok &&
      napi_create_uint32(env, found->odd_length, &arguments[3]) == napi_ok &&
      napi_create_uint32(env, (uint32_t)found->position, &arguments[4]) == napi_ok &&
      napi_create_uint32(env, (uint32_t)turn->end, &arguments[5]) == napi_ok) {
    if (is_from_loop) {
      result = call_javascript(descriptor, tunnel->on_octets, 6, arguments);
    } else if (napi_get_global(env, &receiver) != napi_ok ||
               napi_get_reference_value(env, tunnel->on_octets, &callback) != napi_ok ||
               napi_call_function(env, receiver, callback, 6, arguments, &result) != napi_ok) {
      result = NULL;
    }
  }
  int32_t position;
  if (result != NULL && napi_get_value_int32(env, result, &position) == napi_ok) {
    // Complemented while a message is coming in fragments.
    bool is_whole = position >= 0;
    if (!is_whole) position = ~position;
    if ((size_t)position <= turn->end) consumed = (size_t)position;
    if (descriptor->tunnel != NULL) descriptor->tunnel->is_whole = is_whole;
  }
  napi_close_handle_scope(env, scope);
  return consumed;
}

size_t turn_room(const struct turn *turn) { return SLAB_BYTES - turn->to; }

bool turn_finish(struct descriptor *descriptor, const struct turn *turn, bool is_from_loop) {
  struct fast_path *fast = descriptor->fast;
  const struct tunnel *tunnel = descriptor->tunnel;
  struct found found = {.frames = {fast->starts, fast->lengths, 0, fast->capacity}};
  take_apart(descriptor, turn, &found);
  uint32_t taken = 0;
  if (is_from_loop && found.frames.count > 0) {
    const struct etherws_run run = {turn->slab->bytes, found.frames.starts, found.frames.lengths, found.frames.count,
                                    tunnel->is_batched};
    taken = hand_over(descriptor, &run);
  }
  size_t consumed = found.position;
  // JavaScript is also told where too much is held, so that the tunnels that hold most shed.
  bool is_done =
      descriptor->fd < 0 ||
      (!buffers_are_high(fast->buffers) && taken == found.frames.count && !found.is_odd && tunnel->is_whole &&
       etherws_awaits_more(turn->slab->bytes, found.position, turn->end, !tunnel->is_masking, tunnel->most));
  if (!is_done) consumed = deliver(descriptor, turn, &found, taken, is_from_loop);
  return turn_keep(descriptor, turn, consumed);
}

// Returns how many octets came, 0 at the stream's end, or -errno.
static ssize_t read_on(struct descriptor *descriptor, bool is_from_loop) {
  if (descriptor->tunnel->sealed != NULL) return sealed_read(descriptor, is_from_loop);
  struct turn turn;
  if (!turn_begin(descriptor, &turn)) return -ENOMEM;
  size_t most = turn_room(&turn) < READ_BYTES ? turn_room(&turn) : READ_BYTES;
  ssize_t count;
  do count = recv(descriptor->fd, turn.slab->bytes + turn.to, most, MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  if (count <= 0) {
    ssize_t status = count < 0 ? -errno : 0;
    return turn_keep(descriptor, &turn, turn.from) ? status : -ENOMEM;
  }
  turn.end += (size_t)count;
  return turn_finish(descriptor, &turn, is_from_loop) ? count : -ENOMEM;
}

void tunnel_ready(struct descriptor *descriptor, int events) {
  struct tunnel *tunnel = descriptor->tunnel;
  if ((events & UV_WRITABLE) != 0) {
    int status = tunnel->rest == NULL ? 0 : send_rest(descriptor);
    int left = status < 0 ? status : (int)rest_bytes(tunnel);
    const bool is_wanted = tunnel->wants_room;
    if (left <= 0) tunnel->wants_room = false;
    if (is_wanted) tell_javascript(descriptor, descriptor->on_ready, UV_WRITABLE, left);
  }
  if ((events & UV_READABLE) == 0 || descriptor->fd < 0 || (descriptor->awaited & UV_READABLE) == 0) return;
  ssize_t count = read_on(descriptor, true);
  if (count > 0 || count == -EAGAIN || descriptor->fd < 0) return;
  tell_javascript(descriptor, descriptor->on_ready, UV_READABLE, (int)count);
}

void tunnel_end(struct descriptor *descriptor) {
  struct tunnel *tunnel = descriptor->tunnel;
  if (tunnel == NULL) return;
  sealed_end(descriptor);
  descriptor->tunnel = NULL;
  if (tunnel->slab != NULL) {
    tunnel->slab->is_used = false;
    descriptor->fast->kept--;
  }
  napi_delete_reference(descriptor->env, tunnel->on_octets);
  if (tunnel->rest != NULL) buffers_release(descriptor->fast->buffers, tunnel->rest_to);
  if (tunnel->block != NULL) buffers_release(descriptor->fast->buffers, tunnel->to);
  free(tunnel->rest);
  free(tunnel->block);
  free(tunnel);
}

// openTunnel(descriptor, isMasking, isBatched, maxMessageBytes, onOctets): what is read from the stream is taken
// apart here from now on.
napi_value open_tunnel(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  struct descriptor *descriptor;
  struct tunnel opened = {.is_whole = true};
  int32_t most;
  if (!take_arguments(env, info, arguments, 5) || !take_descriptor(env, arguments[0], &descriptor) ||
      !take_bool(env, arguments[1], &opened.is_masking) || !take_bool(env, arguments[2], &opened.is_batched) ||
      !take_int32(env, arguments[3], &most)) {
    return NULL;
  }
  if (descriptor->fast == NULL || descriptor->fast->capacity == 0 || descriptor->tunnel != NULL ||
      descriptor->kind != KIND_STREAM || descriptor->fd < 0) {
    return throw_errno(env, EBADF, "openTunnel");
  }
  opened.most = most < 0 ? 0 : (uint32_t)most;
  struct tunnel *tunnel = malloc(sizeof *tunnel);
  if (tunnel == NULL) return throw_errno(env, ENOMEM, "malloc");
  *tunnel = opened;
  if (napi_create_reference(env, arguments[4], 1, &tunnel->on_octets) != napi_ok) {
    free(tunnel);
    return throw_napi_failure(env);
  }
  descriptor->tunnel = tunnel;
  return NULL;
}

bool take_tunnel(napi_env env, napi_value value, struct descriptor **descriptor) {
  if (!take_descriptor(env, value, descriptor)) return false;
  if ((*descriptor)->tunnel != NULL && (*descriptor)->fd >= 0) return true;
  throw_errno(env, EBADF, "readTunnel");
  return false;
}

// readTunnel(descriptor) reads now, past the loop, and gives all to JavaScript. Returns as read_on.
napi_value read_tunnel(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct descriptor *descriptor;
  if (!take_arguments(env, info, &argument, 1) || !take_tunnel(env, argument, &descriptor)) return NULL;
  ssize_t count = read_on(descriptor, false);
  CHECK_NAPI(env, napi_create_int32(env, (int32_t)count, &result));
  return result;
}

// heldBytes(descriptor): what is kept of messages that are not all there, or have not all left.
napi_value held_bytes(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct descriptor *descriptor;
  double held = 0;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  const struct tunnel *tunnel = descriptor->tunnel;
  if (tunnel != NULL) {
    if (tunnel->rest != NULL) held += (double)tunnel->rest_to;
    if (tunnel->block != NULL) held += (double)tunnel->to;
    held += (double)sealed_held(descriptor);
  }
  CHECK_NAPI(env, napi_create_double(env, held, &result));
  return result;
}

// feedTunnel(descriptor, bytes): octets that were read from the stream before it was ours.
napi_value feed_tunnel(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct descriptor *descriptor;
  uint8_t *bytes;
  size_t length;
  if (!take_arguments(env, info, arguments, 2) || !take_tunnel(env, arguments[0], &descriptor) ||
      !take_octets(env, arguments[1], &bytes, &length)) {
    return NULL;
  }
  for (size_t at = 0; at < length && descriptor->tunnel != NULL;) {
    struct turn turn;
    if (!turn_begin(descriptor, &turn)) return throw_errno(env, ENOMEM, "malloc");
    size_t room = turn_room(&turn), count = length - at < room ? length - at : room;
    memcpy(turn.slab->bytes + turn.to, bytes + at, count);
    turn.end += count;
    at += count;
    if (!turn_finish(descriptor, &turn, false)) return throw_errno(env, ENOMEM, "malloc");
  }
  return NULL;
}

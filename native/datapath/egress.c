// How frames leave by the fast path: into a device, or as a message into a tunnel, whose rest is kept when the kernel takes
// a part of it only; and the devices that wait for its egress meanwhile.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "fast_path.h"
#include "websocket_messages.h"

// The most frames of one message; the shortest are 28 octets with what stands in front of them.
enum { MESSAGE_FRAMES = 1024 };

// In a port's cells: what src/bridge/counters.ts counts.
enum { RX = 0, TX = 2 };

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
  if (ingress->flow.meter != NULL) etherws_meter_charge(ingress->flow.meter, crossing.frames, crossing.octets);
  if (ingress->flow.cells != NULL) {
    ingress->flow.cells[RX] += crossing.frames;
    ingress->flow.cells[RX + 1] += crossing.octets;
  }
  if (egress->flow.cells != NULL) {
    egress->flow.cells[TX] += crossing.frames;
    egress->flow.cells[TX + 1] += crossing.octets;
  }
}

uint32_t write_to_device(struct descriptor *ingress, struct descriptor *egress, const struct etherws_run *run) {
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

const uint8_t *next_key(struct fast_path *fast, unsigned flags) {
  if (fast->keys_left < ETHERWS_KEY_BYTES) {
    if (getrandom(fast->keys, sizeof fast->keys, flags) != (ssize_t)sizeof fast->keys) return NULL;
    fast->keys_left = sizeof fast->keys;
  }
  fast->keys_left -= ETHERWS_KEY_BYTES;
  return fast->keys + fast->keys_left;
}

ssize_t send_now(const struct descriptor *egress, const uint8_t *bytes, size_t length) {
  ssize_t sent;
  do sent = send(egress->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

static void keep_rest(struct descriptor *egress, const uint8_t *bytes, size_t length) {
  struct tunnel *tunnel = egress->tunnel;
  egress->has_waited = true;
  const bool has_room = buffers_hold(egress->fast->buffers, length);
  tunnel->rest = has_room ? malloc(length) : NULL;
  if (tunnel->rest == NULL) {
    if (has_room) buffers_release(egress->fast->buffers, length);
    // Half a message makes the stream worthless.
    shutdown(egress->fd, SHUT_RDWR);
    return;
  }
  memcpy(tunnel->rest, bytes, length);
  tunnel->rest_from = 0;
  tunnel->rest_to = length;
  descriptor_poll(egress);
}

uint8_t *message_block(struct fast_path *fast) {
  if (fast->block == NULL) fast->block = malloc(MESSAGE_BLOCK_BYTES);
  return fast->block;
}

void release_waiting(struct fast_path *fast, const struct descriptor *egress) {
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

void wait_for(struct fast_path *fast, struct descriptor *device, struct descriptor *egress) {
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

size_t rest_bytes(const struct tunnel *tunnel) {
  return tunnel->rest == NULL ? 0 : tunnel->rest_to - tunnel->rest_from;
}

int send_rest(struct descriptor *egress) {
  struct tunnel *tunnel = egress->tunnel;
  ssize_t sent = send_now(egress, tunnel->rest + tunnel->rest_from, rest_bytes(tunnel));
  int error = sent < 0 && !warrants_retry(errno) ? errno : 0;
  if (error != 0) tunnel->rest_from = tunnel->rest_to;
  else if (sent > 0) tunnel->rest_from += (size_t)sent;
  if (rest_bytes(tunnel) > 0) return 0;
  free(tunnel->rest);
  buffers_release(egress->fast->buffers, tunnel->rest_to);
  tunnel->rest = NULL;
  descriptor_poll(egress);
  release_waiting(egress->fast, egress);
  return -error;
}

// Which frames from `from` on are written at once.
static uint32_t worth_of(const struct etherws_run *run, uint32_t from) {
  uint32_t to = from;
  size_t bytes = 0;
  do bytes += run->lengths[to++];
  while (to < run->count && to - from < MESSAGE_FRAMES && bytes + run->lengths[to] <= WRITE_BYTES);
  return to;
}

uint32_t write_to_tunnel(struct descriptor *ingress, struct descriptor *egress, const struct etherws_run *run) {
  struct fast_path *fast = ingress->fast;
  uint32_t from = 0;
  if (message_block(fast) == NULL) return 0;
  // What waits goes first.
  while (from < run->count && egress->tunnel->rest == NULL) {
    uint32_t to = worth_of(run, from);
    const uint8_t *key = egress->tunnel->is_masking ? next_key(fast, GRND_NONBLOCK) : NULL;
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

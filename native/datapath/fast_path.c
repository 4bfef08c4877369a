#include "fast_path.h"

#include <stdlib.h>
#include <string.h>

enum {
  // A device whose frames all follow a flow is read in pieces that are worth a write, so many a turn.
  ROUNDS = 4,
  PIECE_BYTES = 32 * 1024,
};

struct fast_path *fast_path_of(napi_env env) {
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

uint32_t hand_over(struct descriptor *ingress, const struct etherws_run *run) {
  const struct etherws_flow *flow = flow_of(ingress, run);
  // An egress that has ended is in no flow: its end has invalidated them all.
  struct descriptor *egress = flow == NULL ? NULL : flow->egress;
  if (egress == NULL) return 0;
  uint64_t now_ms = uv_now(ingress->poll.loop);
  if (egress != ingress->expected) ingress->impatient_until_ms = now_ms + MAX_WAIT_MS;
  ingress->expected = egress;
  // JavaScript may be called below, and install another flow in its place.
  const bool may_wait = flow->may_wait;
  uint32_t taken =
      egress->tunnel != NULL ? write_to_tunnel(ingress, egress, run) : write_to_device(ingress, egress, run);
  if (taken == run->count && ingress->room > 0 && egress->tunnel != NULL && egress->tunnel->rest != NULL && may_wait &&
      now_ms >= ingress->impatient_until_ms) {
    wait_for(ingress->fast, ingress, egress);
  }
  return taken;
}

void fast_path_leave(struct descriptor *descriptor) {
  struct fast_path *fast = descriptor->fast;
  flow_end_leave(descriptor);
  tunnel_end(descriptor);
  if (fast == NULL) return;
  for (int i = 0; i < MOST_WAITING; i++) {
    if (fast->waiting[i] == descriptor) fast->waiting[i] = NULL;
  }
  release_waiting(fast, descriptor);
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

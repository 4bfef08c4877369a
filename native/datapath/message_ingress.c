#include "message_ingress.h"

#include <string.h>

#include "buffer_budget.h"
#include "forward.h"
#include "host.h"
#include "state.h"
#include "tunnel.h"
#include "websocket_messages.h"

// What was parsed in a window: frames, in the shared list; then at most one message that is no plain run of frames.
// Octets from `position` on are not parsed.
struct found {
  struct etherws_messages frames;
  uint32_t other_start;
  uint32_t other_length;
  bool has_other;
  size_t position;
};

static void take_apart(const struct tunnel *tunnel, const struct window *window, struct found *found) {
  uint8_t *bytes = window->slab->bytes;
  found->position = window->from;
  while (tunnel->is_whole && found->frames.count < found->frames.capacity) {
    uint32_t start, length;
    struct etherws_messages message = {&start, &length, 0, 1};
    // Only a client masks its messages (RFC 6455, 5.1). So if ours are masked, those of the far end are not, and vice
    // versa.
    found->position = etherws_read_messages(bytes, found->position, window->end, !tunnel->is_masking,
                                            tunnel->max_message_bytes, &message);
    if (message.count == 0) return;
    if (!tunnel->is_batched) {
      found->frames.starts[found->frames.count] = start;
      found->frames.lengths[found->frames.count++] = length;
    } else if (!etherws_read_batch(bytes, start, length, &found->frames)) {
      found->has_other = true;
      found->other_start = start;
      found->other_length = length;
      return;
    }
  }
}

// Gives the host all but the first `taken` frames. Returns the position from which on octets come again, in front of
// what is read next.
static size_t deliver(struct stream *stream, const struct window *window, const struct found *found, uint32_t taken,
                      bool is_from_loop) {
  const uint32_t frames = found->frames.count - taken;
  if (taken > 0) {
    memmove(found->frames.starts, found->frames.starts + taken, frames * sizeof *found->frames.starts);
    memmove(found->frames.lengths, found->frames.lengths + taken, frames * sizeof *found->frames.lengths);
  }
  const struct octets octets = {.slab = window->slab,
                                .frames = frames,
                                .has_other = found->has_other,
                                .other_start = found->other_start,
                                .other_length = found->other_length,
                                .position = found->position,
                                .end = window->end};
  struct octets_answer answer;
  if (!host_octets(&stream->head, &octets, is_from_loop, &answer)) return window->end;
  if (stream->tunnel != NULL) stream->tunnel->is_whole = answer.is_whole;
  return answer.consumed <= window->end ? answer.consumed : window->end;
}

bool keep_messages(struct stream *stream, const struct window *window, size_t consumed) {
  if (stream->tunnel != NULL) {
    return window_keep(stream->head.datapath, &stream->tunnel->unfinished, window, consumed);
  }
  window_drop(window);
  return true;
}

bool take_messages(struct stream *stream, const struct window *window, bool is_from_loop) {
  struct datapath *datapath = stream->head.datapath;
  const struct tunnel *tunnel = stream->tunnel;
  struct found found = {.frames = {datapath->starts, datapath->lengths, 0, datapath->capacity}};
  take_apart(tunnel, window, &found);
  uint32_t taken = 0;
  if (is_from_loop && found.frames.count > 0) {
    const struct etherws_run run = {window->slab->bytes, found.frames.starts, found.frames.lengths,
                                    found.frames.count,  tunnel->is_batched,  0};
    taken = forward(&stream->head, &run);
  }
  if (stream->tunnel == NULL) return keep_messages(stream, window, window->end);
  // Above 15/16 of the buffer budget the host is called in any case, so that the tunnels that hold most shed.
  const bool is_done = !buffers_are_high(datapath->buffers) && taken == found.frames.count && !found.has_other &&
                       tunnel->is_whole &&
                       etherws_awaits_more(window->slab->bytes, found.position, window->end, !tunnel->is_masking,
                                           tunnel->max_message_bytes);
  const size_t consumed = is_done ? found.position : deliver(stream, window, &found, taken, is_from_loop);
  return keep_messages(stream, window, consumed);
}

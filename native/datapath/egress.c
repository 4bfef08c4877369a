#include "egress.h"

#include <string.h>
#include <sys/random.h>

#include "device.h"
#include "host.h"
#include "kinds.h"
#include "outgoing.h"
#include "state.h"
#include "tally.h"
#include "tls_stream.h"
#include "tunnel.h"
#include "websocket_messages.h"

// The most frames of one message. With 14 octets of record header each, they fit into message_block.
enum { MESSAGE_FRAMES = 1024 };

// While less waits at a tunnel, an ingress that will wait may add what it has read.
enum { MOST_REST_BYTES = 512 * 1024 };

// The number of frames (as after segmentation) and octets of a span. Counted before the write, which may mask the
// frames in place.
struct span_stats {
  double frames;
  double read;  // octets as they were read
  double sent;  // octets after the change of tags
};

static struct span_stats stats_of(const struct etherws_run *run, uint32_t from, uint32_t to) {
  struct span_stats stats;
  etherws_count_run(run, from, to, &stats.frames, &stats.sent);
  stats.read = stats.sent - (double)run->added * (to - from);
  return stats;
}

uint32_t write_to_device(struct descriptor *ingress, struct device *egress, const struct etherws_run *run) {
  const struct span_stats stats = stats_of(run, 0, run->count);
  flow_end_count(flow_end_of(ingress), &egress->flows, stats.frames, stats.read, stats.sent);
  const struct frame_slab slab = {.bytes = run->bytes, .starts = run->starts, .lengths = run->lengths};
  const struct frame_selection frames = {
      .count = run->count, .has_vnet_headers = run->has_offload_headers, .gro_offloads = egress->offloads};
  uint32_t tally[TALLY_COUNT] = {0};
  if (device_write(egress, &slab, &frames, tally) == (int)run->count) return run->count;
  if (ingress->datapath->tally != NULL) memcpy(ingress->datapath->tally, tally, sizeof tally);
  host_ready(&egress->head, LOST, 0, MORE_FOLLOWS);
  return run->count;
}

// Returns the end of the span from `from` on that becomes one message: at most MESSAGE_FRAMES frames, and at most
// WRITE_BYTES, unless the first frame alone is longer.
static uint32_t take_burst(const struct etherws_run *run, uint32_t from) {
  uint32_t to = from;
  size_t bytes = 0;
  do bytes += run->lengths[to++];
  while (to < run->count && to - from < MESSAGE_FRAMES && bytes + run->lengths[to] <= WRITE_BYTES);
  return to;
}

// Whether the tunnel takes another message of the fast path. While octets of the host wait, more may be in its queue.
static bool has_room(const struct stream *egress, bool is_last) {
  if (egress->rest == NULL) return true;
  return is_last && !egress->wants_room && egress->tunnel->tls == NULL && stream_rest_bytes(egress) < MOST_REST_BYTES;
}

// Sends a message, or puts it behind the octets that wait. Returns how many octets are taken care of, or -1: none are.
static ssize_t send_or_append(struct stream *egress, const uint8_t *bytes, size_t length) {
  if (egress->rest == NULL) return stream_send(egress, bytes, length);
  uint8_t *rest = stream_extend_rest(egress, length);
  if (rest == NULL) return -1;
  memcpy(rest, bytes, length);
  return (ssize_t)length;
}

uint32_t write_to_tunnel(struct descriptor *ingress, struct stream *egress, const struct etherws_run *run,
                         bool is_last) {
  struct datapath *datapath = ingress->datapath;
  const struct tunnel *tunnel = egress->tunnel;
  const bool is_masking = tunnel->is_masking;
  uint32_t from = 0;
  if (message_block(datapath) == NULL) return 0;
  while (from < run->count && has_room(egress, is_last)) {
    const uint32_t to = take_burst(run, from);
    const uint8_t *key = is_masking ? next_key(datapath, GRND_NONBLOCK) : NULL;
    if (is_masking && key == NULL) break;
    const struct etherws_batch batch = {.bytes = run->bytes,
                                        .starts = run->starts + from,
                                        .lengths = run->lengths + from,
                                        .count = to - from,
                                        .has_offload_headers = run->has_offload_headers};
    size_t length;
    const struct span_stats stats = stats_of(run, from, to);
    // Adjacent frames become a message where they lie, without a copy, because the octets in front of them may be
    // overwritten: in the slab of a device they are free; in that of a tunnel they are the header of the incoming
    // message, or frames that have been sent.
    uint8_t *in_place = etherws_wrap_batch(run->bytes, &batch, key, &length);
    if (in_place == NULL) length = etherws_write_batch(datapath->message, &batch, key);
    const uint8_t *bytes = in_place != NULL ? in_place : datapath->message;
    const size_t plain_length = length;
    if (tunnel->tls != NULL) bytes = tls_stream_seal(datapath, tunnel->tls, bytes, length, &length);
    ssize_t sent = bytes == NULL ? -1 : send_or_append(egress, bytes, length);
    // Of a message that was not sent at all, the frames go to the bridge. Sealed records cannot be taken back, since
    // their sequence numbers are used up: they become the rest. The host finds out about a failed connection by itself.
    if (bytes == NULL || (sent < 0 && tunnel->tls == NULL)) {
      if (in_place != NULL) etherws_unwrap_batch(in_place, plain_length);
      break;
    }
    if (sent < 0) sent = 0;
    from = to;
    flow_end_count(flow_end_of(ingress), &egress->flows, stats.frames, stats.read, stats.sent);
    if ((size_t)sent < length) stream_keep_rest(egress, bytes + sent, length - (size_t)sent);
  }
  return from;
}

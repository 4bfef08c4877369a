#include "stream_ingress.h"

#include <errno.h>
#include <string.h>

#include "backpressure.h"
#include "descriptor.h"
#include "host.h"
#include "message_ingress.h"
#include "state.h"
#include "tls_ingress.h"
#include "tunnel.h"

// The most octets of one read. A longer one would delay the other ready descriptors.
enum { READ_BYTES = 256 * 1024 };

static ssize_t read_once(struct stream *stream, bool is_from_loop) {
  if (stream->tunnel->tls != NULL) return tls_read(stream, is_from_loop);
  struct window window;
  if (!window_open(stream->head.datapath, &stream->tunnel->unfinished, &window)) return -ENOMEM;
  const size_t room = window_room(&window);
  const ssize_t count = stream_read(stream, window.slab->bytes + window.to, room < READ_BYTES ? room : READ_BYTES);
  if (count <= 0) return keep_messages(stream, &window, window.from) ? count : -ENOMEM;
  window.end += (size_t)count;
  return take_messages(stream, &window, is_from_loop) ? count : -ENOMEM;
}

static void read_now(struct stream *stream) {
  if ((stream->head.awaited & READABLE) == 0) return;
  const ssize_t count = read_once(stream, true);
  if (count > 0 || count == -EAGAIN || stream->head.fd < 0) return;
  host_ready(&stream->head, READABLE, (int)count, MORE_FOLLOWS);
}

// Reads tunnels that wait for `egress`, one after the other, until it is full again, but at least one: where the host has
// filled it, that one's frames take their turn in the host's queue. Devices are polled again.
static void serve_waiting(struct stream *egress) {
  bool is_full = false;
  while (!is_full) {
    struct descriptor *ingress = take_waiting(&egress->head);
    if (ingress == NULL) return;
    struct stream *tunnel = stream_of(ingress);
    if (tunnel != NULL) {
      read_now(tunnel);
      is_full = egress->rest != NULL;
    }
    // The host may have closed it, and it may wait again.
    if (ingress->wait.egress == NULL) descriptor_poll(ingress);
  }
}

static void send_waiting(struct stream *stream) {
  int left = 0;
  if (stream->rest != NULL) {
    const int status = stream_send_rest(stream);
    left = status < 0 ? status : (int)stream_rest_bytes(stream);
    if (left == 0) stream->relieved_ms = host_now_ms(stream->head.datapath->host);
  }
  const bool is_wanted = stream->wants_room;
  if (left <= 0) stream->wants_room = false;
  // The host goes first: frames of its queue came before those that wait.
  if (is_wanted) host_ready(&stream->head, WRITABLE, left, MORE_FOLLOWS);
  if (left <= 0) serve_waiting(stream);
}

// Has a tunnel wait whose frames went to an egress where octets wait. Returns whether it does.
static bool waits_before_read(struct stream *stream) {
  const struct flow_end *end = &stream->flows;
  struct stream *egress = end->expected;
  // The epoch tells that the egress is still there: datapath_close ends all flows of its table.
  if (egress == NULL || end->table == NULL || end->table->entries.epoch != end->expected_epoch) return false;
  if (egress->rest == NULL || !can_wait(&stream->head)) return false;
  wait_for(&stream->head, &egress->head);
  return true;
}

void stream_ready(struct stream *stream, int events) {
  if ((events & WRITABLE) != 0) send_waiting(stream);
  // The host may have closed the stream.
  if ((events & READABLE) == 0 || stream->head.fd < 0 || waits_before_read(stream)) return;
  read_now(stream);
}

ssize_t tunnel_read(struct stream *stream) { return read_once(stream, false); }

bool tunnel_feed(struct stream *stream, const uint8_t *bytes, size_t length) {
  struct datapath *datapath = stream->head.datapath;
  for (size_t at = 0; at < length && stream->tunnel != NULL;) {
    struct window window;
    if (!window_open(datapath, &stream->tunnel->unfinished, &window)) return false;
    const size_t room = window_room(&window), count = length - at < room ? length - at : room;
    memcpy(window.slab->bytes + window.to, bytes + at, count);
    window.end += count;
    at += count;
    if (!take_messages(stream, &window, false)) return false;
  }
  return true;
}

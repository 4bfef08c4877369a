// A host of the data path for the sanitizers: its loop is driven by the script, its clock stands until the script moves
// it, and whatever it is told it checks. Part of datapath_fuzz.c, which says what becomes of frames.
#ifndef ETHERWS_FAKE_HOST_H
#define ETHERWS_FAKE_HOST_H

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../datapath/datapath.h"
#include "../datapath/kinds.h"
#include "../datapath/state.h"
#include "../datapath/tally.h"
#include "../datapath/tls_records.h"
#include "../datapath/tls_stream.h"
#include "../datapath/tunnel.h"
#include "drive.h"

enum { MAX_ENDS = 6, LIST = 64, SLAB_SIZE = 128 * 1024, FRAGMENT_BYTES = 4096 };

struct host {
  struct datapath *datapath;
  uint64_t now_ms;
  uint64_t timer_at_ms;  // 0: it does not run
  double cells[3];       // of the buffer budget
  uint8_t *slab;
  uint32_t starts[LIST], lengths[LIST], tally[TALLY_COUNT];
  uint32_t list_starts[LIST], list_lengths[LIST];
  uint32_t slabs;  // that were given out
  bool is_left;    // it may not be called any more
};

// A descriptor of the data path, and the far end of its socket.
struct end {
  struct descriptor *descriptor;  // NULL once freed
  bool is_closed;
  bool has_failed;  // what is on its way there, or from there, may be lost
  int events;       // that the datapath polls for
  int far;          // -1 once closed
  bool is_quick;    // the far end reads often
  double counters[4];
  // Of tunnels.
  struct etherws_tls_records opening, sealing, far_opening, far_sealing;
  uint8_t fragments[FRAGMENT_BYTES];
  size_t fragment_bytes;
  bool is_fragmented;
  // Octets that the far end is to send, and has read.
  uint8_t *out, *in;
  size_t out_from, out_to, in_bytes;
  uint32_t newest[MAX_ENDS + 1];  // the last frame that arrived from each
};

static struct host host;
static struct end ends[MAX_ENDS];
static uint32_t end_count;
static unsigned long moved;  // reads, writes and events that were served

static struct end *end_of(const struct descriptor *descriptor) { return descriptor->owner; }

// What the script does with a frame that is the host's, and in the middle of a callback.
static void take_frame(struct end *end, const uint8_t *frame, uint32_t length);
static void react(struct end *end);

static void close_end(struct end *end) {
  if (end->is_closed) return;
  const int fd = datapath_close(end->descriptor);
  require(fd >= 0, "an open descriptor has no file descriptor");
  require(datapath_close(end->descriptor) == -1, "closed twice");
  close(fd);
  end->is_closed = end->has_failed = true;
  end->events = 0;
}

int host_watch(struct descriptor *descriptor, int events) {
  require(!end_of(descriptor)->is_closed && !host.is_left, "polled after it was closed");
  end_of(descriptor)->events = events;
  return 0;
}

uint64_t host_now_ms(struct host *the_host) { return the_host->now_ms; }

uint64_t host_now_ns(struct host *the_host) { return the_host->now_ms * 1000000; }

void host_start_timer(struct host *the_host, uint32_t after_ms) { the_host->timer_at_ms = the_host->now_ms + after_ms; }

bool host_new_slab(struct host *the_host, size_t bytes, struct slab *slab) {
  if (below(50) == 0) return false;
  slab->bytes = allocate(bytes);
  the_host->slabs++;
  return true;
}

void host_free_slab(struct host *the_host, struct slab *slab) {
  free(slab->bytes);
  slab->bytes = NULL;
  the_host->slabs--;
}

static uint32_t lost(void) {
  uint32_t count = 0;
  for (int i = 0; i < TALLY_COUNT; i++) count += host.tally[i];
  return count;
}

static uint32_t lost_frames;

void host_ready(struct descriptor *descriptor, int status, int count, enum host_call call) {
  struct end *end = end_of(descriptor);
  (void)call;
  require(!end->is_closed, "told of readiness after it was closed");
  if (device_of(descriptor) != NULL) {
    lost_frames += lost();
    memset(host.tally, 0, sizeof host.tally);
    if (status == LOST) return react(end);
    for (int i = 0; i < count && !end->is_closed; i++) {
      take_frame(end, host.slab + host.starts[i], host.lengths[i]);
    }
  } else if ((status == READABLE || status < 0) && (count <= 0 || status < 0)) {
    end->has_failed = true;
    if (below(3) == 0) datapath_await(descriptor, 0);
    else close_end(end);
  } else if (status == WRITABLE && count < 0) {
    end->has_failed = true;
  }
  react(end);
}

// Frames of a message's payload, whatever wire it is.
static void take_payload(struct end *end, uint8_t *bytes, uint32_t start, uint32_t length, bool is_batched) {
  uint32_t starts[LIST], lengths[LIST];
  struct etherws_messages found = {starts, lengths, 0, LIST};
  if (!is_batched) {
    take_frame(end, bytes + start, length);
  } else if (etherws_read_batch(bytes, start, length, &found)) {
    for (uint32_t i = 0; i < found.count && !end->is_closed; i++) take_frame(end, bytes + starts[i], lengths[i]);
  }
}

// The header of a message of up to 64 KiB. Returns its length, or 0 while not all of the message is there.
static size_t head_of(const uint8_t *bytes, size_t left, bool is_masked, size_t *payload) {
  if (left < 4) return 0;
  const size_t head = ((bytes[1] & 0x7f) == 126 ? 4 : 2) + (is_masked ? 4 : 0);
  *payload = head >= 4 && (bytes[1] & 0x7f) == 126 ? (size_t)bytes[2] << 8 | bytes[3] : bytes[1] & 0x7fu;
  return left >= head + *payload ? head : 0;
}

bool host_octets(struct descriptor *descriptor, const struct octets *octets, bool is_from_loop,
                 struct octets_answer *answer) {
  struct end *end = end_of(descriptor);
  const struct tunnel *tunnel = stream_of(descriptor)->tunnel;
  const bool is_masked = !tunnel->is_masking, is_batched = tunnel->is_batched;
  uint8_t *bytes = octets->slab->bytes;
  size_t at = octets->position;
  (void)is_from_loop;
  require(!end->is_closed, "told of octets after it was closed");
  require(octets->position <= octets->end && octets->frames <= LIST, "octets outside of their slab");
  for (uint32_t i = 0; i < octets->frames && !end->is_closed; i++) {
    take_frame(end, bytes + host.list_starts[i], host.list_lengths[i]);
  }
  for (size_t head, payload; at < octets->end; at += head + payload) {
    if ((head = head_of(bytes + at, octets->end - at, is_masked, &payload)) == 0) break;
    uint8_t *content = bytes + at + head;
    if (is_masked) etherws_mask(content, content, payload, content - 4);
    const int opcode = bytes[at] & 15, is_final = bytes[at] & 128;
    if (opcode == 9) continue;
    if (opcode == 2 && is_final) {
      take_payload(end, bytes, (uint32_t)(at + head), (uint32_t)payload, is_batched);
      continue;
    }
    if (end->fragment_bytes + payload > FRAGMENT_BYTES) {
      // Without memory the data path has dropped octets of this end, and the script lets it read on.
      require(end->has_failed, "octets that were not sent");
      end->fragment_bytes = 0;
      continue;
    }
    memcpy(end->fragments + end->fragment_bytes, content, payload);
    end->fragment_bytes += payload;
    end->is_fragmented = !is_final;
    if (!is_final) continue;
    take_payload(end, end->fragments, 0, (uint32_t)end->fragment_bytes, is_batched);
    end->fragment_bytes = 0;
  }
  *answer = (struct octets_answer){at, !end->is_fragmented};
  react(end);
  return true;
}

enum record_answer host_record(struct descriptor *descriptor, int status, const uint8_t *content, size_t length,
                               bool has_data) {
  struct end *end = end_of(descriptor);
  (void)content;
  (void)length;
  (void)has_data;
  require(!end->is_closed, "told of a record after it was closed");
  // Without memory records are lost, and the host was told.
  require(status > 0 || end->has_failed, "a record that was sealed is refused");
  react(end);
  return status > 0 ? GO_ON : STOP;
}

// One turn of the loop: what is ready is served in any order, all at once or one event after the other.
static void run_turn(void) {
  struct pollfd polled[MAX_ENDS];
  uint32_t order[MAX_ENDS] = {0};
  for (uint32_t i = 0; i < end_count; i++) {
    const struct end *end = &ends[i];
    const short wanted = (short)((end->events & READABLE ? POLLIN : 0) | (end->events & WRITABLE ? POLLOUT : 0));
    polled[i] = (struct pollfd){.fd = end->is_closed ? -1 : end->descriptor->fd, .events = wanted};
    order[i] = i;
  }
  poll(polled, end_count, 0);
  for (uint32_t i = end_count; i > 1; i--) {
    const uint32_t other = below(i), kept = order[i - 1];
    order[i - 1] = order[other];
    order[other] = kept;
  }
  for (uint32_t i = 0; i < end_count; i++) {
    struct end *end = &ends[order[i]];
    const short found = polled[order[i]].revents;
    const int ready = (found & (POLLIN | POLLHUP) ? READABLE : 0) | (found & (POLLOUT | POLLHUP) ? WRITABLE : 0);
    const bool is_split = below(2) == 0;
    for (int event = READABLE; event <= WRITABLE; event <<= 1) {
      const int events = ready & end->events & (is_split ? event : READABLE | WRITABLE);
      if (!end->is_closed && events != 0) datapath_ready(end->descriptor, events), moved++;
      if (!is_split) break;
    }
  }
  if (host.timer_at_ms != 0 && host.timer_at_ms <= host.now_ms) {
    host.timer_at_ms = 0;
    datapath_timer(host.datapath);
  }
  // As in a loop, the memory of what was closed goes behind the turn.
  for (uint32_t i = 0; i < end_count; i++) {
    if (!ends[i].is_closed || ends[i].descriptor == NULL) continue;
    datapath_free(ends[i].descriptor);
    ends[i].descriptor = NULL;
  }
  require(host.cells[0] >= 0, "less than nothing is held");
}

#endif

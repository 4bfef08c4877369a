// A connected stream socket, and the octets that it still has to send.
#ifndef ETHERWS_STREAM_H
#define ETHERWS_STREAM_H

#include <sys/types.h>

#include "descriptor.h"
#include "flow_end.h"
#include "frames.h"

struct stream {
  struct descriptor head;
  bool has_waited;  // the kernel refused octets since the host last asked
  bool wants_room;  // host_ready is called whenever a part of the rest has left
  bool is_local;    // the far end is a process of this machine: a Unix socket
  struct flow_end flows;
  struct tunnel *tunnel;  // NULL: the host reads it
  // Unsent octets: rest[rest_from .. rest_to); NULL: none. They leave before anything else.
  uint8_t *rest;
  size_t rest_from;
  size_t rest_to;
  uint64_t relieved_ms;  // when octets that waited had left
};

// NULL for a descriptor of another kind.
static inline struct stream *stream_of(struct descriptor *descriptor) {
  return descriptor->kind == KIND_STREAM ? (struct stream *)(void *)descriptor : NULL;
}

// Whether the far end is a process of this machine.
bool stream_is_local(const struct stream *stream);

// Reads once. Returns the number of octets, 0 at the end of the stream, or -errno.
ssize_t stream_read(const struct stream *stream, uint8_t *bytes, size_t length);

// Sends at once, and ignores the rest. Returns how many octets the kernel took, or -errno.
ssize_t stream_send(const struct stream *stream, const uint8_t *bytes, size_t length);

// Shuts the sending direction down. Returns 0 or -errno; -EAGAIN: octets wait, and host_ready is called when they have left.
int stream_end(struct stream *stream);

// The number of octets that wait.
size_t stream_rest_bytes(const struct stream *stream);

// Appends octets to the rest. Returns where the caller has to write them, or NULL without memory. The buffer budget counts
// them without its limit: they were counted in the host's queue before, which is where tunnels shed.
uint8_t *stream_extend_rest(struct stream *stream, size_t bytes);

// Keeps the part of a message that the kernel did not take. Without memory the connection is shut down, because a stream
// with half a message in it is useless.
void stream_keep_rest(struct stream *stream, const uint8_t *bytes, size_t length);

// Sends waiting octets. Returns 0; or -errno: the connection failed, and they are dropped.
int stream_send_rest(struct stream *stream);

// Frees waiting octets.
void stream_drop_rest(struct stream *stream);

#endif

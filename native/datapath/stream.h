// A connected stream socket: a read goes where the caller wants it, and a write says at once how much has left.
#ifndef ETHERWS_STREAM_H
#define ETHERWS_STREAM_H

#include <sys/types.h>

#include "descriptor.h"
#include "flow_end.h"
#include "frames.h"

struct stream {
  struct descriptor head;
  bool has_waited;  // the kernel had no room for something; until it is asked for
  bool wants_room;  // the host is told how much of the rest is left, whenever some has left
  struct flow_end flows;
  struct tunnel *tunnel;  // NULL: the host reads it
  // What the datapath still has to send of a message: rest[rest_from .. rest_to); NULL when nothing. Goes before all else.
  uint8_t *rest;
  size_t rest_from;
  size_t rest_to;
};

// NULL where the descriptor is no stream's.
static inline struct stream *stream_of(struct descriptor *descriptor) {
  return descriptor->kind == KIND_STREAM ? (struct stream *)(void *)descriptor : NULL;
}

// Reads. Returns how many octets it was, 0 at the stream's end, or -errno.
ssize_t stream_read(const struct stream *stream, uint8_t *bytes, size_t length);

// Sends now, past the rest. Returns how many octets the kernel took, or -errno.
ssize_t stream_send(const struct stream *stream, const uint8_t *bytes, size_t length);

// Tells the peer that nothing more comes. Returns 0 or -errno; -EAGAIN: there is a rest, and the host is told when it has
// left.
int stream_end(struct stream *stream);

// How many octets of the rest have not left.
size_t stream_rest_bytes(const struct stream *stream);

// Makes the rest longer. Returns the place of the new octets, or NULL without memory. The budget counts them without a
// limit: the host counted them in its queue before, and tunnels shed from there.
uint8_t *stream_extend_rest(struct stream *stream, size_t bytes);

// Keeps what the kernel did not take of a message. Without memory for it the connection ends: half a message makes the
// stream worthless.
void stream_keep_rest(struct stream *stream, const uint8_t *bytes, size_t length);

// Sends the rest. Returns 0, or -errno when the connection failed, and the rest is dropped.
int stream_send_rest(struct stream *stream);

// Frees the rest.
void stream_drop_rest(struct stream *stream);

#endif

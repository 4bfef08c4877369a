// A tunnel's stream is ready: sends what waits, reads what has come.
#ifndef ETHERWS_STREAM_INGRESS_H
#define ETHERWS_STREAM_INGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream;

void stream_ready(struct stream *stream, int events);

// Reads once, now, and gives everything to the host. Returns how many octets, 0 at the stream's end, or -errno.
ssize_t tunnel_read(struct stream *stream);

// Goes on with octets that were read from the stream before it was a tunnel. Returns false without memory.
bool tunnel_feed(struct stream *stream, const uint8_t *bytes, size_t length);

#endif

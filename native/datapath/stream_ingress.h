// A tunnel's stream is ready: sends waiting octets, and reads.
#ifndef ETHERWS_STREAM_INGRESS_H
#define ETHERWS_STREAM_INGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream;

void stream_ready(struct stream *stream, int events);

// Reads once, now, and gives all octets to the host. Returns their number, 0 at the end of the stream, or -errno.
ssize_t tunnel_read(struct stream *stream);

// Parses octets that were read from the stream before it became a tunnel. Returns false without memory.
bool tunnel_feed(struct stream *stream, const uint8_t *bytes, size_t length);

#endif

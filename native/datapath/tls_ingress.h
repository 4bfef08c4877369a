// Records of a tunnel under TLS, opened into the slab that its messages are taken from.
#ifndef ETHERWS_TLS_INGRESS_H
#define ETHERWS_TLS_INGRESS_H

#include <stdbool.h>
#include <sys/types.h>

struct stream;

// Reads once. Returns how many octets came, 0 at the stream's end, or -errno; what was wrong with records the host was
// told (host_record). is_from_loop: as of host_octets.
ssize_t tls_read(struct stream *stream, bool is_from_loop);

#endif

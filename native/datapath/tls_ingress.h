// Ingress of a tunnel with TLS: opens records into the slab in which messages are parsed.
#ifndef ETHERWS_TLS_INGRESS_H
#define ETHERWS_TLS_INGRESS_H

#include <stdbool.h>
#include <sys/types.h>

struct stream;

// Reads once. Returns the number of octets, 0 at the end of the stream, or -errno. Faults of records go to host_record.
// is_from_loop: as in host_octets.
ssize_t tls_read(struct stream *stream, bool is_from_loop);

#endif

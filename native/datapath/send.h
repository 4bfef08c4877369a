// Sending through a tunnel, in one call: frames become messages, messages become TLS records where the tunnel has TLS, and
// these are sent. Each call takes everything: octets that the kernel refuses are appended to the rest (stream.h).
//
// Each function returns the number of octets that wait now; or -errno, and nothing was taken. -EDQUOT: the TLS key has sealed
// as many records as it may. While octets wait, host_ready is called when some have left (stream->wants_room).
#ifndef ETHERWS_SEND_H
#define ETHERWS_SEND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct etherws_batch;
struct stream;

ssize_t tunnel_send(struct stream *stream, const uint8_t *bytes, size_t length);

// Sends TLS records of a type other than application data, also under a key that has reached its limit.
ssize_t tunnel_send_record(struct stream *stream, uint8_t type, const uint8_t *content, size_t length);

// Sends frames as messages of the tunnel's wire. On the raw wire payloads are padded to `least` octets. The messages have to
// fit into message_block.
ssize_t tunnel_send_frames(struct stream *stream, const struct etherws_batch *frames, size_t least);

#endif

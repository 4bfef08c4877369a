// What the host sends by a tunnel, in one call each: frames become messages, messages become records where the tunnel is
// under TLS, and these leave. All of it is taken: what the kernel does not take goes behind the rest (stream.h).
//
// Each returns how many octets wait now; or -errno, and nothing was taken: -EDQUOT when the TLS key has sealed as many
// records as it may. Where octets wait, the host is told when they leave (stream->wants_room).
#ifndef ETHERWS_SEND_H
#define ETHERWS_SEND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct etherws_batch;
struct stream;

ssize_t tunnel_send(struct stream *stream, const uint8_t *bytes, size_t length);

// One TLS record of a type that is not application data. The number of records under the key does not matter.
ssize_t tunnel_send_record(struct stream *stream, uint8_t type, const uint8_t *content, size_t length);

// Frames as messages of the tunnel's wire; on the raw wire each payload has `least` octets at least. They fit into
// message_block.
ssize_t tunnel_send_frames(struct stream *stream, const struct etherws_batch *frames, size_t least);

#endif

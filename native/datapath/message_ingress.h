// Ingress of messages from a tunnel: frames that match a flow are forwarded, all others go to the host.
#ifndef ETHERWS_MESSAGE_INGRESS_H
#define ETHERWS_MESSAGE_INGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct stream;
struct window;

// Parses the messages in a window, and keeps an unfinished one. is_from_loop: as in host_octets; false: no frame is
// forwarded past the host. Returns false without memory.
bool take_messages(struct stream *stream, const struct window *window, bool is_from_loop);

// Keeps the octets of the window from `consumed` on, unless the tunnel has been closed. Returns false without memory.
bool keep_messages(struct stream *stream, const struct window *window, size_t consumed);

#endif

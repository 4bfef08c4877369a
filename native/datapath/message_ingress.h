// Messages of a tunnel on their way in: frames that have a flow are forwarded, all else is the host's.
#ifndef ETHERWS_MESSAGE_INGRESS_H
#define ETHERWS_MESSAGE_INGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct stream;
struct window;

// Takes apart what a window holds, and keeps what is unfinished. is_from_loop: as of host_octets; where it is false,
// nothing is forwarded past the host. Returns false without memory.
bool take_messages(struct stream *stream, const struct window *window, bool is_from_loop);

// Keeps what stands in the window from `consumed` on, if the tunnel is still there. Returns false without memory.
bool keep_messages(struct stream *stream, const struct window *window, size_t consumed);

#endif

// Back-pressure: a device or tunnel whose frames all go to one tunnel is not read while that tunnel has unsent octets. Its
// frames wait where they come from, where senders are slowed down, and none is lost.
//
// A device waits for any tunnel: Linux keeps its queue short. A tunnel waits only for one to another process of this machine
// (stream->is_local). Such an egress takes frames as fast as that process works, so waiting for it is as if this process
// worked that slowly. Behind it TCP would fill megabytes of buffers with frames for a slow line, which our queues keep short.
#ifndef ETHERWS_BACKPRESSURE_H
#define ETHERWS_BACKPRESSURE_H

#include <stdbool.h>
#include <stdint.h>

struct datapath;
struct descriptor;

// A descriptor waits at most 100 ms for an egress that takes nothing. Then it is read again, and the bridge's queues drop
// what cannot leave. Where many wait for one egress that takes what it can, each gets its turn within a second.
enum { MAX_WAIT_MS = 100, MAX_TURN_MS = 1000 };

// Whether the descriptor may wait now: none of its waits has timed out in the last MAX_WAIT_MS.
bool can_wait(const struct descriptor *ingress);

// Stops reading the descriptor until `egress` has room. One that waits already keeps its place.
void wait_for(struct descriptor *ingress, struct descriptor *egress);

// The one that has waited longest for `egress` waits no more. Returns NULL where none waits. It is polled as before: the
// caller reads it, or calls descriptor_poll.
struct descriptor *take_waiting(struct descriptor *egress);

// `egress` has room, or is closed: all that wait for it are read again.
void release_waiting(struct descriptor *egress);

// It waits for nothing any more, such as one that is closed. It is polled as before, as with take_waiting.
void stop_waiting(struct descriptor *ingress);

// Those that have waited too long are read again, and do not wait for the next MAX_WAIT_MS.
void release_late(struct datapath *datapath);

#endif

// The data path: frames between devices and tunnels, in one thread, without locks.
//
// 1. A descriptor is ready (datapath_ready). What waits is read, into slabs that are shared with the host.
// 2. Where flows lead all of it to one egress that has nothing waiting, it goes there at once (forward.h).
// 3. What is left goes to the host, and from there to the bridge.
// 4. Of a message that leaves in part the rest is kept, and goes first when there is room again (stream.h). A device all
//    of whose frames go there waits so long (backpressure.h).
//
// host.h says what the host gives and is told. These are the doors for it; those of devices, streams and tunnels stand in
// device.h, stream.h, tunnel.h and stream_ingress.h.
#ifndef ETHERWS_DATAPATH_H
#define ETHERWS_DATAPATH_H

#include "descriptor.h"
#include "frames.h"
#include "host.h"

struct etherws_flow;

// Returns NULL without memory.
struct datapath *datapath_new(struct host *host);

// The host ends. It is not called any more; the memory goes with the last descriptor.
void datapath_leave(struct datapath *datapath);

// Where devices are read to, and where what they drop is counted (tally.h). The memory stays the host's, and must stay.
void datapath_share_device_slab(struct datapath *datapath, struct frame_slab slab, uint32_t *tally);

// Where frames of tunnels are listed, for host_octets and for forwarding.
void datapath_share_frame_list(struct datapath *datapath, uint32_t *starts, uint32_t *lengths, uint32_t capacity);

// Where what tunnels hold is counted (buffer_budget.h). Other cells than before begin with what is held.
void datapath_share_buffer_cells(struct datapath *datapath, double *cells);

// Takes an open file descriptor over. Returns NULL without memory, and then it is still the caller's.
struct descriptor *datapath_adopt(struct datapath *datapath, int fd, enum descriptor_kind kind, bool has_vnet_header);

// The host polls it from now on, at first for READABLE.
int datapath_watch(struct descriptor *descriptor);

// What the host is to be called for: READABLE, WRITABLE, or'ed. Returns 0 or -errno.
int datapath_await(struct descriptor *descriptor, int events);

// It has been found ready for `status`, or has failed with -errno.
void datapath_ready(struct descriptor *descriptor, int status);

// As host_start_timer asked for.
void datapath_timer(struct datapath *datapath);

// Ends it: no flow leads there, nothing waits for it, and nothing is read or written any more. Returns the file
// descriptor, for the host to close, or -1 where it was closed before.
int datapath_close(struct descriptor *descriptor);

// Frees a closed descriptor; not from inside of a callback.
void datapath_free(struct descriptor *descriptor);

// Whether frames may go from one to the other by flows: both are watched, and the egress is a device or a batched
// tunnel.
bool datapath_may_flow(struct descriptor *ingress, struct descriptor *egress);

// Frames like this one go from flow->ingress to flow->egress from now on. They may, and both are ends of one flow table
// (flow_end.h).
void datapath_install_flow(const uint8_t *frame, uint32_t length, const struct etherws_flow *flow);

#endif

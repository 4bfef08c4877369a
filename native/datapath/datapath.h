// The data path: frames between devices and tunnels, in one thread, without locks.
//
// 1. A descriptor is ready (datapath_ready). What waits is read, into slabs that are shared with the host.
// 2. Where flows lead all of it to one egress that has nothing waiting, it goes there at once (forward.h).
// 3. What is left goes to the host, and from there to the bridge.
// 4. When the kernel takes only a part of a message, the rest is kept, and leaves first when there is room (stream.h).
//    Until then a device whose frames all go there is not read (backpressure.h).
//
// host.h has the callbacks that the host defines. This file has the functions that it calls; those for devices, streams
// and tunnels stand in device.h, stream.h, tunnel.h and stream_ingress.h.
#ifndef ETHERWS_DATAPATH_H
#define ETHERWS_DATAPATH_H

#include "descriptor.h"
#include "frames.h"
#include "host.h"

struct etherws_flow;

// Returns NULL without memory.
struct datapath *datapath_new(struct host *host);

// The host ends: no callback is called any more. The memory is freed with the last descriptor.
void datapath_leave(struct datapath *datapath);

// Sets the slab that devices are read into, and the counts of dropped frames (tally.h). The memory is the host's, and has
// to stay valid.
void datapath_share_device_slab(struct datapath *datapath, struct frame_slab slab, uint32_t *tally);

// Sets the list in which host_octets finds the frames of tunnels. The memory is the host's, and has to stay valid.
void datapath_share_frame_list(struct datapath *datapath, uint32_t *starts, uint32_t *lengths, uint32_t capacity);

// Sets the cells of the buffer budget (buffer_budget.h). New cells start with the octets that are held now.
void datapath_share_buffer_cells(struct datapath *datapath, double *cells);

// Takes over an open file descriptor. Returns NULL without memory; then the caller still owns it.
struct descriptor *datapath_adopt(struct datapath *datapath, int fd, enum descriptor_kind kind, bool has_vnet_header);

// Starts polling, for READABLE. Returns 0 or -errno.
int datapath_watch(struct descriptor *descriptor);

// Sets the events that host_ready is called for: READABLE, WRITABLE, or'ed. Returns 0 or -errno.
int datapath_await(struct descriptor *descriptor, int events);

// The loop found the descriptor ready for `status` (READABLE, WRITABLE, or'ed), or polling failed with -errno.
void datapath_ready(struct descriptor *descriptor, int status);

// The timer of host_start_timer has expired.
void datapath_timer(struct datapath *datapath);

// Ends all flows and waiting, and stops reading and writing. Returns the file descriptor for the host to close, or -1
// where the descriptor was closed before.
int datapath_close(struct descriptor *descriptor);

// Frees a closed descriptor. Not allowed inside of a callback.
void datapath_free(struct descriptor *descriptor);

// Whether frames may go from one to the other by flows: both are watched, and the egress is a device or a batched
// tunnel.
bool datapath_may_flow(struct descriptor *ingress, struct descriptor *egress);

// From now on frames with the addresses and the tag of this one go from flow->ingress to flow->egress. The caller has asked
// datapath_may_flow, and both descriptors have joined the same flow table (flow_end.h).
void datapath_install_flow(const uint8_t *frame, uint32_t length, const struct etherws_flow *flow);

#endif

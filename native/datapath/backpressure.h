// Back-pressure: a device whose frames all go to one tunnel is not read while that tunnel has unsent octets. The frames
// wait in the device's own queue, where Linux slows their senders down, and none is lost.
#ifndef ETHERWS_BACKPRESSURE_H
#define ETHERWS_BACKPRESSURE_H

#include <stdint.h>

struct datapath;
struct descriptor;
struct device;

// A device waits at most 100 ms for room. Then it is read again, and the bridge's queues drop what cannot leave.
enum { MAX_WAIT_MS = 100 };

// Stops reading the device until `egress` has room.
void wait_for(struct device *device, const struct descriptor *egress);

// `egress` has room: devices that wait for it are read again.
void release_waiting(struct datapath *datapath, const struct descriptor *egress);

// The device is closed: it waits for nothing any more.
void stop_waiting(struct device *device);

// Devices that have waited for MAX_WAIT_MS are read again, and do not wait for the next MAX_WAIT_MS.
void release_late(struct datapath *datapath);

#endif

// Back-pressure: a device all of whose frames go to one tunnel is left unread while that has something unsent. Its
// senders feel that at once, and nothing is lost.
#ifndef ETHERWS_BACKPRESSURE_H
#define ETHERWS_BACKPRESSURE_H

#include <stdint.h>

struct datapath;
struct descriptor;
struct device;

// How long a device waits for room; then the bridge's queues have to drop what cannot leave.
enum { MAX_WAIT_MS = 100 };

// Leaves what comes in the device until `egress` has room.
void wait_for(struct device *device, const struct descriptor *egress);

// Devices that wait for an egress are read again.
void release_waiting(struct datapath *datapath, const struct descriptor *egress);

// The device ends.
void stop_waiting(struct device *device);

// Devices that have waited too long are read again, and wait for nothing for as long.
void release_late(struct datapath *datapath);

#endif

// A device is ready: reads frames, and forwards those that have a flow.
#ifndef ETHERWS_DEVICE_INGRESS_H
#define ETHERWS_DEVICE_INGRESS_H

struct device;

// status: what it is ready for, or -errno.
void device_ready(struct device *device, int status);

#endif

// A device is readable: reads frames, forwards those that have a flow, and gives the others to the host.
#ifndef ETHERWS_DEVICE_INGRESS_H
#define ETHERWS_DEVICE_INGRESS_H

struct device;

// status: the events that it is ready for, or -errno.
void device_ready(struct device *device, int status);

#endif

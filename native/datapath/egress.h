// How frames leave that the flow table forwards: into a device, or as a message into a tunnel.
#ifndef ETHERWS_EGRESS_H
#define ETHERWS_EGRESS_H

#include <stdint.h>

struct descriptor;
struct device;
struct etherws_run;
struct stream;

// Each counts the frames that it takes at both ports, and returns how many of the first these are. A tunnel takes none
// while anything waits there, so that nothing is overtaken.
uint32_t write_to_device(struct descriptor *ingress, struct device *egress, const struct etherws_run *run);
uint32_t write_to_tunnel(struct descriptor *ingress, struct stream *egress, const struct etherws_run *run);

#endif

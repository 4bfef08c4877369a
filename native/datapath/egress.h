// Egress of the fast path: frames that match flows are written to a device, or as a message to a tunnel.
#ifndef ETHERWS_EGRESS_H
#define ETHERWS_EGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct descriptor;
struct device;
struct etherws_run;
struct stream;

// Each takes the first frames of the run, counts them at both ports, and returns their number. A tunnel takes none while
// octets wait there, so that no frame overtakes another. is_last: the ingress waits for the tunnel then, so frames may be put
// behind octets that wait, while none of the host's do.
uint32_t write_to_device(struct descriptor *ingress, struct device *egress, const struct etherws_run *run);
uint32_t write_to_tunnel(struct descriptor *ingress, struct stream *egress, const struct etherws_run *run,
                         bool is_last);

#endif

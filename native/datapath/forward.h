// Frames that the bridge need not see: from one descriptor to another, by the flow table.
//
// When flows lead all frames of a read to one egress that has nothing waiting, they go there at once. What is left goes
// to the host, as if nothing had been tried: it is the bridge that decides, installs flows, queues, and closes.
#ifndef ETHERWS_FORWARD_H
#define ETHERWS_FORWARD_H

#include <stdint.h>

struct descriptor;
struct etherws_run;

// Returns how many of the first frames were forwarded; the rest is the bridge's.
uint32_t forward(struct descriptor *ingress, const struct etherws_run *run);

#endif

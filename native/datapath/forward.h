// The fast path from one descriptor to another, by the flow table.
//
// When all frames of a read match flows to one egress, and no octets wait there, they leave at once. All other frames go to
// the host unchanged: the bridge decides about them, installs flows, queues and closes.
#ifndef ETHERWS_FORWARD_H
#define ETHERWS_FORWARD_H

#include <stdint.h>

struct descriptor;
struct etherws_run;

// Forwards the first frames of a run, and returns their number. The others are for the bridge.
uint32_t forward(struct descriptor *ingress, const struct etherws_run *run);

#endif

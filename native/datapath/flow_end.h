// What a device or tunnel has as an end of flows: the flow table of its bridge, and what is counted. All of it is empty
// before a flow leads from or to it.
#ifndef ETHERWS_FLOW_END_H
#define ETHERWS_FLOW_END_H

#include <stdint.h>

#include "flow_table.h"

// One for each bridge. It goes with the last of its owners: the host, and each end of its flows.
struct flow_table {
  unsigned owners;
  double clock_offset_ms;  // from host_now_ns to the clock by which the bridge is run
  struct etherws_flow_table entries;
};

struct flow_end {
  struct flow_table *table;
  double *counters;  // of its port: frames and octets received, then sent. NULL: nothing is counted
  double *meter;     // the rates that what comes in is charged to; NULL: none
};

// An empty one, with one owner. Returns NULL without memory.
struct flow_table *flow_table_new(double clock_offset_ms);

void flow_table_release(struct flow_table *table);

// No flow of the table is followed any more.
void flow_table_invalidate(struct flow_table *table);

// It is an end of this table's flows from now on: those of another table are invalid then.
void flow_end_join(struct flow_end *end, struct flow_table *table);

// The cells stay the host's; they are written until it is told of others, or of NULL. Flows that were installed with
// another meter are invalid then.
void flow_end_set_meter(struct flow_end *end, double *meter);

// It is no end of flows any more.
void flow_end_leave(struct flow_end *end);

// Counts frames, in finished frames and octets, and charges them to the meter of the ingress.
void flow_end_count(struct flow_end *ingress, struct flow_end *egress, double frames, double octets);

#endif

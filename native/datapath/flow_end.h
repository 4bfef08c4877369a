// What a device or tunnel needs as an end of flows: the flow table of its bridge, counters and a meter. All members are
// NULL before the first flow from or to it.
#ifndef ETHERWS_FLOW_END_H
#define ETHERWS_FLOW_END_H

#include <stdint.h>

#include "flow_table.h"

struct stream;

// The flow table of one bridge. It is freed with the last of its owners: the host, and each end of its flows.
struct flow_table {
  unsigned owners;
  double clock_offset_ms;  // the bridge's clock minus host_now_ns
  struct etherws_flow_table entries;
};

struct flow_end {
  struct flow_table *table;
  double *counters;  // of its port: received frames and octets, sent frames and octets; NULL: nothing is counted
  double *meter;     // token buckets for what comes in here (flow_table.h); NULL: no rate
  // The tunnel that all frames of a tunnel went to, for which it may wait (backpressure.h); valid while the table has this
  // epoch. NULL: none.
  struct stream *expected;
  uint32_t expected_epoch;
};

// Makes an empty table with one owner. Returns NULL without memory.
struct flow_table *flow_table_new(double clock_offset_ms);

void flow_table_release(struct flow_table *table);

// Ends all flows of the table.
void flow_table_invalidate(struct flow_table *table);

// Makes it an end of this table's flows. If it was one of another table, all flows of that table end.
void flow_end_join(struct flow_end *end, struct flow_table *table);

// Sets the meter. The cells are the host's, and are written until another meter, or NULL, is set. A changed meter ends all
// flows of the table.
void flow_end_set_meter(struct flow_end *end, double *meter);

// Ends its flows, and leaves the table.
void flow_end_leave(struct flow_end *end);

// Counts frames, in finished frames and in octets as they were read and as they are sent, and charges those that were read to
// the meter of the ingress.
void flow_end_count(struct flow_end *ingress, struct flow_end *egress, double frames, double read, double sent);

#endif

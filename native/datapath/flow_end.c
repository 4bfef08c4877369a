#include "flow_end.h"

#include <stdlib.h>

// The cells of a port's counters, in the order of src/bridge/counters.ts.
enum { RX_FRAMES, RX_OCTETS, TX_FRAMES, TX_OCTETS };

struct flow_table *flow_table_new(double clock_offset_ms) {
  struct flow_table *table = calloc(1, sizeof *table);
  if (table == NULL) return NULL;
  table->owners = 1;
  table->clock_offset_ms = clock_offset_ms;
  return table;
}

void flow_table_release(struct flow_table *table) {
  if (table == NULL || --table->owners != 0) return;
  etherws_release_flows(&table->entries);
  free(table);
}

void flow_table_invalidate(struct flow_table *table) {
  if (table != NULL) etherws_invalidate_flows(&table->entries);
}

void flow_end_join(struct flow_end *end, struct flow_table *table) {
  if (end->table == table) return;
  flow_table_invalidate(end->table);
  flow_table_release(end->table);
  end->table = table;
  end->expected = NULL;
  table->owners++;
}

void flow_end_set_meter(struct flow_end *end, double *meter) {
  if (end->meter != meter) flow_table_invalidate(end->table);
  end->meter = meter;
}

void flow_end_leave(struct flow_end *end) {
  flow_table_invalidate(end->table);
  flow_table_release(end->table);
  *end = (struct flow_end){0};
}

void flow_end_count(struct flow_end *ingress, struct flow_end *egress, double frames, double read, double sent) {
  // The host may have closed either descriptor. Then its end has no meter and no counters.
  if (ingress->meter != NULL) etherws_meter_charge(ingress->meter, frames, read);
  if (ingress->counters != NULL) {
    ingress->counters[RX_FRAMES] += frames;
    ingress->counters[RX_OCTETS] += read;
  }
  if (egress->counters != NULL) {
    egress->counters[TX_FRAMES] += frames;
    egress->counters[TX_OCTETS] += sent;
  }
}

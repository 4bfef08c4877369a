#include "forward.h"

#include <stddef.h>

#include "backpressure.h"
#include "device.h"
#include "egress.h"
#include "host.h"
#include "kinds.h"
#include "retag.h"
#include "state.h"
#include "tunnel.h"

// Stops reading the device while octets wait at the tunnel, except in the MAX_WAIT_MS after a wait that timed out or a
// change of the egress.
static void wait_where_full(struct device *ingress, const struct stream *egress, uint64_t now_ms) {
  if (egress->rest != NULL && now_ms >= ingress->no_wait_until_ms) wait_for(ingress, &egress->head);
}

// Returns the flow that all frames of a run match, and whose meter admits them. NULL: they go to the bridge.
static const struct etherws_flow *flow_of(struct descriptor *ingress, const struct etherws_run *run, uint64_t now_ms) {
  const struct flow_end *end = flow_end_of(ingress);
  if (end == NULL || end->table == NULL) return NULL;
  const struct etherws_flow *flow = etherws_match_flow(&end->table->entries, ingress, run, now_ms);
  if (flow == NULL || flow->meter == NULL) return flow;
  const double now_of_bridge_ms = (double)host_now_ns(ingress->datapath->host) / 1e6 + end->table->clock_offset_ms;
  // Frames above the rate go to the bridge, which drops and counts them one by one.
  return etherws_meter_admits(flow->meter, run, now_of_bridge_ms) ? flow : NULL;
}

uint32_t forward(struct descriptor *ingress, const struct etherws_run *run) {
  if (run->count == 0) return 0;
  const uint64_t now_ms = host_now_ms(ingress->datapath->host);
  const struct etherws_flow *flow = flow_of(ingress, run, now_ms);
  // No flow leads to a closed egress: datapath_close invalidates all flows of its table.
  struct descriptor *egress = flow == NULL ? NULL : flow->egress;
  if (egress == NULL) return 0;
  // The host may be called below, and may install another flow in the same slot.
  const bool may_wait = flow->may_wait;
  const struct etherws_tag_change change = flow->change;
  const struct etherws_tag_change back = etherws_inverse_change(&change, flow->key + ETHERWS_ADDRESSES_BYTES);
  const bool is_retagged = (change.stripped | change.inserted) != 0;
  struct etherws_run changed = *run;
  if (is_retagged) etherws_retag(&changed, 0, &change);
  struct device *device = device_of(ingress);
  if (device != NULL) {
    if (egress != device->expected) device->no_wait_until_ms = now_ms + MAX_WAIT_MS;
    device->expected = egress;
  }
  struct device *into = device_of(egress);
  if (into != NULL) return write_to_device(ingress, into, &changed);
  struct stream *tunnel = stream_of(egress);
  const uint32_t taken = write_to_tunnel(ingress, tunnel, &changed);
  // What was not taken is for the bridge, as it was read.
  if (is_retagged) etherws_retag(&changed, taken, &back);
  if (taken == run->count && may_wait && device != NULL) wait_where_full(device, tunnel, now_ms);
  return taken;
}

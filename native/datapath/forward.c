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

// Whether `ingress` waits for the tunnel while octets wait there (backpressure.h).
static bool waits_at(struct descriptor *ingress, const struct stream *egress) {
  const struct stream *tunnel = stream_of(ingress);
  return tunnel == NULL || (egress->is_local && !tunnel->is_local);
}

static void expect(struct descriptor *ingress, struct stream *egress) {
  struct stream *tunnel = stream_of(ingress);
  if (tunnel == NULL) return;
  tunnel->flows.expected = egress;
  tunnel->flows.expected_epoch = egress == NULL ? 0 : tunnel->flows.table->entries.epoch;
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
  struct stream *tunnel = egress == NULL ? NULL : stream_of(egress);
  // The host may be called below, and may install another flow in the same slot.
  const bool may_wait = tunnel != NULL && flow->may_wait && waits_at(ingress, tunnel);
  expect(ingress, may_wait ? tunnel : NULL);
  if (egress == NULL) return 0;
  const struct etherws_tag_change change = flow->change;
  const struct etherws_tag_change back = etherws_inverse_change(&change, flow->key + ETHERWS_ADDRESSES_BYTES);
  const bool is_retagged = (change.stripped | change.inserted) != 0;
  struct etherws_run changed = *run;
  if (is_retagged) etherws_retag(&changed, 0, &change);
  struct device *device = device_of(ingress);
  if (device != NULL) {
    if (egress != device->expected) device->head.wait.none_until_ms = now_ms + MAX_WAIT_MS;
    device->expected = egress;
    device->tag_room = change.inserted > change.stripped ? (size_t)change.inserted - change.stripped : 0;
  }
  struct device *into = device_of(egress);
  if (into != NULL) return write_to_device(ingress, into, &changed);
  const bool waits = may_wait && can_wait(ingress);
  const uint32_t taken = write_to_tunnel(ingress, tunnel, &changed, waits && device == NULL);
  // What was not taken is for the bridge, as it was read.
  if (is_retagged) etherws_retag(&changed, taken, &back);
  const bool is_left = ingress->fd >= 0 && egress->fd >= 0;
  if (taken == run->count && waits && is_left && tunnel->rest != NULL) wait_for(ingress, egress);
  return taken;
}

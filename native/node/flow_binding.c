// The flow table of a bridge, as src/native/flow-table.ts uses it.
#include <errno.h>

#include "../datapath/datapath.h"
#include "../datapath/kinds.h"
#include "../offload/octets.h"
#include "bindings.h"
#include "handle.h"
#include "values.h"

enum { COUNTER_CELLS = 4 };

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  flow_table_release(data);
}

static bool take_table(napi_env env, napi_value value, struct flow_table **table) {
  if (napi_get_value_external(env, value, (void **)table) == napi_ok) return true;
  napi_throw_type_error(env, NULL, "expected a flow table");
  return false;
}

// createFlowTable(nowMs) returns an empty table. nowMs: the present time of the bridge's clock.
static napi_value create_flow_table(napi_env env, napi_callback_info info) {
  napi_value argument, external;
  double now_ms;
  if (!take_arguments(env, info, &argument, 1)) return NULL;
  CHECK_NAPI(env, napi_get_value_double(env, argument, &now_ms));
  struct flow_table *table = flow_table_new(now_ms - (double)host_now_ns(host_of(env)) / 1e6);
  if (table == NULL) return throw_errno(env, ENOMEM, "calloc");
  if (napi_create_external(env, table, on_collected, NULL, &external) != napi_ok) {
    flow_table_release(table);
    return throw_napi_failure(env);
  }
  return external;
}

static bool take_cells(napi_env env, napi_value value, size_t least, double **cells) {
  uint8_t *bytes;
  size_t length;
  if (!take_octets(env, value, &bytes, &length)) return false;
  if (length < least * sizeof(double)) {
    napi_throw_range_error(env, NULL, "there are too few cells");
    return false;
  }
  *cells = (double *)(void *)bytes;
  return true;
}

// Sets the counters, and keeps them alive as long as the descriptor counts in them.
static bool take_counters(napi_env env, napi_value value, struct handle *handle, struct flow_end *end) {
  double *counters;
  if (!take_cells(env, value, COUNTER_CELLS, &counters)) return false;
  if (end->counters == counters) return true;
  end->counters = NULL;
  if (!keep_reference(env, &handle->counters, value)) return false;
  end->counters = counters;
  return true;
}

// Sets the meter of the flows from this descriptor; undefined: none.
static bool take_meter(napi_env env, napi_value value, struct handle *handle, struct flow_end *end) {
  double *meter = NULL;
  const bool is_none = is_undefined(env, value);
  if (!is_none && !take_cells(env, value, ETHERWS_METER_CELLS, &meter)) return false;
  if (end->meter == meter) return true;
  flow_end_set_meter(end, NULL);
  if (!keep_reference(env, &handle->meter, is_none ? NULL : value)) return false;
  flow_end_set_meter(end, meter);
  return true;
}

// tag: its four octets as one number; 0: none.
static struct etherws_tag_change change_of(int32_t stripped, int32_t tag) {
  struct etherws_tag_change change = {.stripped = stripped == 0 ? 0 : sizeof change.tag,
                                      .inserted = tag == 0 ? 0 : sizeof change.tag};
  etherws_write_long(change.tag, (uint32_t)tag);
  return change;
}

// installFlow(table, ingress, ingressCells, egress, egressCells, bytes, start, end, offloads, maxFrameBytes,
// tagAllowance, lifeMs, mayWait, meter, strippedBytes, tag)
static napi_value install_flow(napi_env env, napi_callback_info info) {
  napi_value arguments[16];
  struct flow_table *table;
  struct handle *ingress, *egress;
  uint8_t *frame;
  size_t length;
  int32_t offloads, max_frame_bytes, tag_allowance, life_ms, stripped, tag;
  bool may_wait;
  if (!take_arguments(env, info, arguments, 16) || !take_table(env, arguments[0], &table) ||
      !take_handle(env, arguments[1], &ingress) || !take_handle(env, arguments[3], &egress) ||
      !take_range(env, arguments + 5, &frame, &length) || !take_int32(env, arguments[8], &offloads) ||
      !take_int32(env, arguments[9], &max_frame_bytes) || !take_int32(env, arguments[10], &tag_allowance) ||
      !take_int32(env, arguments[11], &life_ms) || !take_bool(env, arguments[12], &may_wait) ||
      !take_int32(env, arguments[14], &stripped) || !take_int32(env, arguments[15], &tag)) {
    return NULL;
  }
  if (!datapath_may_flow(ingress->descriptor, egress->descriptor)) return NULL;
  struct flow_end *in = flow_end_of(ingress->descriptor), *out = flow_end_of(egress->descriptor);
  flow_end_join(in, table);
  flow_end_join(out, table);
  if (!take_counters(env, arguments[2], ingress, in) || !take_counters(env, arguments[4], egress, out) ||
      !take_meter(env, arguments[13], ingress, in)) {
    return NULL;
  }
  const struct etherws_flow flow = {.ingress = ingress->descriptor,
                                    .egress = egress->descriptor,
                                    .until_ms = host_now_ms(ingress->host) + (uint64_t)(life_ms < 0 ? 0 : life_ms),
                                    .meter = in->meter,
                                    .offloads = (uint32_t)offloads,
                                    .max_frame_bytes = (uint32_t)max_frame_bytes,
                                    .tag_allowance = (uint32_t)tag_allowance,
                                    .change = change_of(stripped, tag),
                                    .may_wait = may_wait};
  datapath_install_flow(frame, (uint32_t)length, &flow);
  return NULL;
}

// invalidateFlows(table)
static napi_value invalidate_flows(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct flow_table *table;
  if (take_arguments(env, info, &argument, 1) && take_table(env, argument, &table)) flow_table_invalidate(table);
  return NULL;
}

// endFlows(descriptor)
static napi_value end_flows(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct descriptor *descriptor;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  const struct flow_end *end = flow_end_of(descriptor);
  if (end != NULL) flow_table_invalidate(end->table);
  return NULL;
}

napi_value init_flows(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"createFlowTable", create_flow_table},
      {"installFlow", install_flow},
      {"invalidateFlows", invalidate_flows},
      {"endFlows", end_flows},
  };
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}

// Flow tables as src/native/flow-table.ts has them: one a bridge, held by its JavaScript object and by each descriptor
// that flows lead from or to.
#include <errno.h>
#include <stdlib.h>

#include "../datapath/fast_path.h"

enum { COUNTER_CELLS = 4 };

struct flow_table {
  unsigned owners;
  double clock_offset_ms;  // from uv_hrtime to the clock by which the bridge is run
  struct etherws_flow_table entries;
};

static void release(struct flow_table *table) {
  if (table != NULL && --table->owners == 0) free(table);
}

static void invalidate(struct flow_table *table) {
  if (table != NULL) etherws_invalidate_flows(&table->entries);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release(data);
}

static bool take_table(napi_env env, napi_value value, struct flow_table **table) {
  if (napi_get_value_external(env, value, (void **)table) == napi_ok) return true;
  napi_throw_type_error(env, NULL, "expected a flow table");
  return false;
}

// createFlowTable(nowMs): an empty one, for a bridge by whose clock it is `nowMs` now.
static napi_value create_flow_table(napi_env env, napi_callback_info info) {
  napi_value argument, external;
  double now_ms;
  if (!take_arguments(env, info, &argument, 1)) return NULL;
  CHECK_NAPI(env, napi_get_value_double(env, argument, &now_ms));
  struct flow_table *table = calloc(1, sizeof *table);
  if (table == NULL) return throw_errno(env, ENOMEM, "calloc");
  table->owners = 1;
  table->clock_offset_ms = now_ms - (double)uv_hrtime() / 1e6;
  if (napi_create_external(env, table, on_collected, NULL, &external) != napi_ok) {
    release(table);
    return throw_napi_failure(env);
  }
  return external;
}

static void forget(napi_env env, napi_ref *reference, double **cells) {
  if (*reference != NULL) napi_delete_reference(env, *reference);
  *reference = NULL;
  *cells = NULL;
}

// Takes the cells of a Float64Array, and keeps them alive as long as the descriptor may count there.
static bool take_cells(napi_env env, napi_value value, size_t least, napi_ref *reference, double **cells) {
  uint8_t *bytes;
  size_t length;
  if (!take_octets(env, value, &bytes, &length)) return false;
  if (length < least * sizeof(double)) {
    napi_throw_range_error(env, NULL, "there are too few cells");
    return false;
  }
  if (*cells == (double *)(void *)bytes) return true;
  forget(env, reference, cells);
  if (napi_create_reference(env, value, 1, reference) != napi_ok) return false;
  *cells = (double *)(void *)bytes;
  return true;
}

// The descriptor is an end of this bridge's flows from now on.
static void join(struct descriptor *descriptor, struct flow_table *table) {
  struct flow_end *end = &descriptor->flow;
  if (end->table == table) return;
  invalidate(end->table);
  release(end->table);
  end->table = table;
  table->owners++;
}

// The meter of the flows that come in here, or none. Flows that were installed with another one would charge cells that
// may be gone.
static bool take_meter(napi_env env, napi_value value, struct flow_end *ingress) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  double *former = ingress->meter;
  if (type == napi_undefined) forget(env, &ingress->meter_of, &ingress->meter);
  else if (!take_cells(env, value, ETHERWS_METER_CELLS, &ingress->meter_of, &ingress->meter)) return false;
  if (former != ingress->meter) invalidate(ingress->table);
  return true;
}

// installFlow(table, ingress, ingressCells, egress, egressCells, bytes, start, end, offloads, maxFrameBytes,
// tagAllowance, lifeMs, mayWait, meter)
static napi_value install_flow(napi_env env, napi_callback_info info) {
  napi_value arguments[14];
  struct flow_table *table;
  struct descriptor *ingress, *egress;
  uint8_t *frame;
  size_t length;
  int32_t offloads, max_frame_bytes, tag_allowance, life_ms;
  bool may_wait;
  if (!take_arguments(env, info, arguments, 14) || !take_table(env, arguments[0], &table) ||
      !take_descriptor(env, arguments[1], &ingress) || !take_descriptor(env, arguments[3], &egress) ||
      !take_range(env, arguments + 5, &frame, &length) || !take_int32(env, arguments[8], &offloads) ||
      !take_int32(env, arguments[9], &max_frame_bytes) || !take_int32(env, arguments[10], &tag_allowance) ||
      !take_int32(env, arguments[11], &life_ms) || !take_bool(env, arguments[12], &may_wait)) {
    return NULL;
  }
  if (ingress->fast == NULL || !ingress->is_watched || !egress->is_watched || ingress->fd < 0 || egress->fd < 0) {
    return NULL;
  }
  join(ingress, table);
  join(egress, table);
  struct flow_end *in = &ingress->flow, *out = &egress->flow;
  if (!take_cells(env, arguments[2], COUNTER_CELLS, &in->cells_of, &in->cells) ||
      !take_cells(env, arguments[4], COUNTER_CELLS, &out->cells_of, &out->cells) ||
      !take_meter(env, arguments[13], in)) {
    return NULL;
  }
  egress->offloads = (uint32_t)offloads;
  const struct etherws_flow flow = {.ingress = ingress,
                                    .egress = egress,
                                    .until_ms = uv_now(ingress->poll.loop) + (uint64_t)(life_ms < 0 ? 0 : life_ms),
                                    .meter = in->meter,
                                    .offloads = (uint32_t)offloads,
                                    .max_frame_bytes = (uint32_t)max_frame_bytes,
                                    .tag_allowance = (uint32_t)tag_allowance,
                                    .may_wait = may_wait};
  etherws_install_flow(&table->entries, frame, (uint32_t)length, &flow);
  return NULL;
}

// invalidateFlows(table): what has been decided may not hold any more.
static napi_value invalidate_flows(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct flow_table *table;
  if (take_arguments(env, info, &argument, 1) && take_table(env, argument, &table)) invalidate(table);
  return NULL;
}

// endFlows(descriptor): no flow leads from or to it any more, until one is installed anew.
static napi_value end_flows(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct descriptor *descriptor;
  if (take_arguments(env, info, &argument, 1) && take_descriptor(env, argument, &descriptor)) {
    invalidate(descriptor->flow.table);
  }
  return NULL;
}

const struct etherws_flow *flow_of(const struct descriptor *ingress, const struct etherws_run *run) {
  struct flow_table *table = ingress->flow.table;
  if (table == NULL || run->count == 0 || ingress->flow.cells == NULL) return NULL;
  const struct etherws_flow *flow = etherws_match_flow(&table->entries, ingress, run, uv_now(ingress->poll.loop));
  if (flow == NULL || flow->meter == NULL) return flow;
  double now_ms = (double)uv_hrtime() / 1e6 + table->clock_offset_ms;
  // Frames that exceed the rate are the bridge's, which drops and counts them one by one.
  return etherws_meter_admits(flow->meter, run, now_ms) ? flow : NULL;
}

void flow_end_leave(struct descriptor *descriptor) {
  struct flow_end *end = &descriptor->flow;
  invalidate(end->table);
  release(end->table);
  end->table = NULL;
  forget(descriptor->env, &end->cells_of, &end->cells);
  forget(descriptor->env, &end->meter_of, &end->meter);
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

// Matches flows with runs of honest, lying and mixed frames, under the sanitizers:
//
//   cc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all native/fuzz/flows_fuzz.c native/datapath/flow_table.c native/datapath/retag.c native/datapath/control_frame.c native/offload/*.c
//   ./a.out SEED CASES
//
// Every run lies in a piece of memory of exactly its size, so that one octet too many shows. What is let through is
// judged a second time, by a list of all flows that were installed.
#include <math.h>
#include <string.h>

#include "../datapath/flow_table.h"
#include "../datapath/retag.h"
#include "../offload/octets.h"
#include "../offload/offload.h"
#include "drive.h"
#include "flow_frames.h"

enum { MOST_FLOWS = 40, MOST_FRAMES = 6, PORTS = 500, METERS = 3, MOST_OCTETS = 65535 + 14 + 8 };

struct made {
  struct etherws_flow flow;
  uint8_t key[ETHERWS_FLOW_KEY_BYTES];
};

static struct etherws_flow_table table;
static struct made made[MOST_FLOWS];
static uint32_t made_count;
static int ports[PORTS];
static double meters[METERS][ETHERWS_METER_CELLS];
static unsigned long retagged, passed, refused, controls, admitted, exceeded;

// 0x8100 or 0x88a8, and what stands in it; zeros without.
static void key_of(const uint8_t *frame, uint32_t length, uint8_t *to) {
  memset(to, 0, ETHERWS_FLOW_KEY_BYTES);
  memcpy(to, frame, 12);
  if (length >= 16 && ((frame[12] == 0x81 && frame[13] == 0x00) || (frame[12] == 0x88 && frame[13] == 0xa8))) {
    memcpy(to + 12, frame + 12, 4);
  }
}

// A change that the bridge may make of frames with this tag; mostly none.
static struct etherws_tag_change any_change(const uint8_t *key) {
  static const uint8_t tags[][4] = {{0x81, 0, 0, 5}, {0x81, 0, 0xe0, 6}, {0x88, 0xa8, 0, 5}};
  struct etherws_tag_change change = {0};
  if (one_in(2)) return change;
  if (key[12] != 0 && !one_in(4)) change.stripped = 4;
  if (change.stripped == 0 || one_in(2)) {
    change.inserted = 4;
    memcpy(change.tag, tags[below(3)], 4);
  }
  return change;
}

// The octets of a frame with the change of its outer tag, by plain copies. Returns its length.
static uint32_t changed_copy(uint8_t *to, const uint8_t *frame, uint32_t length,
                             const struct etherws_tag_change *change) {
  uint32_t rest = 12u + change->stripped, at = 12u + change->inserted;
  memcpy(to, frame, 12);
  memcpy(to + 12, change->tag, change->inserted);
  memcpy(to + at, frame + rest, length - rest);
  return at + length - rest;
}

// All flows of a port have one meter, or none.
static double *meter_of(const void *ingress) {
  size_t port = (size_t)((const int *)ingress - ports);
  return port % 2 == 0 ? NULL : meters[port % METERS];
}

static void install(void) {
  uint8_t *record = allocate(HEADER + 70000);
  enum kind kind;
  uint32_t length = build(record, false, &kind);
  // Of its own size, too.
  uint8_t *frame = allocate(length);
  memcpy(frame, record + HEADER, length);
  struct made *entry = &made[made_count];
  uint32_t port = one_in(2) ? below(2) : below(PORTS);
  entry->flow = (struct etherws_flow){.ingress = &ports[port],
                                      .meter = meter_of(&ports[port]),
                                      .egress = &ports[below(2)],
                                      .until_ms = below(100),
                                      .offloads = below(32),
                                      .max_frame_bytes = one_in(3) ? below(400) : 66000,
                                      .tag_allowance = below(3),
                                      .may_wait = one_in(2)};
  if (length >= ETHERNET_HEADER_BYTES) {
    key_of(frame, length, entry->key);
    entry->flow.change = any_change(entry->key);
  }
  etherws_install_flow(&table, frame, length, &entry->flow);
  if (length >= ETHERNET_HEADER_BYTES) made_count++;
  free(frame);
  free(record);
}

static uint32_t debt_of(const uint8_t *offload) {
  uint32_t debt = offload[0] & 1;
  switch (offload[1]) {
    case 0: return debt;
    case 1: return debt | 2;
    case 1 | 0x80: return debt | 2 | 8;
    case 4: return debt | 4;
    case 4 | 0x80: return debt | 4 | 8;
    default: return debt | 16;
  }
}

static bool is_tag_at(const uint8_t *frame, uint32_t length, uint32_t at) {
  return length >= at + 4 &&
         ((frame[at] == 0x81 && frame[at + 1] == 0) || (frame[at] == 0x88 && frame[at + 1] == 0xa8));
}

static uint32_t limit_of(const struct etherws_flow *flow, const uint8_t *frame, uint32_t length) {
  uint32_t tags = 0, limit = flow->max_frame_bytes;
  if (flow->tag_allowance == ETHERWS_TAGS_ONE_CUSTOMER) tags = is_tag_at(frame, length, 12) && frame[12] == 0x81;
  else if (flow->tag_allowance == ETHERWS_TAGS_STACKED) {
    while (tags < 2 && is_tag_at(frame, length, 12 + 4 * tags)) tags++;
  }
  return limit + 4 * tags;
}

static uint32_t count_tags(const uint8_t *frame, uint32_t length) {
  uint32_t tags = 0;
  while (tags < 2 && is_tag_at(frame, length, 12 + 4 * tags) && length >= 18 + 4 * tags) tags++;
  return tags;
}

// Whether the changed frame is not too long.
static bool fits(const struct etherws_flow *flow, const uint8_t *frame, uint32_t length) {
  static uint8_t changed[70000];
  const uint32_t changed_length = changed_copy(changed, frame, length, &flow->change);
  return changed_length <= limit_of(flow, changed, changed_length);
}

// Whether a flow takes a frame, by the rules of src/bridge/bridge.ts and of the ports' send.
static bool takes(const struct etherws_flow *flow, const uint8_t *frame, uint32_t length, bool has_header) {
  const uint8_t *offload = frame - HEADER;
  if (length < 14u + flow->change.stripped || length + flow->change.inserted - flow->change.stripped > MOST_OCTETS)
    return false;
  if (!has_header || (offload[0] == 0 && offload[1] == 0)) return fits(flow, frame, length);
  struct etherws_layers layers;
  const struct etherws_frame owing = {frame, offload, length};
  if (etherws_check(&owing, &layers) != ETHERWS_OK || layers.is_encapsulated) return false;
  if ((debt_of(offload) & ~flow->offloads) != 0) return false;
  const bool is_longer = flow->change.inserted > flow->change.stripped;
  if (debt_of(offload) != 0 && is_longer && count_tags(frame, length) == 2) return false;
  return offload[1] != 0 || fits(flow, frame, length);
}

static uint32_t word_or(const uint8_t *frame, uint32_t length, uint32_t at, uint32_t missing) {
  return at + 2 <= length ? etherws_word(frame + at) : missing;
}

static bool has_port(const uint8_t *frame, uint32_t length, uint32_t at, uint32_t one, uint32_t other) {
  // What is not there might be any of them.
  uint32_t from = word_or(frame, length, at, one), to = word_or(frame, length, at + 2, one);
  return from == one || from == other || to == one || to == other;
}

// Whether a stage would want to read the frame, by what is there of it.
static bool is_control(const uint8_t *frame, uint32_t length) {
  uint32_t at = 12;
  while (is_tag_at(frame, length, at) && at < 20) at += 4;
  uint32_t type = word_or(frame, length, at, 0x0806);
  if (type == 0x0806 || type == 0x8100 || type == 0x88a8) return true;
  uint32_t network = at + 2, left = length - network;
  if (type == ETHER_TYPE_IPV4) {
    if (left < 20 || frame[network + 9] == 2) return true;
    if (frame[network + 9] != 17 || ((frame[network + 6] & 0x1f) | frame[network + 7]) != 0) return false;
    uint32_t header = (frame[network] & 15u) << 2;
    return header < 20 || has_port(frame, length, network + header, 67, 68);
  }
  if (type != ETHER_TYPE_IPV6) return false;
  if (left < 40) return true;
  uint32_t next = frame[network + 6];
  at = network + 40;
  for (uint32_t seen = 0;; seen++) {
    if (at > length) return true;
    if (next == 17) return has_port(frame, length, at, 547, 546);
    if (next == 58) return at == length || (frame[at] >= 130 && frame[at] <= 153);
    if (strchr("\x2b\x3c\x87\x8b\x8c\x2c\x33", (int)next) == NULL && next != 0) return false;
    if (seen == 8 || at + 8 > length) return true;
    if (next == 44 && (etherws_word(frame + at + 2) >> 3) != 0) return false;
    uint32_t size = next == 44 ? 8 : next == 51 ? 8 + 4 * frame[at + 1] : 8 + 8 * frame[at + 1];
    next = frame[at];
    at += size;
  }
}

// The one that was made last for such frames, if it holds.
static const struct made *known_flow(const void *ingress, const uint8_t *frame, uint32_t length, uint64_t now_ms) {
  uint8_t key[ETHERWS_FLOW_KEY_BYTES];
  key_of(frame, length, key);
  for (uint32_t i = made_count; i-- > 0;) {
    if (made[i].flow.ingress != ingress || memcmp(made[i].key, key, sizeof key) != 0) continue;
    return now_ms < made[i].flow.until_ms ? &made[i] : NULL;
  }
  return NULL;
}

// Whether one run may have frames of both.
static bool is_alike(const struct made *one, const struct made *other) {
  const struct etherws_tag_change *change = &one->flow.change, *another = &other->flow.change;
  if (one->flow.egress != other->flow.egress || change->stripped != another->stripped ||
      change->inserted != another->inserted || memcmp(change->tag, another->tag, 4) != 0) {
    return false;
  }
  return (change->stripped == 0 && change->inserted == 0) || memcmp(one->key + 12, other->key + 12, 4) == 0;
}

// The octets in front of a record that belong to no other one.
static uint32_t has_room_in_front(const struct etherws_run *run, uint32_t i) {
  const uint32_t begin = run->starts[i] - (run->has_offload_headers ? HEADER : 0);
  return i == 0 ? begin : begin - (run->starts[i - 1] + run->lengths[i - 1]);
}

static void *judge(const void *ingress, const struct etherws_run *run, uint64_t now_ms, bool *is_last_only) {
  void *egress = NULL;
  const struct made *first = NULL;
  *is_last_only = true;
  for (uint32_t i = 0; i < run->count; i++) {
    const uint8_t *frame = run->bytes + run->starts[i];
    uint32_t length = run->lengths[i];
    if (length < ETHERNET_HEADER_BYTES || length > MOST_OCTETS) return NULL;
    const struct made *entry = known_flow(ingress, frame, length, now_ms);
    if (entry == NULL || is_control(frame, length) || !takes(&entry->flow, frame, length, run->has_offload_headers))
      return NULL;
    if (first != NULL && !is_alike(first, entry)) return NULL;
    if (first == NULL) first = entry;
    const uint32_t lead = has_room_in_front(run, i);
    if (entry->flow.change.inserted > entry->flow.change.stripped && lead < 4) return NULL;
    egress = entry->flow.egress;
    *is_last_only &= entry == &made[made_count - 1];
  }
  return egress;
}

// What came of a run that was let through: hdr_len and the mark are true, nothing else has changed, and it is counted
// right.
static void require_honest(const struct etherws_run *run, const uint8_t *before) {
  double wanted_frames = 0, wanted_octets = 0, frames, octets;
  for (uint32_t i = 0; i < run->count; i++) {
    const uint8_t *frame = run->bytes + run->starts[i], *was = before + run->starts[i];
    uint32_t length = run->lengths[i], segments = 1;
    require(memcmp(frame, was, length) == 0, "a frame has changed");
    wanted_octets += length;
    if (run->has_offload_headers) {
      struct etherws_layers layers;
      const uint8_t *offload = frame - HEADER;
      const struct etherws_frame owing = {frame, offload, length};
      require(etherws_check(&owing, &layers) == ETHERWS_OK, "a header that lies was let through");
      require((offload[0] & ETHERWS_FLAG_ENCAPSULATED) == 0, "a mark is not true");
      require(offload[0] == (was[-HEADER] & ~ETHERWS_FLAG_ENCAPSULATED) && offload[1] == was[1 - HEADER] &&
                  memcmp(offload + 4, was - HEADER + 4, 6) == 0,
              "a header has changed");
      if (offload[1] != 0) {
        require(etherws_little(offload + 2) == etherws_inner(&layers)->payload_start, "hdr_len is not true");
        uint32_t payload = length - etherws_inner(&layers)->payload_start, size = etherws_little(offload + 4);
        segments = payload == 0 ? 1 : payload / size + (payload % size != 0);
      }
    }
    wanted_frames += segments;
  }
  etherws_count_run(run, 0, run->count, &frames, &octets);
  require(frames == wanted_frames && octets == wanted_octets, "another count");
}

// A changed frame is that of a plain copy, its offload header says where the same octets are now, and those that an egress
// does not take are as they were read.
static void require_retagged(struct etherws_run *run, const struct etherws_flow *flow) {
  static uint8_t wanted[MOST_FRAMES][70000];
  const uint32_t lead = run->has_offload_headers ? HEADER : 0, taken = below(run->count + 1);
  const int32_t added = flow->change.inserted - flow->change.stripped;
  uint32_t starts[MOST_FRAMES] = {0}, lengths[MOST_FRAMES] = {0}, size = 0;
  uint8_t headers[MOST_FRAMES][HEADER] = {{0}};
  for (uint32_t i = 0; i < run->count; i++) {
    starts[i] = run->starts[i];
    lengths[i] = run->lengths[i];
    size = starts[i] + lengths[i];
    memcpy(headers[i], run->bytes + starts[i] - lead, lead);
    changed_copy(wanted[i], run->bytes + starts[i], lengths[i], &flow->change);
  }
  uint8_t *before = allocate(size);
  memcpy(before, run->bytes, size);
  etherws_retag(run, 0, &flow->change);
  require(run->added == added, "the run does not say what was added");
  for (uint32_t i = 0; i < run->count; i++) {
    const uint8_t *frame = run->bytes + run->starts[i];
    require(run->lengths[i] == lengths[i] + (uint32_t)added && memcmp(frame, wanted[i], run->lengths[i]) == 0,
            "a tag was changed in another way");
    if (lead == 0) continue;
    const uint8_t *was = headers[i], *offload = frame - HEADER;
    const bool is_segmented = was[1] != 0, is_summed = (was[0] & 1) != 0;
    require(
        memcmp(offload, was, 2) == 0 && memcmp(offload + 4, was + 4, 2) == 0 && memcmp(offload + 8, was + 8, 2) == 0,
        "another field of the offload header has changed");
    require(etherws_little(offload + 2) == (uint16_t)(etherws_little(was + 2) + (is_segmented ? added : 0)), "hdr_len");
    require(etherws_little(offload + 6) == (uint16_t)(etherws_little(was + 6) + (is_summed ? added : 0)), "csum_start");
  }
  const struct etherws_tag_change back = etherws_inverse_change(&flow->change, flow->key + 12);
  etherws_retag(run, taken, &back);
  for (uint32_t i = taken; i < run->count; i++) {
    require(run->starts[i] == starts[i] && run->lengths[i] == lengths[i] &&
                memcmp(run->bytes + starts[i] - lead, before + starts[i] - lead, lead + lengths[i]) == 0,
            "a frame was not changed back");
  }
  free(before);
  retagged++;
}

// As the bridge does it, frame by frame.
static void require_same_rates(double *meter, const struct etherws_run *run, double now_ms) {
  double bridge[ETHERWS_METER_CELLS];
  bool is_admitted = true;
  memcpy(bridge, meter, sizeof bridge);
  for (int i = 0; i < 8; i += 4) {
    if (now_ms <= bridge[i + 1]) continue;
    bridge[i] += (now_ms - bridge[i + 1]) * bridge[i + 2] / 1000;
    if (bridge[i] > bridge[i + 3]) bridge[i] = bridge[i + 3];
    bridge[i + 1] = now_ms;
  }
  double all_frames, all_octets;
  for (uint32_t i = 0; i < run->count; i++) {
    double frames, octets;
    if (bridge[0] <= 0 || bridge[4] <= 0) is_admitted = false;
    etherws_count_run(run, i, i + 1, &frames, &octets);
    bridge[0] -= frames;
    bridge[4] -= octets * 8;
  }
  require(etherws_meter_admits(meter, run, now_ms) == is_admitted, "the rates let in something else");
  require(meter[1] >= now_ms && meter[5] >= now_ms, "the meter stands still");
  if (!is_admitted) {
    exceeded++;
    return;
  }
  etherws_count_run(run, 0, run->count, &all_frames, &all_octets);
  etherws_meter_charge(meter, all_frames, all_octets);
  for (int cell = 0; cell < ETHERWS_METER_CELLS; cell++) {
    require(meter[cell] == bridge[cell], "the meter was charged something else");
  }
  admitted++;
}

// Numbers that stay whole, so that sums are exact in any order.
static void set_meters(void) {
  for (int i = 0; i < METERS; i++) {
    for (int cell = 0; cell < 8; cell += 4) {
      bool is_limited = !one_in(3);
      uint32_t unit = cell == 0 ? 1 : 4000;
      meters[i][cell] = meters[i][cell + 3] = is_limited ? (double)((1 + below(3)) * unit) : (double)INFINITY;
      meters[i][cell + 1] = 0;
      meters[i][cell + 2] = is_limited ? 1000 * below(4) * unit : 0;
    }
  }
}

static void match(void) {
  bool has_headers = !one_in(3);
  uint32_t count = one_in(20) ? 0 : 1 + below(one_in(2) ? 1 : MOST_FRAMES), starts[MOST_FRAMES], lengths[MOST_FRAMES];
  uint32_t lead = has_headers ? HEADER : 0, size = 0;
  uint8_t *records[MOST_FRAMES];
  enum kind kind = DISTURBED;
  bool has_control = false;
  for (uint32_t i = 0; i < count; i++) {
    records[i] = allocate(HEADER + 70000);
    bool is_again = i > 0 && one_in(2);
    lengths[i] = is_again ? lengths[i - 1] : build(records[i], has_headers, &kind);
    has_control |= kind == CONTROL;
    if (is_again) memcpy(records[i], records[i - 1], HEADER + lengths[i]);
    // A tag may need the octets between two records.
    starts[i] = size + lead + (one_in(20) ? below(4) : 4);
    size = starts[i] + lengths[i];
  }
  uint8_t *slab = allocate(size), *before = allocate(size);
  memset(slab, 0xee, size);
  for (uint32_t i = 0; i < count; i++) {
    memcpy(slab + starts[i] - lead, records[i] + HEADER - lead, lead + lengths[i]);
    free(records[i]);
  }
  memcpy(before, slab, size);
  struct etherws_run run = {slab, starts, lengths, count, has_headers, 0};
  // Of many ports, so that flows of one stand where those of another would.
  const void *ingress = &ports[one_in(2) ? below(2) : below(PORTS)];
  uint64_t now_ms = below(100);
  bool is_last_only;
  void *wanted = judge(ingress, &run, now_ms, &is_last_only);
  const struct etherws_flow *flow = etherws_match_flow(&table, ingress, &run, now_ms);
  if (flow != NULL) {
    require(count > 0 && wanted != NULL && flow->egress == wanted, "led to where no flow was installed");
    require(!has_control, "a control frame was let through");
    require_honest(&run, before);
    if ((flow->change.stripped | flow->change.inserted) != 0) require_retagged(&run, flow);
    require(flow->meter == meter_of(ingress), "the meter is another port's");
    if (flow->meter != NULL) require_same_rates(flow->meter, &run, (double)now_ms);
    passed++;
  } else {
    // Another one may have taken the place of an older one, but none that of the newest.
    require(wanted == NULL || !is_last_only, "the newest flow is not followed");
    refused++;
    controls += has_control;
  }
  free(before);
  free(slab);
}

static void invalidate(void) {
  set_meters();
  if (one_in(10)) table.epoch = UINT32_MAX;
  etherws_invalidate_flows(&table);
  // Begins with few slots again.
  if (one_in(3)) etherws_release_flows(&table);
  made_count = 0;
}

static void begin_run(void) { invalidate(); }

static void run_case(unsigned long number) {
  (void)number;
  if (made_count == MOST_FLOWS || one_in(100)) invalidate();
  if (one_in(3)) install();
  match();
}

static void check_run(unsigned long cases) {
  require(cases < 10000 || (passed > cases / 100 && refused > cases / 50 && controls > cases / 50 &&
                            retagged > cases / 200 && admitted > cases / 1000 && exceeded > cases / 3000),
          "a run that has shown nothing");
}

#include "gro.h"
#include "octets.h"

enum { MAX_PACKET_BYTES = 65535, DONT_FRAGMENT = 0x40 };

// How a frame relates to the TCP segments around it: see Standing in test/support/gro-candidate.ts.
enum standing { APART, BARRIER, WHOLE, SEGMENT };

static bool egress_takes(uint32_t offloads, bool is_ipv6, uint8_t flags) {
  uint32_t needed = is_ipv6 ? ETHERWS_OFFLOAD_TSO6 : ETHERWS_OFFLOAD_TSO4;
  if ((flags & TCP_CWR) != 0) needed |= ETHERWS_OFFLOAD_TSO_ECN;
  return (offloads & needed) == needed;
}

// No IPv4 options, no IPv6 extension headers, and a correct IPv4 header checksum: GRO recomputes that one, and must not
// repair a broken header.
static bool network_header_is_plain(const uint8_t *frame, const struct etherws_headers *headers) {
  uint32_t header_bytes = headers->transport_start - headers->network_start;
  if (headers->is_ipv6) return header_bytes == IPV6_HEADER_BYTES;
  return header_bytes == IPV4_HEADER_BYTES &&
         etherws_fold(etherws_sum(frame + headers->network_start, IPV4_HEADER_BYTES, 0)) == 0xffff;
}

// NEEDS_CSUM declares that the payload is correct. So each segment needs a correct checksum, or an offload header that
// declares the same.
static bool checksum_is_trusted(const struct etherws_frame *frame, const struct etherws_headers *headers) {
  const uint8_t *offload = frame->offload;
  if (etherws_owes(frame)) {
    return etherws_little(offload + 6) == headers->transport_start && etherws_little(offload + 8) == TCP_CHECKSUM;
  }
  if (offload != NULL && (offload[0] & ETHERWS_FLAG_DATA_VALID) != 0) return true;
  uint32_t transport_bytes = frame->length - headers->transport_start;
  uint64_t sum = etherws_pseudo_sum(frame->bytes, headers, transport_bytes);
  return etherws_fold(etherws_sum(frame->bytes + headers->transport_start, transport_bytes, sum)) == 0xffff;
}

// Fills in `segment` for SEGMENT; for WHOLE only segment->headers.
static enum standing standing_of(const struct etherws_frame *frame, uint32_t offloads,
                                 struct etherws_segment *segment) {
  struct etherws_headers *headers = &segment->headers;
  bool owes = etherws_owes(frame);
  struct etherws_layers layers;
  if (owes && etherws_check(frame, &layers) != ETHERWS_OK) return BARRIER;
  enum etherws_fault fault = etherws_locate(frame->bytes, frame->length, headers);
  if (fault == ETHERWS_FAULT_PROTOCOL) return APART;
  if (fault == ETHERWS_FAULT_FRAGMENT && !headers->is_ipv6 && headers->protocol != PROTOCOL_TCP) return APART;
  if (fault != ETHERWS_OK) return BARRIER;
  if (headers->protocol != PROTOCOL_TCP) return APART;

  const uint8_t *transport = frame->bytes + headers->transport_start;
  uint8_t flags = transport[TCP_FLAGS];
  uint32_t payload_bytes = headers->network_end - headers->payload_start;
  // An Ethernet pad behind the packet would become payload.
  if (headers->network_end != frame->length || payload_bytes == 0 ||
      (flags & (TCP_SYN | TCP_RST | TCP_URG | TCP_ACK)) != TCP_ACK ||
      !egress_takes(offloads, headers->is_ipv6, flags) || !network_header_is_plain(frame->bytes, headers) ||
      !checksum_is_trusted(frame, headers)) {
    return WHOLE;
  }
  bool is_super = owes && frame->offload[1] != ETHERWS_GSO_NONE;
  uint32_t gso_size = is_super ? etherws_little(frame->offload + 4) : payload_bytes;
  segment->payload_bytes = payload_bytes;
  segment->segment_bytes = gso_size < payload_bytes ? gso_size : payload_bytes;
  segment->segments = (payload_bytes + gso_size - 1) / gso_size;
  segment->sequence = etherws_long(transport + TCP_SEQUENCE);
  segment->id = headers->is_ipv6 ? 0 : (uint16_t)etherws_word(frame->bytes + headers->network_start + IPV4_ID);
  segment->flags = flags;
  return SEGMENT;
}

// A flow whose last group may still grow. The slots are a ring, as in the oracle: which flow is evicted depends only on
// the order of the frames.
struct open_flow {
  uint32_t hash;
  int group;  // index in groups; ETHERWS_NO_FRAME: the slot is free
};

struct open_flows {
  struct open_flow slots[ETHERWS_GRO_FLOWS];
  uint32_t next;
};

static void close_all(struct open_flows *flows) {
  for (int slot = 0; slot < ETHERWS_GRO_FLOWS; slot++) flows->slots[slot].group = ETHERWS_NO_FRAME;
}

// A cheap test in front of same_flow. Ports and the last four octets of the addresses differ between most flows.
static uint32_t flow_hash(const uint8_t *frame, const struct etherws_headers *headers) {
  const uint8_t *ends = frame + headers->network_start + (headers->is_ipv6 ? 20 : 12);
  return etherws_long(frame + headers->transport_start) ^ etherws_long(ends) ^
         etherws_long(frame + headers->network_start + (headers->is_ipv6 ? 36 : 16)) * 31;
}

static bool same_flow(const uint8_t *a, const struct etherws_headers *of_a, const uint8_t *b,
                      const struct etherws_headers *of_b) {
  if (of_a->network_start != of_b->network_start || of_a->is_ipv6 != of_b->is_ipv6) return false;
  uint32_t addresses = of_a->network_start + (of_a->is_ipv6 ? 8 : 12);
  return memcmp(a, b, of_a->network_start) == 0 && memcmp(a + addresses, b + addresses, of_a->is_ipv6 ? 32 : 8) == 0 &&
         memcmp(a + of_a->transport_start, b + of_b->transport_start, 4) == 0;
}

// Finds the open flow that `frame` belongs to. NULL: there is none.
static struct open_flow *find_flow(const struct etherws_gro *gro, struct open_flows *flows, uint32_t hash,
                                   const uint8_t *frame, const struct etherws_headers *headers) {
  for (int slot = 0; slot < ETHERWS_GRO_FLOWS; slot++) {
    struct open_flow *flow = &flows->slots[slot];
    if (flow->group == ETHERWS_NO_FRAME || flow->hash != hash) continue;
    const struct etherws_group *group = &gro->groups[flow->group];
    if (same_flow(gro->frames[group->first].bytes, &group->head.headers, frame, headers)) return flow;
  }
  return NULL;
}

// The step of the IPv4 identification with which `next` continues the group: 1 or 0; -1: it does not continue it.
static int id_step_of(const uint8_t *head_frame, const struct etherws_group *group,
                      const struct etherws_segment *next) {
  const struct etherws_segment *head = &group->head;
  if (group->id_step != 0 && next->id == (uint16_t)(head->id + group->segments)) return 1;
  // With DF set the identification has no meaning (RFC 6864, 4.1), and some senders never change it.
  bool never_fragmented = (head_frame[head->headers.network_start + 6] & DONT_FRAGMENT) != 0;
  return group->id_step != 1 && never_fragmented && next->id == head->id && next->segments == 1 ? 0 : -1;
}

static bool agree(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to) {
  return memcmp(a + from, b + from, to - from) == 0;
}

static bool headers_agree(const uint8_t *a, const uint8_t *b, const struct etherws_headers *headers) {
  uint32_t network = headers->network_start;
  uint32_t transport = headers->transport_start;
  // Compared: of IPv6 version, traffic class, flow label and hop limit; of IPv4 version, TOS, fragment bits and TTL.
  bool network_agrees = headers->is_ipv6 ? agree(a, b, network, network + 4) && a[network + 7] == b[network + 7]
                                         : agree(a, b, network, network + 2) && agree(a, b, network + 6, network + 9);
  // Of TCP acknowledgement, data offset with the reserved bits, window, urgent pointer and options.
  return network_agrees && agree(a, b, transport + 8, transport + 13) && agree(a, b, transport + 14, transport + 16) &&
         agree(a, b, transport + 18, headers->payload_start);
}

static bool can_join(const struct etherws_gro *gro, const struct etherws_group *group, const uint8_t *frame,
                     const struct etherws_segment *next) {
  const struct etherws_segment *head = &group->head;
  const uint8_t *head_frame = gro->frames[group->first].bytes;
  uint32_t payload_bytes = group->payload_bytes + next->payload_bytes;
  if (next->sequence != head->sequence + group->payload_bytes) return false;
  if ((next->flags & TCP_CWR) != 0) return false;
  if (((next->flags ^ head->flags) & ~(TCP_CWR | TCP_PSH | TCP_FIN)) != 0) return false;
  if (next->segments > 1 ? next->segment_bytes != head->segment_bytes : next->payload_bytes > head->segment_bytes) {
    return false;
  }
  if (head->headers.payload_start - head->headers.network_start + payload_bytes > MAX_PACKET_BYTES) return false;
  if (payload_bytes > head->segment_bytes * ETHERWS_MAX_SEGMENTS) return false;
  if (next->headers.payload_start != head->headers.payload_start) return false;
  if (!headers_agree(head_frame, frame, &head->headers)) return false;
  return head->headers.is_ipv6 || id_step_of(head_frame, group, next) >= 0;
}

static void join(struct etherws_gro *gro, struct etherws_group *group, int frame, const struct etherws_segment *next) {
  if (group->id_step < 0) group->id_step = next->id == (uint16_t)(group->head.id + group->segments) ? 1 : 0;
  gro->next[group->last] = frame;
  group->last = frame;
  group->frames++;
  group->payload_bytes += next->payload_bytes;
  group->segments += next->segments;
  group->closing_flags = next->flags & (TCP_PSH | TCP_FIN);
}

// Whether `last`, which has just joined `group`, ends it: PSH, FIN, or less than a full segment.
static bool is_closed_by(const struct etherws_segment *last, const struct etherws_group *group) {
  return (last->flags & (TCP_PSH | TCP_FIN)) != 0 || group->payload_bytes % group->head.segment_bytes != 0;
}

static struct etherws_group *add_group(struct etherws_gro *gro, int frame) {
  struct etherws_group *group = &gro->groups[gro->group_count++];
  group->first = frame;
  group->last = frame;
  group->frames = 1;
  return group;
}

static void add_segment(struct etherws_gro *gro, struct open_flows *flows, uint32_t hash, int frame,
                        const struct etherws_segment *segment) {
  struct etherws_group *group = add_group(gro, frame);
  group->payload_bytes = segment->payload_bytes;
  group->segments = segment->segments;
  group->id_step = segment->segments > 1 ? 1 : -1;
  group->closing_flags = 0;
  group->head = *segment;
  if (is_closed_by(segment, group)) return;
  flows->slots[flows->next] = (struct open_flow){hash, (int)(group - gro->groups)};
  flows->next = (flows->next + 1) % ETHERWS_GRO_FLOWS;
}

void etherws_gro_group_frames(struct etherws_gro *gro, uint32_t offloads) {
  struct open_flows flows = {.next = 0};
  close_all(&flows);
  gro->group_count = 0;
  for (int index = 0; index < (int)gro->frame_count; index++) {
    struct etherws_segment segment;
    const struct etherws_frame *frame = &gro->frames[index];
    gro->next[index] = ETHERWS_NO_FRAME;
    enum standing standing = standing_of(frame, offloads, &segment);
    if (standing == APART || standing == BARRIER) {
      if (standing == BARRIER) close_all(&flows);
      add_group(gro, index);
      continue;
    }
    uint32_t hash = flow_hash(frame->bytes, &segment.headers);
    struct open_flow *flow = find_flow(gro, &flows, hash, frame->bytes, &segment.headers);
    struct etherws_group *group = flow == NULL ? NULL : &gro->groups[flow->group];
    if (standing == SEGMENT && group != NULL && can_join(gro, group, frame->bytes, &segment)) {
      join(gro, group, index, &segment);
      if (is_closed_by(&segment, group)) flow->group = ETHERWS_NO_FRAME;
      continue;
    }
    if (flow != NULL) flow->group = ETHERWS_NO_FRAME;
    if (standing == SEGMENT) add_segment(gro, &flows, hash, index, &segment);
    else add_group(gro, index);
  }
}

uint32_t etherws_gro_write_headers(const struct etherws_gro *gro, const struct etherws_group *group, uint8_t *to) {
  const struct etherws_headers *headers = &group->head.headers;
  uint32_t header_bytes = headers->payload_start;
  uint32_t transport_bytes = header_bytes - headers->transport_start + group->payload_bytes;
  uint8_t *frame = to + ETHERWS_OFFLOAD_HEADER_BYTES;
  memcpy(frame, gro->frames[group->first].bytes, header_bytes);

  uint8_t *network = frame + headers->network_start;
  uint32_t network_header_bytes = headers->transport_start - headers->network_start;
  if (headers->is_ipv6) {
    etherws_write_word(network + 4, network_header_bytes - IPV6_HEADER_BYTES + transport_bytes);
  } else {
    etherws_write_word(network + 2, network_header_bytes + transport_bytes);
    etherws_write_word(network + IPV4_CHECKSUM, 0);
    uint64_t sum = etherws_sum(network, IPV4_HEADER_BYTES, 0);
    etherws_write_sum(network + IPV4_CHECKSUM, (uint16_t)~etherws_fold(sum));
  }
  uint8_t *transport = frame + headers->transport_start;
  transport[TCP_FLAGS] = group->head.flags | group->closing_flags;
  // With NEEDS_CSUM the field has the sum of the pseudo-header; the receiver or GSO adds the rest.
  etherws_write_sum(transport + TCP_CHECKSUM, etherws_fold(etherws_pseudo_sum(frame, headers, transport_bytes)));

  to[0] = ETHERWS_FLAG_NEEDS_CSUM;
  to[1] = (uint8_t)((headers->is_ipv6 ? ETHERWS_GSO_TCPV6 : ETHERWS_GSO_TCPV4) |
                    ((group->head.flags & TCP_CWR) == 0 ? 0 : ETHERWS_GSO_ECN));
  etherws_write_little(to + 2, header_bytes);
  etherws_write_little(to + 4, group->head.segment_bytes);
  etherws_write_little(to + 6, headers->transport_start);
  etherws_write_little(to + 8, TCP_CHECKSUM);
  return ETHERWS_OFFLOAD_HEADER_BYTES + header_bytes;
}

#include "octets.h"
#include "offload.h"

static enum etherws_fault check_super_frame(const struct etherws_frame *frame, const struct etherws_headers *found) {
  const uint8_t *offload = frame->offload;
  int kind = offload[1] & ~ETHERWS_GSO_ECN;
  bool is_udp = kind == ETHERWS_GSO_UDP_L4;
  uint32_t length = frame->length;
  if (found->protocol != (is_udp ? PROTOCOL_UDP : PROTOCOL_TCP)) return ETHERWS_FAULT_PROTOCOL;
  if (!is_udp && found->is_ipv6 != (kind == ETHERWS_GSO_TCPV6)) return ETHERWS_FAULT_PROTOCOL;
  if (found->network_end != length) return ETHERWS_FAULT_IP_LENGTH;
  if (is_udp && etherws_word(frame->bytes + found->transport_start + UDP_LENGTH) != length - found->transport_start) {
    return ETHERWS_FAULT_IP_LENGTH;
  }
  if (etherws_little(offload + 6) != found->transport_start) return ETHERWS_FAULT_CHECKSUM_PLACE;
  if (etherws_little(offload + 8) != (is_udp ? UDP_CHECKSUM : TCP_CHECKSUM)) return ETHERWS_FAULT_CHECKSUM_PLACE;
  if (found->payload_start > ETHERWS_MAX_HEADER_BYTES) return ETHERWS_FAULT_EXTENSION_HEADER;
  uint32_t max_segments = is_udp ? ETHERWS_MAX_DATAGRAMS : ETHERWS_MAX_SEGMENTS;
  uint32_t gso_size = etherws_little(offload + 4);
  return gso_size == 0 || length - found->payload_start > gso_size * max_segments ? ETHERWS_FAULT_GSO_SIZE : ETHERWS_OK;
}

// Whether the checksum starts directly behind the outermost IP header. Elsewhere the frame counts as encapsulated,
// because hardware may not complete a checksum there.
static bool is_outermost(const struct etherws_frame *frame, uint32_t checksum_start) {
  struct etherws_headers found;
  return etherws_pass_ethernet(frame->bytes, 0, frame->length, &found) == ETHERWS_OK &&
         etherws_pass_network(frame->bytes, frame->length, &found) == ETHERWS_OK &&
         found.transport_start == checksum_start;
}

static enum etherws_fault check_checksum(const struct etherws_frame *frame, uint32_t checksum_start,
                                         struct etherws_layers *found) {
  // A checksum inside of the Ethernet header would overwrite addresses by which the bridge has decided.
  if (checksum_start < ETHERNET_HEADER_BYTES) return ETHERWS_FAULT_CHECKSUM_PLACE;
  if (checksum_start + etherws_little(frame->offload + 8) + 2 > frame->length) return ETHERWS_FAULT_CHECKSUM_PLACE;
  found->is_encapsulated = !is_outermost(frame, checksum_start);
  return ETHERWS_OK;
}

enum etherws_fault etherws_check(const struct etherws_frame *frame, struct etherws_layers *found) {
  found->is_encapsulated = false;
  found->outer_count = 0;
  found->headers[0].payload_start = 0;
  const uint8_t *offload = frame->offload;
  uint8_t flags = offload[0];
  uint8_t gso_type = offload[1];
  const bool needs_checksum = (flags & ETHERWS_FLAG_NEEDS_CSUM) != 0;
  const int known =
      ETHERWS_FLAG_NEEDS_CSUM | ETHERWS_FLAG_DATA_VALID | (needs_checksum ? ETHERWS_FLAG_ENCAPSULATED : 0);
  if ((flags & ~known) != 0) return ETHERWS_FAULT_FLAGS;
  uint32_t checksum_start = etherws_little(offload + 6);
  if (gso_type == ETHERWS_GSO_NONE) return needs_checksum ? check_checksum(frame, checksum_start, found) : ETHERWS_OK;
  int kind = gso_type & ~ETHERWS_GSO_ECN;
  if (kind != ETHERWS_GSO_TCPV4 && kind != ETHERWS_GSO_TCPV6 && gso_type != ETHERWS_GSO_UDP_L4) {
    return ETHERWS_FAULT_GSO_TYPE;
  }
  if (!needs_checksum) return ETHERWS_FAULT_CHECKSUM_MISSING;
  enum etherws_fault fault = etherws_locate_described(frame->bytes, frame->length, checksum_start, found);
  if (fault != ETHERWS_OK) return fault;
  found->is_encapsulated = found->outer_count > 0;
  return check_super_frame(frame, etherws_inner(found));
}

enum etherws_fault etherws_check_and_correct(const struct etherws_frame *frame, uint8_t *to_correct) {
  struct etherws_layers found;
  enum etherws_fault fault = etherws_check(frame, &found);
  if (fault != ETHERWS_OK) return fault;
  // Without segmentation no headers were located, and hdr_len is 0, as the kernel sets it.
  etherws_write_little(to_correct + 2, etherws_inner(&found)->payload_start);
  to_correct[0] &= (uint8_t)~ETHERWS_FLAG_ENCAPSULATED;
  if (found.is_encapsulated) to_correct[0] |= ETHERWS_FLAG_ENCAPSULATED;
  return ETHERWS_OK;
}

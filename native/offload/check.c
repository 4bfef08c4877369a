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

enum etherws_fault etherws_check(const struct etherws_frame *frame, struct etherws_headers *found) {
  const uint8_t *offload = frame->offload;
  uint8_t flags = offload[0];
  uint8_t gso_type = offload[1];
  if ((flags & ~(ETHERWS_FLAG_NEEDS_CSUM | ETHERWS_FLAG_DATA_VALID)) != 0) return ETHERWS_FAULT_FLAGS;
  if (gso_type == ETHERWS_GSO_NONE) {
    if ((flags & ETHERWS_FLAG_NEEDS_CSUM) == 0) return ETHERWS_OK;
    uint32_t checksum_start = etherws_little(offload + 6);
    // In front of the payload it would rewrite the addresses that the bridge has decided by.
    if (checksum_start < ETHERNET_HEADER_BYTES) return ETHERWS_FAULT_CHECKSUM_PLACE;
    bool is_inside = checksum_start + etherws_little(offload + 8) + 2 <= frame->length;
    return is_inside ? ETHERWS_OK : ETHERWS_FAULT_CHECKSUM_PLACE;
  }
  int kind = gso_type & ~ETHERWS_GSO_ECN;
  if (kind != ETHERWS_GSO_TCPV4 && kind != ETHERWS_GSO_TCPV6 && gso_type != ETHERWS_GSO_UDP_L4) {
    return ETHERWS_FAULT_GSO_TYPE;
  }
  if ((flags & ETHERWS_FLAG_NEEDS_CSUM) == 0) return ETHERWS_FAULT_CHECKSUM_MISSING;
  enum etherws_fault fault = etherws_locate(frame->bytes, frame->length, found);
  return fault != ETHERWS_OK ? fault : check_super_frame(frame, found);
}

enum etherws_fault etherws_check_and_correct(const struct etherws_frame *frame, uint8_t *to_correct) {
  struct etherws_headers found = {.payload_start = 0};
  enum etherws_fault fault = etherws_check(frame, &found);
  // Of a frame that is no super-frame nothing was looked for, and 0 is what the kernel itself says there.
  if (fault == ETHERWS_OK) etherws_write_little(to_correct + 2, found.payload_start);
  return fault;
}

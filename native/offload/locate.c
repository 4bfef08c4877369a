#include "octets.h"
#include "offload.h"

enum { TAG_BYTES = 4, MAX_TAGS = 2 };
enum { ETHER_TYPE_C_TAG = 0x8100, ETHER_TYPE_S_TAG = 0x88a8 };
enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION_OPTIONS = 60 };

static enum etherws_fault pass_ipv4(const uint8_t *frame, uint32_t length, struct etherws_headers *found) {
  const uint8_t *at = frame + found->network_start;
  if (length < found->network_start + IPV4_HEADER_BYTES) return ETHERWS_FAULT_TRUNCATED;
  uint32_t header_bytes = (at[0] & 0xf) * 4u;
  if (at[0] >> 4 != 4 || header_bytes < IPV4_HEADER_BYTES) return ETHERWS_FAULT_TRUNCATED;
  found->protocol = at[9];
  found->network_end = found->network_start + etherws_word(at + 2);
  found->transport_start = found->network_start + header_bytes;
  if (found->network_end > length) return ETHERWS_FAULT_IP_LENGTH;
  if (found->transport_start > found->network_end) return ETHERWS_FAULT_TRUNCATED;
  // The flag MF is set, or the fragment offset is not 0 (RFC 791, 3.1).
  return (etherws_word(at + 6) & 0x3fff) != 0 ? ETHERWS_FAULT_FRAGMENT : ETHERWS_OK;
}

static enum etherws_fault pass_ipv6(const uint8_t *frame, uint32_t length, struct etherws_headers *found) {
  const uint8_t *at = frame + found->network_start;
  if (length < found->network_start + IPV6_HEADER_BYTES) return ETHERWS_FAULT_TRUNCATED;
  if (at[0] >> 4 != 6) return ETHERWS_FAULT_TRUNCATED;
  found->network_end = found->network_start + IPV6_HEADER_BYTES + etherws_word(at + 4);
  if (found->network_end > length) return ETHERWS_FAULT_IP_LENGTH;
  int next = at[6];
  uint32_t offset = found->network_start + IPV6_HEADER_BYTES;
  while (next == HOP_BY_HOP || next == ROUTING || next == DESTINATION_OPTIONS) {
    if (offset + 8 > found->network_end) return ETHERWS_FAULT_TRUNCATED;
    const uint8_t *header = frame + offset;
    // With segments left the checksum covers the final destination address, not this one (RFC 8200, 8.1).
    if (next == ROUTING && header[3] != 0) return ETHERWS_FAULT_EXTENSION_HEADER;
    next = header[0];
    offset += (header[1] + 1u) * 8;
    if (offset > found->network_end) return ETHERWS_FAULT_TRUNCATED;
  }
  found->protocol = next;
  found->transport_start = offset;
  return next == FRAGMENT ? ETHERWS_FAULT_FRAGMENT : ETHERWS_OK;
}

enum etherws_fault etherws_pass_transport(const uint8_t *frame, struct etherws_headers *found) {
  uint32_t room = found->network_end - found->transport_start;
  if (found->protocol == PROTOCOL_TCP) {
    if (room < TCP_HEADER_BYTES) return ETHERWS_FAULT_TRUNCATED;
    uint32_t header_bytes = (frame[found->transport_start + 12] >> 4) * 4u;
    if (header_bytes < TCP_HEADER_BYTES || header_bytes > room) return ETHERWS_FAULT_TRUNCATED;
    found->payload_start = found->transport_start + header_bytes;
    return ETHERWS_OK;
  }
  if (found->protocol != PROTOCOL_UDP) return ETHERWS_FAULT_PROTOCOL;
  if (room < UDP_HEADER_BYTES) return ETHERWS_FAULT_TRUNCATED;
  found->payload_start = found->transport_start + UDP_HEADER_BYTES;
  return ETHERWS_OK;
}

enum etherws_fault etherws_pass_ethernet(const uint8_t *frame, uint32_t at, uint32_t length,
                                         struct etherws_headers *found) {
  *found = (struct etherws_headers){.protocol = -1};
  if (length < at + ETHERNET_HEADER_BYTES) return ETHERWS_FAULT_TRUNCATED;
  uint32_t type_at = at + ETHERNET_HEADER_BYTES - 2;
  uint32_t type = etherws_word(frame + type_at);
  for (int tags = 0; tags < MAX_TAGS && (type == ETHER_TYPE_C_TAG || type == ETHER_TYPE_S_TAG); tags++) {
    type_at += TAG_BYTES;
    if (length < type_at + 2) return ETHERWS_FAULT_TRUNCATED;
    type = etherws_word(frame + type_at);
  }
  found->network_start = type_at + 2;
  found->is_ipv6 = type == ETHER_TYPE_IPV6;
  return type == ETHER_TYPE_IPV4 || type == ETHER_TYPE_IPV6 ? ETHERWS_OK : ETHERWS_FAULT_PROTOCOL;
}

enum etherws_fault etherws_pass_network(const uint8_t *frame, uint32_t length, struct etherws_headers *found) {
  return found->is_ipv6 ? pass_ipv6(frame, length, found) : pass_ipv4(frame, length, found);
}

enum etherws_fault etherws_locate(const uint8_t *frame, uint32_t length, struct etherws_headers *found) {
  enum etherws_fault fault = etherws_pass_ethernet(frame, 0, length, found);
  if (fault == ETHERWS_OK) fault = etherws_pass_network(frame, length, found);
  return fault == ETHERWS_OK ? etherws_pass_transport(frame, found) : fault;
}

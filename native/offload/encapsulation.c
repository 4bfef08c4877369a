// Finds the TCP or UDP header inside of encapsulations, as src/wire/offload/encapsulation.ts.
#include "octets.h"
#include "offload.h"

enum { PROTOCOL_IPV4 = 4, PROTOCOL_IPV6 = 41 };
enum { ETHER_TYPE_BRIDGED = 0x6558 };
enum { GRE_HEADER_BYTES = 4, GRE_FIELD_BYTES = 4, GRE_KEY_PRESENT = 0x2000 };
enum {
  SHIM_BYTES = 8,  // VXLAN's header, and Geneve's without its options
  GENEVE_VERSION = 0xc0,
  GENEVE_OPTION_WORDS = 0x3f,
  VXLAN_VNI_VALID = 0x08,
  VXLAN_HAS_PROTOCOL = 0x04,     // VXLAN-GPE: the last octet of the first word is a protocol number
  VXLAN_REMOTE_CHECKSUM = 0x20,  // in the second octet: the receiver completes the inner checksum, so we must not
  VXLAN_IPV4 = 1,
  VXLAN_IPV6 = 2,
  VXLAN_ETHERNET = 3,
};

static enum etherws_fault enter_network(uint32_t at, bool is_ipv6, struct etherws_headers *found) {
  *found = (struct etherws_headers){.is_ipv6 = is_ipv6, .protocol = -1, .network_start = at};
  return ETHERWS_OK;
}

static bool is_encapsulated_type(uint32_t type) {
  return type == ETHER_TYPE_BRIDGED || type == ETHER_TYPE_IPV4 || type == ETHER_TYPE_IPV6;
}

// Enters what starts at `payload`: by the EtherType in front of it an IP packet or an Ethernet frame.
static enum etherws_fault enter_type(const uint8_t *frame, uint32_t type, uint32_t payload,
                                     const struct etherws_headers *outer, struct etherws_headers *found) {
  if (payload > outer->network_end) return ETHERWS_FAULT_TRUNCATED;
  if (!is_encapsulated_type(type)) return ETHERWS_FAULT_ENCAPSULATION;
  if (type == ETHER_TYPE_BRIDGED) return etherws_pass_ethernet(frame, payload, outer->network_end, found);
  return enter_network(payload, type == ETHER_TYPE_IPV6, found);
}

static enum etherws_fault enter_gre(const uint8_t *frame, const struct etherws_headers *outer,
                                    struct etherws_headers *found) {
  uint32_t at = outer->transport_start;
  if (at + GRE_HEADER_BYTES > outer->network_end) return ETHERWS_FAULT_TRUNCATED;
  uint32_t flags = etherws_word(frame + at);
  // A sequence number would be the same in all segments. The other flags are of versions of GRE without an offload.
  if ((flags & ~(uint32_t)(GRE_CHECKSUM_PRESENT | GRE_KEY_PRESENT)) != 0) return ETHERWS_FAULT_ENCAPSULATION;
  uint32_t payload = at + GRE_HEADER_BYTES;
  if ((flags & GRE_CHECKSUM_PRESENT) != 0) payload += GRE_FIELD_BYTES;
  if ((flags & GRE_KEY_PRESENT) != 0) payload += GRE_FIELD_BYTES;
  return enter_type(frame, etherws_word(frame + at + 2), payload, outer, found);
}

static enum etherws_fault enter_vxlan(const uint8_t *frame, uint32_t shim, const struct etherws_headers *outer,
                                      struct etherws_headers *found) {
  const uint8_t *header = frame + shim;
  if ((header[0] & VXLAN_VNI_VALID) == 0) return ETHERWS_FAULT_ENCAPSULATION;
  if ((header[1] & VXLAN_REMOTE_CHECKSUM) != 0) return ETHERWS_FAULT_ENCAPSULATION;
  int protocol = (header[0] & VXLAN_HAS_PROTOCOL) != 0 ? header[3] : VXLAN_ETHERNET;
  uint32_t payload = shim + SHIM_BYTES;
  if (protocol == VXLAN_ETHERNET) return etherws_pass_ethernet(frame, payload, outer->network_end, found);
  if (protocol != VXLAN_IPV4 && protocol != VXLAN_IPV6) return ETHERWS_FAULT_ENCAPSULATION;
  return enter_network(payload, protocol == VXLAN_IPV6, found);
}

static enum etherws_fault enter_udp(const uint8_t *frame, const struct etherws_headers *outer,
                                    struct etherws_headers *found) {
  uint32_t udp = outer->transport_start;
  uint32_t shim = udp + UDP_HEADER_BYTES;
  if (shim + SHIM_BYTES > outer->network_end) return ETHERWS_FAULT_TRUNCATED;
  if (etherws_word(frame + udp + UDP_LENGTH) != outer->network_end - udp) return ETHERWS_FAULT_IP_LENGTH;
  const uint8_t *header = frame + shim;
  int version = header[0] >> 4;
  if (version == 4 || version == 6) return enter_network(shim, version == 6, found);
  uint32_t type = etherws_word(header + 2);
  // In VXLAN's header these octets are 0, a group policy ID or a protocol number below 256; in Geneve's they are an
  // EtherType.
  if ((header[0] & GENEVE_VERSION) == 0 && is_encapsulated_type(type)) {
    uint32_t option_bytes = (header[0] & GENEVE_OPTION_WORDS) * 4u;
    return enter_type(frame, type, shim + SHIM_BYTES + option_bytes, outer, found);
  }
  return enter_vxlan(frame, shim, outer, found);
}

// Finds the next IP header inside of `outer`.
static enum etherws_fault enter(const uint8_t *frame, const struct etherws_headers *outer,
                                struct etherws_headers *found) {
  if (outer->protocol == PROTOCOL_GRE) return enter_gre(frame, outer, found);
  if (outer->protocol == PROTOCOL_UDP) return enter_udp(frame, outer, found);
  return enter_network(outer->transport_start, outer->protocol == PROTOCOL_IPV6, found);
}

// Whether an encapsulation stands behind this IP header. UDP is one if the checksum starts behind its header.
static bool encapsulates(const struct etherws_headers *found, uint32_t checksum_start) {
  if (found->protocol == PROTOCOL_UDP) return checksum_start >= found->transport_start + UDP_HEADER_BYTES;
  return found->protocol == PROTOCOL_IPV4 || found->protocol == PROTOCOL_IPV6 || found->protocol == PROTOCOL_GRE;
}

enum etherws_fault etherws_locate_described(const uint8_t *frame, uint32_t length, uint32_t checksum_start,
                                            struct etherws_layers *layers) {
  layers->outer_count = 0;
  struct etherws_headers *found = layers->headers;
  enum etherws_fault fault = etherws_pass_ethernet(frame, 0, length, found);
  for (;;) {
    if (fault == ETHERWS_OK) fault = etherws_pass_network(frame, length, found);
    if (fault != ETHERWS_OK) return fault;
    if (!encapsulates(found, checksum_start)) return etherws_pass_transport(frame, found);
    // An Ethernet pad behind the packet would become payload.
    if (found->network_end != length) return ETHERWS_FAULT_IP_LENGTH;
    if (layers->outer_count == ETHERWS_MAX_ENCAPSULATIONS) return ETHERWS_FAULT_ENCAPSULATION;
    layers->outer_count++;
    found++;
    fault = enter(frame, found - 1, found);
  }
}

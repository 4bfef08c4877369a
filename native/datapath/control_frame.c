#include "control_frame.h"

#include "../offload/octets.h"

enum {
  C_TAG = 0x8100,
  S_TAG = 0x88a8,
  MAX_TAGS = 2,
  TAG_BYTES = 4,
  ETHER_TYPE = 12,
  ETHER_TYPE_ARP = 0x0806,
  PROTOCOL_IGMP = 2,
  PROTOCOL_ICMPV6 = 58,
  IPV6_FRAGMENT = 44,
  IPV6_AUTHENTICATION = 51,
  // RFC 8200, 4.1, expects each extension header once, and destination options twice. A frame with a longer chain
  // counts as a control frame, so that no such frame bypasses the bridge.
  MAX_EXTENSIONS = 8,
  // MLD (130 to 132, 143), router and neighbour discovery (133 to 137), inverse neighbour discovery (141, 142),
  // certification paths of SEND (148, 149), multicast router discovery (151 to 153). No type of the range carries data;
  // echo requests and replies are 128 and 129.
  FIRST_ICMPV6_CONTROL = 130,
  LAST_ICMPV6_CONTROL = 153,
};

static bool is_tag(uint32_t type) { return type == C_TAG || type == S_TAG; }

// Extension headers that begin with `next header, length in units of 8 octets minus 1`: hop-by-hop (0), routing (43),
// destination options (60), mobility (135), HIP (139), shim6 (140).
static bool is_extension(uint32_t next) {
  return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

static bool is_control_udp(const uint8_t *udp, const uint8_t *end, uint32_t server, uint32_t client) {
  if (end - udp < 4) return true;
  uint32_t source = etherws_word(udp), destination = etherws_word(udp + 2);
  return source == server || source == client || destination == server || destination == client;
}

static bool is_control_ipv4(const uint8_t *packet, const uint8_t *end) {
  if (end - packet < IPV4_HEADER_BYTES) return true;
  uint32_t protocol = packet[9];
  if (protocol == PROTOCOL_IGMP) return true;
  // Only the first fragment has ports.
  if (protocol != PROTOCOL_UDP || (etherws_word(packet + 6) & 0x1fff) != 0) return false;
  uint32_t header_bytes = (packet[0] & 0xfu) * 4;
  if (header_bytes < IPV4_HEADER_BYTES || end - packet < (int)header_bytes) return true;
  return is_control_udp(packet + header_bytes, end, 67, 68);
}

static bool is_control_ipv6(const uint8_t *packet, const uint8_t *end) {
  if (end - packet < IPV6_HEADER_BYTES) return true;
  uint32_t next = packet[6];
  const uint8_t *at = packet + IPV6_HEADER_BYTES;
  for (int extensions = 0;; extensions++) {
    if (next == PROTOCOL_ICMPV6) {
      return end - at < 1 || (at[0] >= FIRST_ICMPV6_CONTROL && at[0] <= LAST_ICMPV6_CONTROL);
    }
    if (next == PROTOCOL_UDP) return is_control_udp(at, end, 547, 546);
    if (next != IPV6_FRAGMENT && next != IPV6_AUTHENTICATION && !is_extension(next)) return false;
    if (extensions == MAX_EXTENSIONS || end - at < 8) return true;
    // A fragment with an offset has no upper-layer header to classify it by.
    if (next == IPV6_FRAGMENT && (etherws_word(at + 2) & 0xfff8) != 0) return false;
    uint32_t size = at[1];
    uint32_t bytes = next == IPV6_FRAGMENT ? 8 : next == IPV6_AUTHENTICATION ? (size + 2) * 4 : (size + 1) * 8;
    next = at[0];
    if (end - at < (int)bytes) return true;
    at += bytes;
  }
}

bool etherws_is_control_frame(const uint8_t *frame, uint32_t length) {
  const uint8_t *end = frame + length, *at = frame + ETHER_TYPE;
  uint32_t type = etherws_word(at);
  for (int tags = 0; tags < MAX_TAGS && is_tag(type); tags++) {
    at += TAG_BYTES;
    if (end - at < 2) return true;
    type = etherws_word(at);
  }
  if (type == ETHER_TYPE_IPV4) return is_control_ipv4(at + 2, end);
  if (type == ETHER_TYPE_IPV6) return is_control_ipv6(at + 2, end);
  return type == ETHER_TYPE_ARP || is_tag(type);
}

// Frames of many kinds between few stations, for flows_fuzz.c: some that a flow may take, some that a stage wants to read.
#ifndef ETHERWS_FLOW_FRAMES_H
#define ETHERWS_FLOW_FRAMES_H

#include <string.h>

#include "../offload/octets.h"
#include "../offload/offload.h"
#include "drive.h"

enum { HEADER = ETHERWS_OFFLOAD_HEADER_BYTES };

// What is built is one of these until it is disturbed.
enum kind { DATA, CONTROL, DISTURBED };

// Puts a header of UDP, or nothing of it, whose ports are of a server and a client as often as not.
static enum kind build_udp(uint8_t *udp, bool is_whole, uint32_t server, uint32_t client) {
  const uint32_t known[] = {server, client};
  uint32_t from = one_in(3) ? known[below(2)] : 1024 + below(60000),
           to = one_in(3) ? known[below(2)] : 1024 + below(60000);
  if (!is_whole) return CONTROL;
  etherws_write_word(udp, from);
  etherws_write_word(udp + 2, to);
  return from < 1024 || to < 1024 ? CONTROL : DATA;
}

// IPv4 without TCP. Returns its kind, and in `bytes` how long it is.
static enum kind build_ipv4(uint8_t *packet, uint32_t *bytes) {
  uint32_t words = one_in(3) ? 5 + below(11) : 5;
  packet[0] = (uint8_t)(0x40 | words);
  *bytes = words * 4 + 8 + below(40);
  switch (below(4)) {
    case 0: packet[9] = 2; return CONTROL;
    case 1: packet[9] = 1; return DATA;
    case 2:
      packet[9] = PROTOCOL_UDP;
      etherws_write_word(packet + 6, 1 + below(0x1fff));
      build_udp(packet + (size_t)words * 4, true, 67, 68);
      return DATA;
    default:
      packet[9] = PROTOCOL_UDP;
      if (one_in(2)) etherws_write_word(packet + 6, 0x2000);
      return build_udp(packet + (size_t)words * 4, true, 67, 68);
  }
}

// IPv6 with extension headers.
static enum kind build_ipv6(uint8_t *packet, uint32_t *bytes) {
  static const uint8_t known[] = {0, 43, 60, 135, 139, 140, 44, 51};
  uint8_t *next = packet + 6, *at = packet + IPV6_HEADER_BYTES;
  packet[0] = 0x60;
  bool is_later_fragment = false;
  uint32_t extensions = one_in(2) ? 0 : below(12);
  for (uint32_t i = 0; i < extensions && !is_later_fragment; i++) {
    *next = known[below(8)];
    uint32_t size = below(3), is_fragment = *next == 44;
    at[1] = (uint8_t)size;
    if (is_fragment) {
      is_later_fragment = one_in(3);
      if (is_later_fragment) etherws_write_word(at + 2, (1 + below(0x1fff)) << 3);
    }
    uint32_t extension = is_fragment ? 8 : *next == 51 ? (size + 2) * 4 : (size + 1) * 8;
    next = at;
    at += extension;
  }
  *bytes = (uint32_t)(at - packet) + 8 + below(40);
  enum kind kind;
  switch (below(4)) {
    case 0:
      *next = 58;
      at[0] = (uint8_t)(one_in(3) ? below(256) : 130 + below(14));
      kind = at[0] >= 130 && at[0] <= 153 ? CONTROL : DATA;
      break;
    case 1:
      *next = PROTOCOL_UDP;
      kind = build_udp(at, true, 547, 546);
      break;
    default: *next = one_in(2) ? PROTOCOL_TCP : 50; kind = DATA;
  }
  if (is_later_fragment) kind = extensions > 8 ? DISTURBED : DATA;
  else if (extensions > 8) kind = CONTROL;
  return kind;
}

// A frame of one of many kinds between few stations; its offload header in front.
static uint32_t build(uint8_t *offload, bool has_header, enum kind *kind) {
  uint8_t *frame = offload + HEADER;
  memset(offload, 0, HEADER + 1500);
  uint32_t tags = one_in(3) ? 1 + below(2) : 0;
  bool is_tcp = !one_in(3);
  frame[5] = (uint8_t)below(3);
  frame[11] = (uint8_t)below(2);
  uint8_t *network = frame + ETHERNET_HEADER_BYTES + (size_t)4 * tags, *transport = network + IPV4_HEADER_BYTES;
  for (uint32_t i = 0; i < tags; i++) {
    etherws_write_word(frame + 12 + (size_t)4 * i, one_in(4) ? 0x88a8 : 0x8100);
    etherws_write_word(frame + 14 + (size_t)4 * i, below(2));
  }
  uint32_t bytes = 46;
  *kind = DATA;
  if (is_tcp) {
    uint32_t payload = one_in(100) ? 60000 : below(300);
    bytes = IPV4_HEADER_BYTES + TCP_HEADER_BYTES + payload;
    memset(transport, 0, TCP_HEADER_BYTES + payload);
    etherws_write_word(network - 2, ETHER_TYPE_IPV4);
    network[0] = 0x45;
    etherws_write_word(network + 2, bytes);
    network[9] = PROTOCOL_TCP;
    transport[12] = 0x50;
  } else if (one_in(3)) {
    etherws_write_word(network - 2, ETHER_TYPE_IPV4);
    *kind = build_ipv4(network, &bytes);
  } else if (one_in(2)) {
    etherws_write_word(network - 2, ETHER_TYPE_IPV6);
    *kind = build_ipv6(network, &bytes);
  } else if (one_in(2)) {
    etherws_write_word(network - 2, 0x0806);
    *kind = CONTROL;
  } else {
    etherws_write_word(network - 2, one_in(2) ? 0x88b5 : below(0x600));
  }
  uint32_t length = ETHERNET_HEADER_BYTES + 4 * tags + bytes;
  if (has_header && is_tcp && one_in(2)) {
    offload[0] = ETHERWS_FLAG_NEEDS_CSUM;
    offload[1] = one_in(3) ? ETHERWS_GSO_NONE : ETHERWS_GSO_TCPV4 | (one_in(4) ? ETHERWS_GSO_ECN : 0);
    etherws_write_little(offload + 4, 1 + below(200));
    etherws_write_little(offload + 6, (uint32_t)(transport - frame));
    etherws_write_little(offload + 8, TCP_CHECKSUM);
  }
  if (has_header && one_in(3)) offload[below(HEADER)] = (uint8_t)below(256);
  if (one_in(6)) {
    frame[12 + below(40)] = (uint8_t)below(256);
    *kind = DISTURBED;
  }
  if (one_in(12)) {
    length = below(one_in(2) ? 18 : length);
    *kind = DISTURBED;
  }
  return length;
}

#endif

// Frames and super-frames for offload_fuzz.c: honest ones, some of them inside of others, and what disturbs them.
#ifndef ETHERWS_OFFLOAD_FRAMES_H
#define ETHERWS_OFFLOAD_FRAMES_H

#include <string.h>

#include "../offload/octets.h"
#include "../offload/offload.h"
#include "drive.h"

enum { HEADER = ETHERWS_OFFLOAD_HEADER_BYTES };

struct kind {
  bool is_ipv6, is_udp;
  uint32_t tags, option_bytes, extension_bytes;
};

static uint32_t header_bytes_of(const struct kind *kind) {
  uint32_t network = kind->is_ipv6 ? IPV6_HEADER_BYTES + kind->extension_bytes : IPV4_HEADER_BYTES;
  return ETHERNET_HEADER_BYTES + 4 * kind->tags + network +
         (kind->is_udp ? UDP_HEADER_BYTES : TCP_HEADER_BYTES + kind->option_bytes);
}

// An honest frame with its offload header, whose checksum is begun; `at` has room for both.
static void build(uint8_t *at, const struct kind *kind, uint32_t payload_bytes, uint32_t gso_size, uint32_t flow,
                  uint32_t sequence, uint32_t id) {
  uint32_t length = header_bytes_of(kind) + payload_bytes;
  uint8_t *frame = at + HEADER;
  memset(at, 0, HEADER + length - payload_bytes);
  frame[5] = 2;
  frame[11] = (uint8_t)flow;
  uint8_t *type = frame + 12;
  for (uint32_t tag = 0; tag < kind->tags; tag++, type += 4) etherws_write_word(type, 0x8100);
  etherws_write_word(type, kind->is_ipv6 ? 0x86dd : 0x0800);
  uint8_t *network = type + 2;
  uint8_t protocol = kind->is_udp ? PROTOCOL_UDP : PROTOCOL_TCP;
  uint8_t *transport;
  if (kind->is_ipv6) {
    transport = network + IPV6_HEADER_BYTES + kind->extension_bytes;
    network[0] = 0x60;
    etherws_write_word(network + 4, (uint32_t)(frame + length - network) - IPV6_HEADER_BYTES);
    network[6] = kind->extension_bytes == 0 ? protocol : 0;
    network[23] = (uint8_t)flow;
    if (kind->extension_bytes != 0) {
      network[IPV6_HEADER_BYTES] = protocol;
      network[IPV6_HEADER_BYTES + 1] = (uint8_t)(kind->extension_bytes / 8 - 1);
    }
  } else {
    transport = network + IPV4_HEADER_BYTES;
    network[0] = 0x45;
    etherws_write_word(network + 2, (uint32_t)(frame + length - network));
    etherws_write_word(network + IPV4_ID, id);
    network[9] = protocol;
    network[15] = (uint8_t)flow;
    etherws_write_sum(network + IPV4_CHECKSUM, (uint16_t)~etherws_fold(etherws_sum(network, IPV4_HEADER_BYTES, 0)));
  }
  if (kind->is_udp) {
    etherws_write_word(transport + UDP_LENGTH, (uint32_t)(frame + length - transport));
  } else {
    etherws_write_long(transport + TCP_SEQUENCE, sequence);
    transport[12] = (uint8_t)((TCP_HEADER_BYTES + kind->option_bytes) / 4 << 4);
    transport[TCP_FLAGS] = TCP_ACK;
  }
  for (uint32_t i = 0; i < payload_bytes; i++) frame[length - payload_bytes + i] = (uint8_t)below(256);
  at[0] = ETHERWS_FLAG_NEEDS_CSUM;
  if (gso_size != 0) {
    at[1] = kind->is_udp ? ETHERWS_GSO_UDP_L4 : kind->is_ipv6 ? ETHERWS_GSO_TCPV6 : ETHERWS_GSO_TCPV4;
  }
  etherws_write_little(at + 4, gso_size);
  etherws_write_little(at + 6, (uint32_t)(transport - frame));
  etherws_write_little(at + 8, kind->is_udp ? UDP_CHECKSUM : TCP_CHECKSUM);
}

static struct kind any_kind(void) {
  struct kind kind = {.is_ipv6 = one_in(2), .is_udp = one_in(4), .tags = below(3)};
  if (!kind.is_udp) kind.option_bytes = 4 * below(11);
  if (kind.is_ipv6 && one_in(3)) kind.extension_bytes = 8 * (1 + below(30));
  return kind;
}

static void mutate(uint8_t *at, uint32_t size) {
  static const uint8_t telling[] = {0, 1, 2, 3, 4, 5, 6, 17, 43, 44, 60, 0x45, 0x4f, 0x60, 0x80, 0x81, 0xff};
  if (size == 0) return;
  for (uint32_t changes = below(6); changes > 0; changes--) {
    uint32_t reach = one_in(2) ? HEADER : HEADER + (one_in(2) ? 110 : 220);
    at[below(reach < size ? reach : size)] = one_in(2) ? telling[below(sizeof telling)] : (uint8_t)below(256);
  }
}

// Ends the frame early, and mostly lets its IP length agree, so that what stands behind must notice.
static uint32_t cut(uint8_t *at, const struct kind *kind, uint32_t size) {
  uint32_t length = below(one_in(2) ? 160 : size - HEADER + 1);
  if (length > size - HEADER) return size;
  uint32_t network = ETHERNET_HEADER_BYTES + 4 * kind->tags;
  uint32_t fixed_bytes = kind->is_ipv6 ? IPV6_HEADER_BYTES : 0;
  if (length >= network + IPV6_HEADER_BYTES && !one_in(4)) {
    etherws_write_word(at + HEADER + network + (kind->is_ipv6 ? 4 : 2), length - network - fixed_bytes);
  }
  return HEADER + length;
}

// How an honest frame is carried by another one.
struct shell {
  bool is_ipv6, has_udp, has_checksum;
  bool is_bridged;  // an Ethernet frame is carried, not only its packet
  uint8_t protocol;
  uint32_t shim_bytes;  // of VXLAN, Geneve or GRE
  uint8_t shim[16];
};

static struct shell any_shell(bool inner_is_ipv6) {
  struct shell shell = {.is_ipv6 = one_in(2), .has_checksum = one_in(2)};
  const uint8_t type[2] = {inner_is_ipv6 ? 0x86 : 0x08, inner_is_ipv6 ? 0xdd : 0x00};
  shell.protocol = inner_is_ipv6 ? 41 : 4;
  switch (below(5)) {
    case 0: return shell;
    case 1: {  // GRE
      const uint8_t gre[12] = {shell.has_checksum ? 0xa0 : 0x20, 0, type[0], type[1]};
      shell.protocol = PROTOCOL_GRE;
      shell.shim_bytes = shell.has_checksum ? 12 : 8;
      memcpy(shell.shim, gre, sizeof gre);
      return shell;
    }
    case 2: shell.shim_bytes = 0; break;  // IP in UDP
    case 3: {                             // Geneve
      const uint8_t geneve[4] = {1, 0, type[0], type[1]};
      shell.shim_bytes = 12;
      memcpy(shell.shim, geneve, sizeof geneve);
      break;
    }
    default:  // VXLAN
      shell.shim_bytes = 8;
      shell.shim[0] = 8;
      shell.is_bridged = true;
  }
  shell.protocol = PROTOCOL_UDP;
  shell.has_udp = true;
  return shell;
}

// A copy of the frame of `*size` octets with its header, inside a shell. The caller frees it.
static uint8_t *wrap(const uint8_t *at, const struct kind *kind, uint32_t *size) {
  const struct shell shell = any_shell(kind->is_ipv6);
  uint32_t stripped = shell.is_bridged ? 0 : ETHERNET_HEADER_BYTES + 4 * kind->tags;
  uint32_t content_bytes = *size - HEADER - stripped;
  uint32_t network_bytes = shell.is_ipv6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
  uint32_t transport_bytes = (shell.has_udp ? UDP_HEADER_BYTES : 0) + shell.shim_bytes + content_bytes;
  uint8_t *wrapped = allocate(HEADER + ETHERNET_HEADER_BYTES + network_bytes + transport_bytes);
  memset(wrapped, 0, HEADER + ETHERNET_HEADER_BYTES + network_bytes + transport_bytes);
  uint8_t *frame = wrapped + HEADER, *network = frame + ETHERNET_HEADER_BYTES, *transport = network + network_bytes;
  etherws_write_word(frame + 12, shell.is_ipv6 ? 0x86dd : 0x0800);
  if (shell.is_ipv6) {
    network[0] = 0x60;
    etherws_write_word(network + 4, transport_bytes);
    network[6] = shell.protocol;
  } else {
    network[0] = 0x45;
    etherws_write_word(network + 2, IPV4_HEADER_BYTES + transport_bytes);
    network[9] = shell.protocol;
  }
  uint8_t *shim = transport + (shell.has_udp ? UDP_HEADER_BYTES : 0);
  if (shell.has_udp) {
    etherws_write_word(transport + UDP_LENGTH, transport_bytes);
    etherws_write_word(transport + UDP_CHECKSUM, shell.has_checksum ? 1 + below(65535) : 0);
  }
  memcpy(shim, shell.shim, shell.shim_bytes);
  memcpy(shim + shell.shim_bytes, at + HEADER + stripped, content_bytes);
  uint32_t moved = (uint32_t)(shim + shell.shim_bytes - frame) - stripped;
  memcpy(wrapped, at, HEADER);
  etherws_write_little(wrapped + 6, etherws_little(at + 6) + moved);
  *size = HEADER + ETHERNET_HEADER_BYTES + network_bytes + transport_bytes;
  return wrapped;
}

// Puts the checksum around the end of the frame.
static void misplace_checksum(uint8_t *at, uint32_t length) {
  uint32_t end = length + below(5);
  uint32_t start = below(2) == 0 ? below(length + 1) : ETHERNET_HEADER_BYTES;
  if (end < start + 2) return;
  etherws_write_little(at + 6, start);
  etherws_write_little(at + 8, end - start - 2);
}

#endif

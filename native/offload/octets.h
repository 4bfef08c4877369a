// Fields of headers, which stand at any address.
#ifndef ETHERWS_OCTETS_H
#define ETHERWS_OCTETS_H

#include <stdint.h>
#include <string.h>

// Network order.
static inline uint32_t etherws_word(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static inline void etherws_write_word(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline uint32_t etherws_long(const uint8_t *at) { return etherws_word(at) << 16 | etherws_word(at + 2); }

static inline void etherws_write_long(uint8_t *at, uint32_t value) {
  etherws_write_word(at, value >> 16);
  etherws_write_word(at + 2, value);
}

// The order of the offload header: little-endian.
static inline uint32_t etherws_little(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }

static inline void etherws_write_little(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)value;
  at[1] = (uint8_t)(value >> 8);
}

// A folded sum, in the machine's order as it was added up.
static inline void etherws_write_sum(uint8_t *at, uint16_t sum) { memcpy(at, &sum, sizeof sum); }

// Offsets of fields that more than one file needs.
enum {
  ETHERNET_HEADER_BYTES = 14,
  IPV4_HEADER_BYTES = 20,
  IPV6_HEADER_BYTES = 40,
  TCP_HEADER_BYTES = 20,
  UDP_HEADER_BYTES = 8,
  ETHER_TYPE_IPV4 = 0x0800,
  ETHER_TYPE_IPV6 = 0x86dd,
  PROTOCOL_TCP = 6,
  PROTOCOL_UDP = 17,
  PROTOCOL_GRE = 47,
  IPV4_ID = 4,
  IPV4_CHECKSUM = 10,
  TCP_SEQUENCE = 4,
  TCP_FLAGS = 13,
  TCP_CHECKSUM = 16,
  UDP_LENGTH = 4,
  UDP_CHECKSUM = 6,
  GRE_CHECKSUM = 4,
  GRE_CHECKSUM_PRESENT = 0x8000,
};

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10, TCP_URG = 0x20, TCP_CWR = 0x80 };

#endif

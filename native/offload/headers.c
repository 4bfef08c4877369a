#include "octets.h"
#include "offload.h"

// 0 would mean "no checksum" to UDP (RFC 768).
static uint16_t nonzero(uint16_t checksum) { return checksum == 0 ? 0xffff : checksum; }

static void write_network_header(uint8_t *frame, const struct etherws_headers *headers, uint32_t length,
                                 uint32_t ordinal) {
  uint8_t *at = frame + headers->network_start;
  if (headers->is_ipv6) {
    etherws_write_word(at + 4, length - headers->network_start - IPV6_HEADER_BYTES);
    return;
  }
  etherws_write_word(at + 2, length - headers->network_start);
  etherws_write_word(at + IPV4_ID, etherws_word(at + IPV4_ID) + ordinal);
  etherws_write_word(at + IPV4_CHECKSUM, 0);
  uint64_t sum = etherws_sum(at, headers->transport_start - headers->network_start, 0);
  etherws_write_sum(at + IPV4_CHECKSUM, (uint16_t)~etherws_fold(sum));
}

static void write_transport_header(uint8_t *frame, const struct etherws_headers *headers, uint32_t length,
                                   struct etherws_place place, uint64_t payload_sum) {
  uint8_t *at = frame + headers->transport_start;
  uint32_t transport_bytes = length - headers->transport_start;
  bool is_tcp = headers->protocol == PROTOCOL_TCP;
  if (is_tcp) {
    etherws_write_long(at + TCP_SEQUENCE, etherws_long(at + TCP_SEQUENCE) + place.payload_offset);
    // FIN and PSH belong to the last octet, so to the last segment; CWR to the first segment only (RFC 3168, 6.1.2).
    int cleared = (place.is_last ? 0 : TCP_FIN | TCP_PSH) | (place.ordinal == 0 ? 0 : TCP_CWR);
    at[TCP_FLAGS] &= (uint8_t)~cleared;
  } else {
    etherws_write_word(at + UDP_LENGTH, transport_bytes);
  }
  uint8_t *checksum_at = at + (is_tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
  etherws_write_word(checksum_at, 0);
  uint64_t sum = etherws_pseudo_sum(frame, headers, transport_bytes) + payload_sum;
  sum = etherws_sum(at, headers->payload_start - headers->transport_start, sum);
  uint16_t checksum = (uint16_t)~etherws_fold(sum);
  etherws_write_sum(checksum_at, is_tcp ? checksum : nonzero(checksum));
}

// Writes length and checksum of the UDP or GRE header behind the IP header of `outer`, if there is one. `inner_sum` is
// the sum from `summed_from` to the frame's end. Returns the sum of all octets behind the IP header.
static uint64_t write_encapsulation(uint8_t *frame, uint32_t length, const struct etherws_headers *outer,
                                    uint32_t summed_from, uint64_t inner_sum) {
  uint8_t *at = frame + outer->transport_start;
  uint32_t bytes = summed_from - outer->transport_start;
  if (outer->protocol == PROTOCOL_UDP) {
    uint32_t transport_bytes = length - outer->transport_start;
    etherws_write_word(at + UDP_LENGTH, transport_bytes);
    // 0: the datagram has no checksum (RFC 768; RFC 6935 for IPv6).
    if (etherws_word(at + UDP_CHECKSUM) != 0) {
      etherws_write_word(at + UDP_CHECKSUM, 0);
      uint64_t sum = etherws_sum(at, bytes, inner_sum + etherws_pseudo_sum(frame, outer, transport_bytes));
      etherws_write_sum(at + UDP_CHECKSUM, nonzero((uint16_t)~etherws_fold(sum)));
    }
  } else if (outer->protocol == PROTOCOL_GRE && (etherws_word(at) & GRE_CHECKSUM_PRESENT) != 0) {
    etherws_write_word(at + GRE_CHECKSUM, 0);
    etherws_write_sum(at + GRE_CHECKSUM, (uint16_t)~etherws_fold(etherws_sum(at, bytes, inner_sum)));
  }
  return etherws_sum(at, bytes, inner_sum);
}

void etherws_write_segment_headers(uint8_t *frame, uint32_t length, const struct etherws_layers *layers,
                                   struct etherws_place place, uint64_t payload_sum) {
  const struct etherws_headers *inner = etherws_inner(layers);
  write_network_header(frame, inner, length, place.ordinal);
  write_transport_header(frame, inner, length, place, payload_sum);
  if (layers->outer_count == 0) return;
  // A transport part with a correct checksum and its pseudo-header add up to all ones. So the sum of the part follows
  // from that of the pseudo-header, and no payload is read again. Inner headers come first, since an outer checksum
  // covers them.
  uint32_t summed_from = inner->transport_start;
  uint64_t sum = (uint16_t)~etherws_fold(etherws_pseudo_sum(frame, inner, length - inner->transport_start));
  for (uint32_t index = layers->outer_count; index > 0; index--) {
    const struct etherws_headers *outer = &layers->headers[index - 1];
    write_network_header(frame, outer, length, place.ordinal);
    sum = write_encapsulation(frame, length, outer, summed_from, sum);
    summed_from = outer->transport_start;
  }
}

// Packs segments of an encapsulated super-frame into a datagram super-frame (UDP_L4). The segments have the same outer
// UDP header, so segmentation of the outer datagram yields the same datagrams as sending them one by one.
#include "octets.h"
#include "offload.h"

enum {
  MAX_PACKET_BYTES = 65535,
  MAX_PACK_SEGMENTS = 64,  // the limit of the oldest kernels with UDP_L4
};

uint32_t etherws_segments_in_pack(const struct etherws_frame *super, const struct etherws_layers *layers,
                                  uint32_t offloads) {
  const uint32_t needed = ETHERWS_OFFLOAD_CHECKSUM | ETHERWS_OFFLOAD_USO;
  const struct etherws_headers *outer = &layers->headers[0];
  if ((offloads & needed) != needed || layers->outer_count != 1 || outer->protocol != PROTOCOL_UDP) return 1;
  // Segmentation of the outer datagram writes a checksum, but a datagram without one has to stay without.
  if (etherws_word(super->bytes + outer->transport_start + UDP_CHECKSUM) == 0) return 1;
  uint32_t front = outer->transport_start + UDP_HEADER_BYTES;
  uint32_t piece_bytes = etherws_inner(layers)->payload_start - front + etherws_little(super->offload + 4);
  uint32_t most = (MAX_PACKET_BYTES - (front - outer->network_start)) / piece_bytes;
  return most < MAX_PACK_SEGMENTS ? most : MAX_PACK_SEGMENTS;
}

// Writes lengths and checksums of the outer headers, which are copied from the first segment, for a datagram of several
// segments.
static void write_outer_headers(uint8_t *frame, uint32_t length, const struct etherws_headers *outer) {
  uint8_t *network = frame + outer->network_start;
  if (outer->is_ipv6) {
    etherws_write_word(network + 4, length - outer->network_start - IPV6_HEADER_BYTES);
  } else {
    etherws_write_word(network + 2, length - outer->network_start);
    etherws_write_word(network + IPV4_CHECKSUM, 0);
    uint64_t sum = etherws_sum(network, outer->transport_start - outer->network_start, 0);
    etherws_write_sum(network + IPV4_CHECKSUM, (uint16_t)~etherws_fold(sum));
  }
  uint8_t *udp = frame + outer->transport_start;
  uint32_t udp_bytes = length - outer->transport_start;
  etherws_write_word(udp + UDP_LENGTH, udp_bytes);
  etherws_write_sum(udp + UDP_CHECKSUM, etherws_fold(etherws_pseudo_sum(frame, outer, udp_bytes)));
}

static void write_offload(uint8_t *offload, const struct etherws_headers *outer, uint32_t piece_bytes, bool is_single) {
  offload[0] = ETHERWS_FLAG_NEEDS_CSUM;
  offload[1] = is_single ? ETHERWS_GSO_NONE : ETHERWS_GSO_UDP_L4;
  etherws_write_little(offload + 2, outer->transport_start + UDP_HEADER_BYTES);
  etherws_write_little(offload + 4, is_single ? 0 : piece_bytes);
  etherws_write_little(offload + 6, outer->transport_start);
  etherws_write_little(offload + 8, UDP_CHECKSUM);
}

void etherws_pack(const struct etherws_frame *super, const struct etherws_layers *layers, uint32_t most,
                  struct etherws_records *out) {
  const struct etherws_headers *outer = &layers->headers[0];
  uint32_t header_bytes = etherws_inner(layers)->payload_start, front = outer->transport_start + UDP_HEADER_BYTES;
  uint32_t payload_bytes = super->length - header_bytes, gso_size = etherws_little(super->offload + 4);
  uint32_t repeated = header_bytes - front, count = (payload_bytes + gso_size - 1) / gso_size;
  uint8_t headers[ETHERWS_MAX_HEADER_BYTES];
  for (uint32_t first = 0; first < count; first += most) {
    uint32_t end = count - first < most ? count : first + most;
    uint8_t *frame = etherws_begin_record(out);
    uint32_t length = front;
    for (uint32_t ordinal = first; ordinal < end; ordinal++) {
      struct etherws_place place = {ordinal, ordinal * gso_size, ordinal == count - 1};
      uint32_t piece = place.is_last ? payload_bytes - place.payload_offset : gso_size;
      const uint8_t *payload = super->bytes + header_bytes + place.payload_offset;
      uint64_t sum = etherws_copy_and_sum(frame + length + repeated, payload, piece, 0);
      memcpy(headers, super->bytes, header_bytes);
      etherws_write_segment_headers(headers, header_bytes + piece, layers, place, sum);
      if (ordinal == first) memcpy(frame, headers, front);
      memcpy(frame + length, headers + front, repeated);
      length += repeated + piece;
    }
    write_outer_headers(frame, length, outer);
    write_offload(frame - ETHERWS_OFFLOAD_HEADER_BYTES, outer, repeated + gso_size, end - first == 1);
    etherws_end_record(out, length);
  }
}

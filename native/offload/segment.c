#include "octets.h"
#include "offload.h"

uint8_t *etherws_begin_record(struct etherws_records *out) {
  uint8_t *frame = out->bytes + out->end + ETHERWS_RECORD_LEAD_BYTES;
  memset(frame - ETHERWS_OFFLOAD_HEADER_BYTES, 0, ETHERWS_OFFLOAD_HEADER_BYTES);
  return frame;
}

void etherws_end_record(struct etherws_records *out, uint32_t length) {
  size_t start = out->end + ETHERWS_RECORD_LEAD_BYTES;
  out->starts[out->count] = (uint32_t)start;
  out->lengths[out->count] = length;
  out->count++;
  out->end = start + length;
}

static bool has_room(const struct etherws_records *out, size_t frames, size_t octets) {
  return octets <= out->size - out->end && frames <= out->capacity - out->count;
}

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

// Where in the stream a segment stands.
struct place {
  uint32_t payload_offset;
  bool is_first;
  bool is_last;
};

// `payload_sum` is the sum of what follows the transport header.
static void write_transport_header(uint8_t *frame, const struct etherws_headers *headers, uint32_t length,
                                   struct place place, uint64_t payload_sum) {
  uint8_t *at = frame + headers->transport_start;
  uint32_t transport_bytes = length - headers->transport_start;
  bool is_tcp = headers->protocol == PROTOCOL_TCP;
  if (is_tcp) {
    etherws_write_long(at + TCP_SEQUENCE, etherws_long(at + TCP_SEQUENCE) + place.payload_offset);
    // The stream ends, and is pushed, with its last octet; CWR is said once (RFC 3168, 6.1.2).
    int cleared = (place.is_last ? 0 : TCP_FIN | TCP_PSH) | (place.is_first ? 0 : TCP_CWR);
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

static enum etherws_fault segment(const struct etherws_frame *super, const struct etherws_headers *headers,
                                  struct etherws_records *out) {
  uint32_t header_bytes = headers->payload_start;
  uint32_t payload_bytes = super->length - header_bytes;
  uint32_t gso_size = etherws_little(super->offload + 4);
  uint32_t count = payload_bytes == 0 ? 1 : (payload_bytes + gso_size - 1) / gso_size;
  size_t octets = (size_t)count * (ETHERWS_RECORD_LEAD_BYTES + header_bytes) + payload_bytes;
  if (!has_room(out, count, octets)) return ETHERWS_NO_ROOM;
  for (uint32_t ordinal = 0; ordinal < count; ordinal++) {
    struct place place = {ordinal * gso_size, ordinal == 0, ordinal == count - 1};
    uint32_t piece = place.is_last ? payload_bytes - place.payload_offset : gso_size;
    uint8_t *frame = etherws_begin_record(out);
    memcpy(frame, super->bytes, header_bytes);
    const uint8_t *payload = super->bytes + header_bytes + place.payload_offset;
    uint64_t payload_sum = etherws_copy_and_sum(frame + header_bytes, payload, piece, 0);
    write_network_header(frame, headers, header_bytes + piece, ordinal);
    write_transport_header(frame, headers, header_bytes + piece, place, payload_sum);
    etherws_end_record(out, header_bytes + piece);
  }
  return ETHERWS_OK;
}

enum etherws_fault etherws_finish(const struct etherws_frame *frame, struct etherws_records *out) {
  struct etherws_headers headers;
  bool owes = etherws_owes(frame);
  enum etherws_fault fault = owes ? etherws_check(frame, &headers) : ETHERWS_OK;
  if (fault != ETHERWS_OK) return fault;
  if (owes && frame->offload[1] != ETHERWS_GSO_NONE) return segment(frame, &headers, out);
  if (!has_room(out, 1, (size_t)ETHERWS_RECORD_LEAD_BYTES + frame->length)) return ETHERWS_NO_ROOM;
  uint8_t *to = etherws_begin_record(out);
  if (owes) {
    uint32_t checksum_start = etherws_little(frame->offload + 6);
    memcpy(to, frame->bytes, checksum_start);
    uint64_t sum = etherws_copy_and_sum(to + checksum_start, frame->bytes + checksum_start,
                                        frame->length - checksum_start, 0);
    // 0 would mean "no checksum" to UDP (RFC 768), and is the same as 0xffff to everybody else.
    uint16_t checksum = nonzero((uint16_t)~etherws_fold(sum));
    etherws_write_sum(to + checksum_start + etherws_little(frame->offload + 8), checksum);
  } else {
    memcpy(to, frame->bytes, frame->length);
  }
  etherws_end_record(out, frame->length);
  return ETHERWS_OK;
}

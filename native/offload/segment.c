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

static enum etherws_fault segment(const struct etherws_frame *super, const struct etherws_layers *layers,
                                  uint32_t offloads, struct etherws_records *out) {
  uint32_t header_bytes = etherws_inner(layers)->payload_start;
  uint32_t payload_bytes = super->length - header_bytes;
  uint32_t gso_size = etherws_little(super->offload + 4);
  uint32_t count = payload_bytes == 0 ? 1 : (payload_bytes + gso_size - 1) / gso_size;
  size_t octets = (size_t)count * (ETHERWS_RECORD_LEAD_BYTES + header_bytes) + payload_bytes;
  if (!has_room(out, count, octets)) return ETHERWS_NO_ROOM;
  uint32_t most = etherws_segments_in_pack(super, layers, offloads);
  if (most > 1 && count > 1) {
    etherws_pack(super, layers, most, out);
    return ETHERWS_OK;
  }
  for (uint32_t ordinal = 0; ordinal < count; ordinal++) {
    struct etherws_place place = {ordinal, ordinal * gso_size, ordinal == count - 1};
    uint32_t piece = place.is_last ? payload_bytes - place.payload_offset : gso_size;
    uint8_t *frame = etherws_begin_record(out);
    memcpy(frame, super->bytes, header_bytes);
    const uint8_t *payload = super->bytes + header_bytes + place.payload_offset;
    uint64_t payload_sum = etherws_copy_and_sum(frame + header_bytes, payload, piece, 0);
    etherws_write_segment_headers(frame, header_bytes + piece, layers, place, payload_sum);
    etherws_end_record(out, header_bytes + piece);
  }
  return ETHERWS_OK;
}

enum etherws_fault etherws_finish(const struct etherws_frame *frame, uint32_t offloads, struct etherws_records *out) {
  struct etherws_layers layers;
  bool owes = etherws_owes(frame);
  enum etherws_fault fault = owes ? etherws_check(frame, &layers) : ETHERWS_OK;
  if (fault != ETHERWS_OK) return fault;
  if (owes && frame->offload[1] != ETHERWS_GSO_NONE) return segment(frame, &layers, offloads, out);
  if (!has_room(out, 1, (size_t)ETHERWS_RECORD_LEAD_BYTES + frame->length)) return ETHERWS_NO_ROOM;
  uint8_t *to = etherws_begin_record(out);
  if (owes) {
    uint32_t checksum_start = etherws_little(frame->offload + 6);
    memcpy(to, frame->bytes, checksum_start);
    uint64_t sum =
        etherws_copy_and_sum(to + checksum_start, frame->bytes + checksum_start, frame->length - checksum_start, 0);
    // 0 would mean "no checksum" to UDP (RFC 768), and equals 0xffff in ones' complement.
    uint16_t checksum = (uint16_t)~etherws_fold(sum);
    etherws_write_sum(to + checksum_start + etherws_little(frame->offload + 8), checksum == 0 ? 0xffff : checksum);
  } else {
    memcpy(to, frame->bytes, frame->length);
  }
  etherws_end_record(out, frame->length);
  return ETHERWS_OK;
}

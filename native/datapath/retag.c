#include "retag.h"

#include <string.h>

#include "../offload/octets.h"
#include "../offload/offload.h"

enum { ADDRESSES_BYTES = 12, HDR_LEN = 2, CSUM_START = 6 };

struct etherws_tag_change etherws_inverse_change(const struct etherws_tag_change *change, const uint8_t *tag) {
  struct etherws_tag_change inverse = {.stripped = change->inserted, .inserted = change->stripped};
  memcpy(inverse.tag, tag, sizeof inverse.tag);
  return inverse;
}

static void add_to_field(uint8_t *field, int32_t added) {
  etherws_write_little(field, etherws_little(field) + (uint32_t)added);
}

void etherws_retag(struct etherws_run *run, uint32_t from, const struct etherws_tag_change *change) {
  const int32_t added = change->inserted - change->stripped;
  const uint32_t header = run->has_offload_headers ? ETHERWS_OFFLOAD_HEADER_BYTES : 0;
  run->added += added;
  for (uint32_t i = from; i < run->count; i++) {
    uint8_t *frame = run->bytes + run->starts[i];
    if (added != 0) {
      memmove(frame - header - added, frame - header, header + ADDRESSES_BYTES);
      frame -= added;
      run->starts[i] -= (uint32_t)added;
      run->lengths[i] += (uint32_t)added;
    }
    memcpy(frame + ADDRESSES_BYTES, change->tag, change->inserted);
    if (header == 0 || added == 0) continue;
    uint8_t *offload = frame - header;
    if (offload[1] != ETHERWS_GSO_NONE) add_to_field(offload + HDR_LEN, added);
    if ((offload[0] & ETHERWS_FLAG_NEEDS_CSUM) != 0) add_to_field(offload + CSUM_START, added);
  }
}

// Changes the outer tag of frames where they lie. The payload is not moved: the addresses, and the virtio-net header in front
// of them, move by the length of a tag.
#ifndef ETHERWS_RETAG_H
#define ETHERWS_RETAG_H

#include "flow_table.h"

// The change that takes this one back, of frames whose outer tag was `tag`.
struct etherws_tag_change etherws_inverse_change(const struct etherws_tag_change *change, const uint8_t *tag);

// Changes frames [from, count) of a run that matched a flow with this change, and their offload headers: csum_start, and
// hdr_len of super-frames. starts, lengths and added are then those of the changed frames.
void etherws_retag(struct etherws_run *run, uint32_t from, const struct etherws_tag_change *change);

#endif

// Shared by all code that writes messages: the block that they are written to, and masking keys.
#ifndef ETHERWS_OUTGOING_H
#define ETHERWS_OUTGOING_H

#include <stdint.h>

#include "frames.h"

struct datapath;

enum {
  // The frames of one write, apart from the one that goes beyond it. A longer write delays frames of other flows.
  WRITE_BYTES = 64 * 1024,
  MESSAGE_BLOCK_BYTES = WRITE_BYTES + MAX_FRAME_BYTES + 4096,
};

// The block for one message, of MESSAGE_BLOCK_BYTES; NULL without memory. Its content is valid until the next write.
uint8_t *message_block(struct datapath *datapath);

// An unpredictable masking key (RFC 6455, 10.3), valid until the next call; NULL when getrandom(2) fails. `flags`: of
// getrandom(2).
const uint8_t *next_key(struct datapath *datapath, unsigned flags);

#endif

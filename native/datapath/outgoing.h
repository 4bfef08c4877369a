// What making messages takes: a place for them, and masking keys.
#ifndef ETHERWS_OUTGOING_H
#define ETHERWS_OUTGOING_H

#include <stdint.h>

#include "frames.h"

struct datapath;

enum {
  // What is written at once, but for the frame that goes beyond it: what does not leave can be overtaken by nothing.
  WRITE_BYTES = 64 * 1024,
  MESSAGE_BLOCK_BYTES = WRITE_BYTES + MAX_FRAME_BYTES + 4096,
};

// The place for one message, of MESSAGE_BLOCK_BYTES; NULL without memory.
uint8_t *message_block(struct datapath *datapath);

// A masking key that cannot be predicted (RFC 6455, 10.3), or NULL when the system has none. It is valid until the next
// call. `flags`: of getrandom(2).
const uint8_t *next_key(struct datapath *datapath, unsigned flags);

#endif

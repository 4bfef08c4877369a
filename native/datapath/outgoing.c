#include "outgoing.h"

#include <stdlib.h>
#include <sys/random.h>

#include "state.h"
#include "websocket_messages.h"

uint8_t *message_block(struct datapath *datapath) {
  if (datapath->message == NULL) datapath->message = malloc(MESSAGE_BLOCK_BYTES);
  return datapath->message;
}

const uint8_t *next_key(struct datapath *datapath, unsigned flags) {
  if (datapath->keys_left < ETHERWS_KEY_BYTES) {
    if (getrandom(datapath->keys, sizeof datapath->keys, flags) != (ssize_t)sizeof datapath->keys) return NULL;
    datapath->keys_left = sizeof datapath->keys;
  }
  datapath->keys_left -= ETHERWS_KEY_BYTES;
  return datapath->keys + datapath->keys_left;
}

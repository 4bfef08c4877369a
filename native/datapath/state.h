// The state that all descriptors of one loop share.
#ifndef ETHERWS_STATE_H
#define ETHERWS_STATE_H

#include "descriptor.h"
#include "frames.h"

enum { SLABS = 10, KEYS_BYTES = 1024 };

// A buffer that streams are read into.
struct slab {
  uint8_t *bytes;
  void *handle;  // the host's
  bool is_used;  // by a read in progress, or by a tunnel between two reads
};

struct datapath {
  struct host *host;
  unsigned owners;  // the host, and each descriptor
  // The host's memory: the slab and the tally of devices, the list of tunnel frames, and the buffer budget
  // (buffer_budget.h). NULL before the host shares it.
  struct frame_slab device_slab;
  uint32_t *tally;
  uint32_t *starts;
  uint32_t *lengths;
  uint32_t capacity;
  double *buffers;
  // Of streams: window.c.
  struct slab slabs[SLABS];
  unsigned kept;  // number of slabs that tunnels keep between two reads
  // Buffers that are used within a call, allocated at the first use: outgoing message, outgoing records, incoming records.
  // The last one is NULL while a read uses it.
  uint8_t *message;
  uint8_t *sealed;
  uint8_t *ciphertext;
  // Unused masking keys: outgoing.c.
  uint8_t keys[KEYS_BYTES];
  size_t keys_left;
  // Devices and tunnels that are not read until an egress has room, in the order of their waiting: backpressure.c.
  struct waiting waiting;
  bool is_timer_running;
};

#endif

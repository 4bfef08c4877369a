// What the descriptors of one loop share.
#ifndef ETHERWS_STATE_H
#define ETHERWS_STATE_H

#include "frames.h"

enum { SLABS = 10, KEYS_BYTES = 1024, MAX_WAITING = 16 };

// A place for octets of streams as they arrive.
struct slab {
  uint8_t *bytes;
  void *handle;  // the host's
  bool is_used;  // by a read that is under way, or by a tunnel between two reads
};

struct datapath {
  struct host *host;
  unsigned owners;  // the host, and each descriptor
  // The host's memory: what devices are read into, what they drop, where frames of tunnels are listed, and what tunnels
  // hold (buffer_budget.h). NULL before it is shared.
  struct frame_slab device_slab;
  uint32_t *tally;
  uint32_t *starts;
  uint32_t *lengths;
  uint32_t capacity;
  double *buffers;
  // Of streams: window.c.
  struct slab slabs[SLABS];
  unsigned kept;  // slabs that tunnels keep between two reads
  // Places that are used within a call, allocated at the first: a message on its way out, its records, and records on
  // their way in. The last is NULL while a read has it.
  uint8_t *message;
  uint8_t *sealed;
  uint8_t *ciphertext;
  // Masking keys that are not used yet: egress.c.
  uint8_t keys[KEYS_BYTES];
  size_t keys_left;
  // Devices that wait for an egress: backpressure.c.
  struct device *waiting[MAX_WAITING];
  bool is_timer_running;
};

#endif

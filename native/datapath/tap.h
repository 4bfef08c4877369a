// TAP devices (Linux Documentation/networking/tuntap.rst).
#ifndef ETHERWS_TAP_H
#define ETHERWS_TAP_H

#include <net/if.h>

#include "frames.h"

struct tap_settings {
  char name[IFNAMSIZ];  // may have %d; the real one afterwards
  int features;         // TUN_F_*, as the kernel took them afterwards; -1 for a device without virtio-net headers
  int send_buffer_bytes;
  bool is_persistent;  // afterwards
};

// Attaches to a TAP device, or makes one. Returns its file descriptor, or -errno and the call that failed.
int tap_open(struct tap_settings *settings, const char **failed_call);

// As device_read and device_write.
int tap_read(int fd, bool has_vnet_header, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally);
int tap_write(int fd, bool has_vnet_header, const struct frame_slab *slab, const struct frame_selection *frames,
              uint32_t *tally);

#endif

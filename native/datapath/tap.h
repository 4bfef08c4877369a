// TAP devices (Linux Documentation/networking/tuntap.rst).
#ifndef ETHERWS_TAP_H
#define ETHERWS_TAP_H

#include <net/if.h>

#include "frames.h"

struct tap_settings {
  char name[IFNAMSIZ];  // may contain %d; tap_open replaces it by the real name
  int features;         // TUN_F_*; tap_open replaces them by those that the kernel took; -1: no virtio-net headers
  int send_buffer_bytes;
  bool is_persistent;  // set by tap_open
};

// Attaches to a TAP device, or creates one. Returns the file descriptor, or -errno and the call that failed.
int tap_open(struct tap_settings *settings, const char **failed_call);

// As device_read and device_write.
int tap_read(int fd, bool has_vnet_header, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally);
int tap_write(int fd, bool has_vnet_header, const struct frame_slab *slab, const struct frame_selection *frames,
              uint32_t *tally);

#endif

// A file descriptor that is polled: what devices, streams and subscriptions to link events have in common.
#ifndef ETHERWS_DESCRIPTOR_H
#define ETHERWS_DESCRIPTOR_H

#include <stdbool.h>

struct datapath;

enum descriptor_kind { KIND_TAP, KIND_PACKET, KIND_LINK_EVENTS, KIND_STREAM };

struct descriptor {
  struct datapath *datapath;
  void *owner;  // what the host keeps for it
  enum descriptor_kind kind;
  int fd;           // -1 once closed
  bool is_watched;  // the host polls it
  // READABLE, WRITABLE: what the host wants to be called for; what of that waits until an egress has room; and what the
  // datapath itself waits for.
  int awaited;
  int withheld;
  int needed;
};

static inline int descriptor_events(const struct descriptor *descriptor) {
  return (descriptor->awaited & ~descriptor->withheld) | descriptor->needed;
}

// Polls for what it is to be polled for now. Returns 0 or -errno.
int descriptor_poll(struct descriptor *descriptor);

#endif

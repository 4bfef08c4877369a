// A file descriptor that is polled: what devices, streams and subscriptions to link events have in common.
#ifndef ETHERWS_DESCRIPTOR_H
#define ETHERWS_DESCRIPTOR_H

#include <stdbool.h>

struct datapath;

enum descriptor_kind { KIND_TAP, KIND_PACKET, KIND_LINK_EVENTS, KIND_STREAM };

struct descriptor {
  struct datapath *datapath;
  void *owner;  // the host's, such as its own object for this descriptor
  enum descriptor_kind kind;
  int fd;           // -1 once closed
  bool is_watched;  // the host polls it
  // READABLE, WRITABLE, or'ed: events that the host awaits; those of them that back-pressure holds back; and events that
  // the datapath itself needs.
  int awaited;
  int withheld;
  int needed;
};

static inline int descriptor_events(const struct descriptor *descriptor) {
  return (descriptor->awaited & ~descriptor->withheld) | descriptor->needed;
}

// Has the host poll for descriptor_events. Returns 0 or -errno.
int descriptor_poll(struct descriptor *descriptor);

#endif

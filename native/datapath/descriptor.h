// A file descriptor that is polled: what devices, streams and subscriptions to link events have in common.
#ifndef ETHERWS_DESCRIPTOR_H
#define ETHERWS_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

struct datapath;
struct descriptor;

// Descriptors that wait, in the order of their waiting: of all, and of one egress.
enum wait_list { WAIT_OF_ALL, WAIT_OF_EGRESS, WAIT_LISTS };

struct waiting {
  struct descriptor *first;
  struct descriptor *last;
};

// Back-pressure on a device or a tunnel (backpressure.h).
struct wait {
  struct descriptor *egress;              // it is not read until this egress has room; NULL: it is read
  struct descriptor *before[WAIT_LISTS];  // waits since earlier
  struct descriptor *next[WAIT_LISTS];    // waits since later
  uint64_t since_ms;
  uint64_t none_until_ms;  // until then it does not wait again
};

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
  struct wait wait;
  struct waiting waiting;  // those that wait for it
};

static inline int descriptor_events(const struct descriptor *descriptor) {
  return (descriptor->awaited & ~descriptor->withheld) | descriptor->needed;
}

// Has the host poll for descriptor_events. Returns 0 or -errno.
int descriptor_poll(struct descriptor *descriptor);

#endif

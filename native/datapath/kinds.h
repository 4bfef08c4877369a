// Members of a descriptor that depend on its kind.
#ifndef ETHERWS_KINDS_H
#define ETHERWS_KINDS_H

#include "device.h"
#include "stream.h"

// NULL for a descriptor that is neither a device nor a stream.
static inline struct flow_end *flow_end_of(struct descriptor *descriptor) {
  struct device *device = device_of(descriptor);
  if (device != NULL) return &device->flows;
  struct stream *stream = stream_of(descriptor);
  return stream == NULL ? NULL : &stream->flows;
}

#endif

// What a descriptor has by its kind.
#ifndef ETHERWS_KINDS_H
#define ETHERWS_KINDS_H

#include "device.h"
#include "stream.h"

// NULL where the descriptor is no device's and no stream's.
static inline struct flow_end *flow_end_of(struct descriptor *descriptor) {
  struct device *device = device_of(descriptor);
  if (device != NULL) return &device->flows;
  struct stream *stream = stream_of(descriptor);
  return stream == NULL ? NULL : &stream->flows;
}

#endif

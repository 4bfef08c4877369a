#include "descriptor.h"

#include "host.h"

int descriptor_poll(struct descriptor *descriptor) {
  return descriptor->is_watched ? host_watch(descriptor, descriptor_events(descriptor)) : 0;
}

#include "datapath.h"

#include <stdlib.h>

#include "backpressure.h"
#include "buffer_budget.h"
#include "device.h"
#include "device_ingress.h"
#include "flow_end.h"
#include "kinds.h"
#include "state.h"
#include "stream_ingress.h"
#include "tunnel.h"

struct datapath *datapath_new(struct host *host) {
  struct datapath *datapath = calloc(1, sizeof *datapath);
  if (datapath == NULL) return NULL;
  datapath->host = host;
  datapath->owners = 1;
  return datapath;
}

static void release(struct datapath *datapath) {
  if (--datapath->owners > 0) return;
  free(datapath->message);
  free(datapath->sealed);
  free(datapath->ciphertext);
  free(datapath);
}

void datapath_leave(struct datapath *datapath) {
  for (int i = 0; i < SLABS; i++) {
    if (datapath->slabs[i].bytes != NULL) host_free_slab(datapath->host, &datapath->slabs[i]);
  }
  datapath->host = NULL;
  release(datapath);
}

void datapath_share_device_slab(struct datapath *datapath, struct frame_slab slab, uint32_t *tally) {
  datapath->device_slab = slab;
  datapath->tally = tally;
}

void datapath_share_frame_list(struct datapath *datapath, uint32_t *starts, uint32_t *lengths, uint32_t capacity) {
  datapath->starts = starts;
  datapath->lengths = lengths;
  datapath->capacity = capacity;
}

void datapath_share_buffer_cells(struct datapath *datapath, double *cells) {
  if (datapath->buffers != NULL) {
    cells[HELD_HERE] += datapath->buffers[HELD_HERE];
    datapath->buffers[HELD_HERE] = 0;
  }
  datapath->buffers = cells;
}

static struct descriptor *allocate(enum descriptor_kind kind, bool has_vnet_header) {
  if (kind == KIND_LINK_EVENTS) return calloc(1, sizeof(struct descriptor));
  if (kind == KIND_STREAM) {
    struct stream *stream = calloc(1, sizeof *stream);
    return stream == NULL ? NULL : &stream->head;
  }
  struct device *device = calloc(1, sizeof *device);
  if (device == NULL) return NULL;
  device->has_vnet_header = has_vnet_header;
  return &device->head;
}

struct descriptor *datapath_adopt(struct datapath *datapath, int fd, enum descriptor_kind kind, bool has_vnet_header) {
  struct descriptor *descriptor = allocate(kind, has_vnet_header);
  if (descriptor == NULL) return NULL;
  descriptor->datapath = datapath;
  descriptor->kind = kind;
  descriptor->fd = fd;
  datapath->owners++;
  return descriptor;
}

int datapath_watch(struct descriptor *descriptor) {
  descriptor->is_watched = true;
  return datapath_await(descriptor, READABLE);
}

int datapath_await(struct descriptor *descriptor, int events) {
  descriptor->awaited = events & (READABLE | WRITABLE);
  return descriptor_poll(descriptor);
}

void datapath_ready(struct descriptor *descriptor, int status) {
  struct device *device = device_of(descriptor);
  struct stream *stream = stream_of(descriptor);
  if (device != NULL && device->max_frame_bytes > 0) device_ready(device, status);
  else if (stream != NULL && stream->tunnel != NULL && status >= 0) stream_ready(stream, status);
  else host_ready(descriptor, status, 0, LAST_OF_TURN);
}

void datapath_timer(struct datapath *datapath) { release_late(datapath); }

int datapath_close(struct descriptor *descriptor) {
  const int fd = descriptor->fd;
  if (fd < 0) return -1;
  struct stream *stream = stream_of(descriptor);
  descriptor->is_watched = false;
  descriptor->fd = -1;
  struct flow_end *end = flow_end_of(descriptor);
  if (end != NULL) flow_end_leave(end);
  if (stream != NULL) tunnel_free(stream);
  stop_waiting(descriptor);
  release_waiting(descriptor);
  return fd;
}

void datapath_free(struct descriptor *descriptor) {
  release(descriptor->datapath);
  free(descriptor);
}

// Whether a flow may lead there. On the raw wire each frame is a message of its own, which the bridge pads and sends.
static bool takes_frames(struct descriptor *descriptor) {
  const struct stream *stream = stream_of(descriptor);
  const bool is_batched = stream != NULL && stream->tunnel != NULL && stream->tunnel->is_batched;
  return descriptor->is_watched && (device_of(descriptor) != NULL || is_batched);
}

bool datapath_may_flow(struct descriptor *ingress, struct descriptor *egress) {
  return ingress->datapath == egress->datapath && flow_end_of(ingress) != NULL && ingress->is_watched &&
         takes_frames(egress);
}

void datapath_install_flow(const uint8_t *frame, uint32_t length, const struct etherws_flow *flow) {
  struct descriptor *egress = flow->egress;
  struct flow_table *table = flow_end_of(egress)->table;
  struct device *device = device_of(egress);
  if (device != NULL) device->offloads = flow->offloads;
  etherws_install_flow(&table->entries, frame, length, flow);
}

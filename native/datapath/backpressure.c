#include "backpressure.h"

#include <stddef.h>

#include "device.h"
#include "host.h"
#include "state.h"

static void release(struct datapath *datapath, int i) {
  struct device *device = datapath->waiting[i];
  datapath->waiting[i] = NULL;
  device->waits_for = NULL;
  device->head.withheld = 0;
  descriptor_poll(&device->head);
}

void wait_for(struct device *device, const struct descriptor *egress) {
  struct datapath *datapath = device->head.datapath;
  for (int i = 0; i < MAX_WAITING; i++) {
    if (datapath->waiting[i] != NULL) continue;
    datapath->waiting[i] = device;
    device->waits_for = egress;
    device->waits_since_ms = host_now_ms(datapath->host);
    device->head.withheld = READABLE;
    if (!datapath->is_timer_running) host_start_timer(datapath->host, MAX_WAIT_MS);
    datapath->is_timer_running = true;
    descriptor_poll(&device->head);
    return;
  }
}

void release_waiting(struct datapath *datapath, const struct descriptor *egress) {
  for (int i = 0; i < MAX_WAITING; i++) {
    const struct device *device = datapath->waiting[i];
    if (device != NULL && device->waits_for == egress) release(datapath, i);
  }
}

void stop_waiting(struct device *device) {
  struct datapath *datapath = device->head.datapath;
  for (int i = 0; i < MAX_WAITING; i++) {
    if (datapath->waiting[i] == device) datapath->waiting[i] = NULL;
  }
  device->waits_for = NULL;
}

void release_late(struct datapath *datapath) {
  const uint64_t now_ms = host_now_ms(datapath->host);
  datapath->is_timer_running = false;
  for (int i = 0; i < MAX_WAITING; i++) {
    struct device *device = datapath->waiting[i];
    if (device == NULL) continue;
    if (now_ms - device->waits_since_ms < MAX_WAIT_MS) {
      datapath->is_timer_running = true;
      continue;
    }
    device->no_wait_until_ms = now_ms + MAX_WAIT_MS;
    release(datapath, i);
  }
  if (datapath->is_timer_running) host_start_timer(datapath->host, MAX_WAIT_MS / 4);
}

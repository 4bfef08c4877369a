#include "device_ingress.h"

#include <string.h>

#include "device.h"
#include "forward.h"
#include "host.h"
#include "state.h"
#include "tally.h"

enum {
  // A device whose last frames were forwarded is read in pieces of 32 KiB, each of which is worth a write. At most 4
  // pieces a turn, so that other descriptors get their turn.
  ROUNDS = 4,
  PIECE_BYTES = 32 * 1024,
};

// Reads one piece from a device whose last frames were forwarded; else as many frames as the slab has room for. Returns
// as device_read. is_all: the piece was not full, so no more frames wait.
static int read_piece(const struct device *device, bool *is_all) {
  struct datapath *datapath = device->head.datapath;
  struct frame_slab slab = datapath->device_slab;
  slab.tag_room = device->tag_room;
  // device_read stops where there is no room for the longest frame. So at most one frame begins in front of the end of
  // PIECE_BYTES, and ends behind it.
  const size_t piece =
      SLAB_FRONT_BYTES + PIECE_BYTES + slab.tag_room + RECORD_HEADER_BYTES + device->max_frame_bytes + 8;
  if (device->expected != NULL && piece < slab.size) slab.size = piece;
  const int count = device_read(device, &slab, device->max_frame_bytes, datapath->tally);
  const size_t end = count > 0 ? slab.starts[count - 1] + slab.lengths[count - 1] : 0;
  *is_all = end <= SLAB_FRONT_BYTES + PIECE_BYTES && (size_t)(count < 0 ? 0 : count) < slab.capacity;
  return count;
}

void device_ready(struct device *device, int status) {
  struct datapath *datapath = device->head.datapath;
  const struct frame_slab *slab = &datapath->device_slab;
  uint32_t *tally = datapath->tally;
  for (int round = 0; round < ROUNDS; round++) {
    bool is_all;
    memset(tally, 0, TALLY_COUNT * sizeof *tally);
    int count = read_piece(device, &is_all);
    uint32_t dropped = 0, taken = 0;
    for (int i = 0; i < TALLY_COUNT; i++) dropped |= tally[i];
    if (count > 0 && dropped == 0) {
      const struct etherws_run run = {slab->bytes, slab->starts, slab->lengths, (uint32_t)count, true, 0};
      taken = forward(&device->head, &run);
      // The host may have closed the device.
      if (device->head.fd < 0) return;
    }
    if (count <= 0 && dropped == 0 && round > 0) return;
    if (count <= 0 || dropped != 0 || taken < (uint32_t)count) {
      if (taken > 0) {
        count -= (int)taken;
        memmove(slab->starts, slab->starts + taken, (size_t)count * sizeof *slab->starts);
        memmove(slab->lengths, slab->lengths + taken, (size_t)count * sizeof *slab->lengths);
      }
      host_ready(&device->head, status, count, LAST_OF_TURN);
      return;
    }
    if (is_all || device->expected == NULL || device->head.wait.egress != NULL) return;
  }
}

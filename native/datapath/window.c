#include "window.h"

#include <stdlib.h>
#include <string.h>

#include "buffer_budget.h"
#include "host.h"
#include "state.h"

enum {
  // The longest message of 1 MiB with its header, and a read of 256 KiB behind it.
  SLAB_BYTES = 1024 * 1024 + 64 + 256 * 1024,
  // An unfinished message of at least 16 KiB stays in its slab, while fewer than 8 tunnels keep one. Else it is copied
  // to a block of its own.
  MIN_KEPT_BYTES = 16 * 1024,
  MAX_KEPT = 8,
  // With less room than 64 KiB behind it, an unfinished message is moved to the front of its slab in any case.
  MIN_READ_BYTES = 64 * 1024,
};

static struct slab *take_slab(struct datapath *datapath) {
  for (int i = 0; i < SLABS; i++) {
    struct slab *slab = &datapath->slabs[i];
    if (slab->is_used) continue;
    if (slab->bytes == NULL && !host_new_slab(datapath->host, SLAB_BYTES, slab)) return NULL;
    slab->is_used = true;
    return slab;
  }
  return NULL;
}

bool window_open(struct datapath *datapath, struct unfinished *unfinished, struct window *window) {
  if (unfinished->slab != NULL) {
    *window = (struct window){unfinished->slab, unfinished->from, unfinished->to, unfinished->to};
    unfinished->slab = NULL;
    datapath->kept--;
    // A message that fits in front of itself is moved there: the next read then writes to octets that are still in the
    // processor's cache.
    const size_t left = window->to - window->from;
    if (left > window->from && window_room(window) >= MIN_READ_BYTES) return true;
    memmove(window->slab->bytes, window->slab->bytes + window->from, left);
    window->to = window->end = left;
    window->from = 0;
    return true;
  }
  *window = (struct window){.slab = take_slab(datapath)};
  if (window->slab == NULL) return false;
  if (unfinished->block != NULL) {
    memcpy(window->slab->bytes, unfinished->block, unfinished->to);
    window->to = window->end = unfinished->to;
    unfinished_drop(datapath, unfinished);
  }
  return true;
}

size_t window_room(const struct window *window) { return SLAB_BYTES - window->to; }

void window_drop(const struct window *window) { window->slab->is_used = false; }

bool window_keep(struct datapath *datapath, struct unfinished *unfinished, const struct window *window,
                 size_t consumed) {
  const size_t left = window->end - consumed;
  if (left >= MIN_KEPT_BYTES && datapath->kept < MAX_KEPT) {
    datapath->kept++;
    unfinished->slab = window->slab;
    unfinished->from = consumed;
    unfinished->to = window->end;
    return true;
  }
  window_drop(window);
  if (left == 0) return true;
  if (!buffers_hold(datapath->buffers, left)) return false;
  unfinished->block = malloc(left);
  if (unfinished->block == NULL) {
    buffers_release(datapath->buffers, left);
    return false;
  }
  memcpy(unfinished->block, window->slab->bytes + consumed, left);
  unfinished->to = left;
  return true;
}

size_t unfinished_held(const struct unfinished *unfinished) { return unfinished->block != NULL ? unfinished->to : 0; }

void unfinished_drop(struct datapath *datapath, struct unfinished *unfinished) {
  if (unfinished->slab != NULL) {
    unfinished->slab->is_used = false;
    datapath->kept--;
  }
  if (unfinished->block != NULL) buffers_release(datapath->buffers, unfinished->to);
  free(unfinished->block);
  *unfinished = (struct unfinished){0};
}

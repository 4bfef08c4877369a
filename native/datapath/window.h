// The place where a stream's octets are parsed. A read appends to the octets of an unfinished message, so that each message
// is contiguous, mostly without a copy. A tunnel without an unfinished message holds no memory here.
#ifndef ETHERWS_WINDOW_H
#define ETHERWS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct datapath;
struct slab;

// The octets of one read, in a slab: [from, to) came with earlier reads, [to, end) with this one.
struct window {
  struct slab *slab;
  size_t from;
  size_t to;
  size_t end;
};

// The octets of an unfinished message: slab->bytes[from .. to), or block[0 .. to). Zeroed: none.
struct unfinished {
  struct slab *slab;
  uint8_t *block;
  size_t from;
  size_t to;
};

// Prepares a window for the next read. Returns false without memory. window_keep or window_drop has to follow.
bool window_open(struct datapath *datapath, struct unfinished *unfinished, struct window *window);

// The number of octets that it has room for.
size_t window_room(const struct window *window);

// Keeps the octets from `consumed` on. Returns false without memory, or above the buffer budget (buffer_budget.h).
bool window_keep(struct datapath *datapath, struct unfinished *unfinished, const struct window *window,
                 size_t consumed);

// Keeps nothing: the tunnel has been closed meanwhile.
void window_drop(const struct window *window);

// The number of octets that it holds of the buffer budget.
size_t unfinished_held(const struct unfinished *unfinished);

// Frees the kept octets.
void unfinished_drop(struct datapath *datapath, struct unfinished *unfinished);

#endif

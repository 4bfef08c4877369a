// Where a stream's octets are taken apart. Reads go behind what is unfinished, so that whole messages lie in one piece,
// mostly without a copy. A tunnel that is not in the middle of a message owns no memory here.
#ifndef ETHERWS_WINDOW_H
#define ETHERWS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct datapath;
struct slab;

// The octets of one read, in a slab: [from, to) came before, [to, end) now.
struct window {
  struct slab *slab;
  size_t from;
  size_t to;
  size_t end;
};

// What has come of a message that is not all there: slab->bytes[from .. to), or block[0 .. to). Zeroed: nothing.
struct unfinished {
  struct slab *slab;
  uint8_t *block;
  size_t from;
  size_t to;
};

// Finds the place where the stream goes on. Returns false without memory. One of the next two is to follow.
bool window_open(struct datapath *datapath, struct unfinished *unfinished, struct window *window);

// How many octets it has room for.
size_t window_room(const struct window *window);

// Keeps what stands from `consumed` on. Returns false without memory, or where no more may be held (buffer_budget.h).
bool window_keep(struct datapath *datapath, struct unfinished *unfinished, const struct window *window,
                 size_t consumed);

// Keeps nothing: the tunnel has ended meanwhile.
void window_drop(const struct window *window);

// How much of the buffer budget it holds.
size_t unfinished_held(const struct unfinished *unfinished);

// Frees what is kept.
void unfinished_drop(struct datapath *datapath, struct unfinished *unfinished);

#endif

// What all tunnels hold together, as src/ports/stream/buffer-budget.ts counts it: that file says what for.
#ifndef ETHERWS_BUFFER_BUDGET_H
#define ETHERWS_BUFFER_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

// JavaScript's cells: octets that are held here and there, and the limit of both.
enum { HELD_HERE, HELD_BY_JAVASCRIPT, BUFFER_LIMIT, BUFFER_CELLS };

// Shorter parts of messages are kept beyond the limit: a tunnel that holds no more has no part in that.
enum { SHORT_BYTES = 2048 };

// Counts octets as held. Returns false when there is no room for them. Without cells nothing is counted.
static inline bool buffers_hold(double *cells, size_t bytes) {
  if (cells == NULL) return true;
  const double held = cells[HELD_HERE] + cells[HELD_BY_JAVASCRIPT];
  if (bytes > SHORT_BYTES && held + (double)bytes > cells[BUFFER_LIMIT]) return false;
  cells[HELD_HERE] += (double)bytes;
  return true;
}

// The same, however much is held.
static inline void buffers_count(double *cells, size_t bytes) {
  if (cells != NULL) cells[HELD_HERE] += (double)bytes;
}

static inline void buffers_release(double *cells, size_t bytes) {
  if (cells != NULL) cells[HELD_HERE] -= (double)bytes;
}

// Whether JavaScript should see to it that the tunnels that hold most shed: above its high watermark.
static inline bool buffers_are_high(const double *cells) {
  return cells != NULL && cells[HELD_HERE] + cells[HELD_BY_JAVASCRIPT] > cells[BUFFER_LIMIT] / 16 * 15;
}

#endif

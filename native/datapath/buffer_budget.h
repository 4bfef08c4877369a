// The budget of octets that all tunnels together may hold in queues and unfinished messages. The reasons stand in
// src/ports/stream/buffer-budget.ts, which counts in the same cells.
#ifndef ETHERWS_BUFFER_BUDGET_H
#define ETHERWS_BUFFER_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

// Cells that JavaScript shares: octets held in C, octets held in JavaScript, and the limit for their sum.
enum { HELD_HERE, HELD_BY_JAVASCRIPT, BUFFER_LIMIT, BUFFER_CELLS };

// Up to 2 KiB of an unfinished message are kept beyond the limit: tunnels with so little do not cause the shortage.
enum { SHORT_BYTES = 2048 };

// Counts octets as held. Returns false, and counts nothing, above the limit. cells NULL: no budget.
static inline bool buffers_hold(double *cells, size_t bytes) {
  if (cells == NULL) return true;
  const double held = cells[HELD_HERE] + cells[HELD_BY_JAVASCRIPT];
  if (bytes > SHORT_BYTES && held + (double)bytes > cells[BUFFER_LIMIT]) return false;
  cells[HELD_HERE] += (double)bytes;
  return true;
}

// The same without the limit.
static inline void buffers_count(double *cells, size_t bytes) {
  if (cells != NULL) cells[HELD_HERE] += (double)bytes;
}

static inline void buffers_release(double *cells, size_t bytes) {
  if (cells != NULL) cells[HELD_HERE] -= (double)bytes;
}

// Whether JavaScript has to make the tunnels that hold most shed: above 15/16 of the limit.
static inline bool buffers_are_high(const double *cells) {
  return cells != NULL && cells[HELD_HERE] + cells[HELD_BY_JAVASCRIPT] > cells[BUFFER_LIMIT] / 16 * 15;
}

#endif

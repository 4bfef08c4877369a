// What the drivers of the sanitizers share: chance by a seed, and claims that end the run when they do not hold. Each
// driver is one program, so all of it is its own.
#ifndef ETHERWS_DRIVE_H
#define ETHERWS_DRIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state;
// With libFuzzer chance is its input, as long as that lasts.
static const uint8_t *script, *script_end;

static uint32_t below(uint32_t bound) {  // xorshift64*
  if (script_end - script >= 2) {
    script += 2;
    return (uint32_t)(script[-2] | script[-1] << 8) % bound;
  }
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)((state * 2685821657736338717ull) >> 32) % bound;
}

static inline bool one_in(uint32_t chances) { return below(chances) == 0; }

static void require(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "broken: %s\n", what);
  abort();
}

static void *allocate(size_t size) {
  void *memory = malloc(size == 0 ? 1 : size);
  require(memory != NULL, "memory");
  return memory;
}

#endif

// What the fuzz drivers share: choices, claims that end the run when they do not hold, and main(). Each driver is one
// program that includes this file once.
//
//   a.out SEED CASES   runs so many cases; the seed decides every choice
//   a.out FILE...      with libFuzzer: runs the inputs again, or is guided by coverage (scripts/fuzz-native.mjs)
//
// With ETHERWS_LIBFUZZER the choices are octets of libFuzzer's input, as long as it lasts: its mutations change single
// choices of a case, and the coverage says which changes are worth keeping.
#ifndef ETHERWS_DRIVE_H
#define ETHERWS_DRIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Prepares the state that the cases of a run share; called before the first one.
static void begin_run(void);

// Runs one case. Drivers with several kinds of cases choose by the number.
static void run_case(unsigned long number);

// Ends the program where that many cases have met too little to have proved anything.
static void check_run(unsigned long cases);

static uint64_t state;
// The octets of libFuzzer's input that are left; NULL without libFuzzer.
static const uint8_t *script, *script_end;

static void require(bool holds, const char *what) {
  if (holds) return;
  (void)fprintf(stderr, "broken: %s\n", what);
  abort();
}

// A number below the bound, which is above 0: one octet of the script where that is enough, else two; behind its end, and without one, a
// number of xorshift64*.
static uint32_t below(uint32_t bound) {
  if (bound == 0) abort();  // said so that analyzers know it
  const int octets = bound <= 256 ? 1 : 2;
  if (script_end - script >= octets) {
    const uint32_t number = octets == 1 ? script[0] : (uint32_t)(script[0] | script[1] << 8);
    script += octets;
    return number % bound;
  }
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)((state * 2685821657736338717ull) >> 32) % bound;
}

static inline bool one_in(uint32_t chances) { return below(chances) == 0; }

// Whether the rest of a long case is better left out: what follows would depend on the generator, not on the input.
static inline bool is_script_over(void) { return script != NULL && script_end - script < 2; }

static void *allocate(size_t size) {
  void *memory = malloc(size == 0 ? 1 : size);
  require(memory != NULL, "memory");
  return memory;
}

#ifdef ETHERWS_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { MOST_CASES = 200 };
  static const uint8_t empty;
  (void)check_run;
  // An empty input is a script, too: one that is over.
  script = size == 0 ? &empty : data;
  script_end = script + size;
  state = 1;
  begin_run();
  for (int i = 0; i < MOST_CASES && (i == 0 || !is_script_over()); i++) run_case(below(250));
  return 0;
}
#else
int main(int argc, char **argv) {
  if (argc != 3) {
    (void)fprintf(stderr, "usage: %s SEED CASES\n", argv[0]);
    return 2;
  }
  const unsigned long seed = strtoul(argv[1], NULL, 10), cases = strtoul(argv[2], NULL, 10);
  state = seed * 0x9e3779b97f4a7c15ull + 1;
  begin_run();
  for (unsigned long i = 0; i < cases; i++) run_case(i);
  check_run(cases);
  printf("%lu cases with seed %lu\n", cases, seed);
  return 0;
}
#endif

#endif

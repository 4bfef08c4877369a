// Returning memory of an idle process to the system.
#ifdef __linux__
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#endif

#include "../node/values.h"
#include "system.h"

#ifdef __linux__
// Unmaps resident pages of code that equal the file: by proc_pid_smaps(5), those of r-xp mappings of a file without
// anonymous pages. When a function is called again, its page is read from the page cache. Code that was moved or
// patched in memory (node --use-largepages, text relocations) is anonymous, and stays.
static void release_code(void) {
  FILE *maps = fopen("/proc/self/smaps", "re");
  if (maps == NULL) return;
  char *line = NULL;
  size_t room = 0;
  unsigned long begin = 0;
  unsigned long end = 0;
  bool is_code = false;
  while (getline(&line, &room, maps) > 0) {
    unsigned long from;
    unsigned long to;
    unsigned long inode;
    char rights[5];
    unsigned long kib;
    // NOLINTBEGIN(cert-err34-c): the kernel writes these numbers, and none of them overflows.
    if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu", &from, &to, rights, &inode) == 4) {
      begin = from;
      end = to;
      is_code = inode != 0 && strcmp(rights, "r-xp") == 0;
    } else if (sscanf(line, "Anonymous: %lu kB", &kib) == 1 || sscanf(line, "Swap: %lu kB", &kib) == 1) {
      // NOLINTEND(cert-err34-c)
      is_code = is_code && kib == 0;
    } else if (is_code && strncmp(line, "VmFlags:", 8) == 0) {
      // The last line of a mapping.
      madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
  }
  free(line);
  (void)fclose(maps);
}
#endif

// trimMemory() returns to the system free memory of malloc, also between blocks in use, and pages of code: about 20
// MiB, most of which only the start of the process needs. C libraries other than glibc return free memory by
// themselves.
napi_value trim_memory(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
#ifdef __linux__
  release_code();
#endif
  return NULL;
}

// wipeFreedMemory(isOn): free(3) overwrites memory from now on, because OpenSSL frees a connection with its traffic
// secrets in it. This costs time for each block. Only glibc can do it, and only for blocks above 1 KiB.
napi_value wipe_freed_memory(napi_env env, napi_callback_info info) {
  napi_value argument;
  bool is_on;
  if (!take_arguments(env, info, &argument, 1) || !take_bool(env, argument, &is_on)) return NULL;
#ifdef __GLIBC__
  mallopt(M_PERTURB, is_on ? 0xff : 0);
#endif
  return NULL;
}

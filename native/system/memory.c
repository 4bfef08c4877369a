// What an idle process gives back to the system.
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
// Unmaps resident pages of code that still are what the file holds, as proc_pid_smaps(5) tells: mapped r-xp from a
// file, with no page of its own. The next call of a function reads its page from the page cache again. Code that was
// moved or patched in memory (node --use-largepages, text relocations) is anonymous, and stays.
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

// trimMemory(): gives back free memory of malloc, also between blocks in use, and pages of code, most of which only
// the start of the process ran: some 20 MiB. C libraries other than glibc give back free memory by themselves.
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

// wipeFreedMemory(isOn): from now on malloc overwrites what it is given back, at a cost for each piece. OpenSSL frees
// a connection with its traffic secrets in it. Only glibc can, and not for pieces of up to 1 KiB.
napi_value wipe_freed_memory(napi_env env, napi_callback_info info) {
  napi_value argument;
  bool is_on;
  if (!take_arguments(env, info, &argument, 1) || !take_bool(env, argument, &is_on)) return NULL;
#ifdef __GLIBC__
  mallopt(M_PERTURB, is_on ? 0xff : 0);
#endif
  return NULL;
}

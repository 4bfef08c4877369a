// What an idle process gives back to the system.
#ifdef __linux__
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "addon.h"

#ifdef __linux__
// Unmaps the resident pages of a loaded object's code. They are clean and belong to its file, so that the next call
// of a function reads its page from the page cache again.
static int release_code(struct dl_phdr_info *object, size_t size, void *data) {
  (void)size;
  (void)data;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    // A writable segment may hold relocations, which are nowhere else.
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || (segment->p_flags & PF_W)) continue;
    uintptr_t begin = (object->dlpi_addr + segment->p_vaddr + page - 1) & ~(page - 1);
    uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
    if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
  }
  return 0;
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
  dl_iterate_phdr(release_code, NULL);
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

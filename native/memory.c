// Memory that nobody uses any more.
#ifdef __linux__
#include <malloc.h>
#endif

#include "addon.h"

// trimMemory(): what malloc was given back goes back to the system, also from between what is in use. Other C
// libraries than glibc do so by themselves.
napi_value trim_memory(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return NULL;
}

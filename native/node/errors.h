// Exceptions. Each function returns NULL, for a binding to return.
#ifndef ETHERWS_ERRORS_H
#define ETHERWS_ERRORS_H

#include <node_api.h>

// Leaves a function that returns a napi_value when a Node-API call fails; the exception is pending then.
#define CHECK_NAPI(env, call)  \
  do {                         \
    if ((call) != napi_ok) {   \
      throw_napi_failure(env); \
      return NULL;             \
    }                          \
  } while (0)

// Throws an Error as Node's own are: `code` is the errno's name, `errno` its number, `syscall` what was called.
napi_value throw_errno(napi_env env, int error, const char *syscall);

// Throws what Node-API says of its last failure, if nothing is pending.
napi_value throw_napi_failure(napi_env env);

napi_value throw_range(napi_env env, const char *message);

#endif

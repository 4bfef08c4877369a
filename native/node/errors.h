// Exceptions. Each function returns NULL, for a binding to return.
#ifndef ETHERWS_ERRORS_H
#define ETHERWS_ERRORS_H

#include <node_api.h>

// Returns NULL from the calling function if a Node-API call fails, with an exception pending.
#define CHECK_NAPI(env, call)  \
  do {                         \
    if ((call) != napi_ok) {   \
      throw_napi_failure(env); \
      return NULL;             \
    }                          \
  } while (0)

// Throws an Error with the properties of Node's own system errors: `code` is the name of the errno, `errno` its number,
// `syscall` the failed call.
napi_value throw_errno(napi_env env, int error, const char *syscall);

// Throws an Error with Node-API's message about its last failure, unless an exception is pending.
napi_value throw_napi_failure(napi_env env);

napi_value throw_range(napi_env env, const char *message);

#endif

#include "stream_values.h"

#include <errno.h>

#include "errors.h"
#include "handle.h"

bool take_stream(napi_env env, napi_value value, struct stream **result) {
  struct descriptor *descriptor;
  if (!take_descriptor(env, value, &descriptor)) return false;
  *result = stream_of(descriptor);
  if (*result != NULL) return true;
  napi_throw_type_error(env, NULL, "expected the descriptor of a stream");
  return false;
}

bool take_tunnel(napi_env env, napi_value value, const char *door, struct stream **result) {
  if (!take_stream(env, value, result)) return false;
  if ((*result)->tunnel != NULL && (*result)->head.fd >= 0) return true;
  throw_errno(env, EBADF, door);
  return false;
}

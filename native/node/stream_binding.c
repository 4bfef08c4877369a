// Connected stream sockets, which Node has opened. Once adopted, they are read and written here.
#include <errno.h>
#include <fcntl.h>

#include "../datapath/datapath.h"
#include "bindings.h"
#include "handle.h"
#include "stream_values.h"
#include "values.h"

static napi_value to_number(napi_env env, ssize_t count) {
  napi_value result;
  CHECK_NAPI(env, napi_create_int32(env, (int32_t)count, &result));
  return result;
}

// adoptSocket(fd) returns a descriptor with a duplicate of `fd`, which the caller still owns and closes.
static napi_value adopt_socket(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!take_arguments(env, info, &argument, 1) || !take_int32(env, argument, &fd)) return NULL;
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return throw_errno(env, errno, "fcntl(F_DUPFD_CLOEXEC)");
  return handle_create(env, own, KIND_STREAM, false);
}

// endStream(descriptor) returns 0 or -errno.
static napi_value end_stream(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct stream *stream;
  if (!take_arguments(env, info, &argument, 1) || !take_stream(env, argument, &stream)) return NULL;
  return to_number(env, stream_end(stream));
}

// takeHasWaited(descriptor) returns whether the kernel refused octets since the last call.
static napi_value take_has_waited(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct stream *stream;
  if (!take_arguments(env, info, &argument, 1) || !take_stream(env, argument, &stream)) return NULL;
  CHECK_NAPI(env, napi_get_boolean(env, stream->has_waited, &result));
  stream->has_waited = false;
  return result;
}

napi_value init_streams(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"adoptSocket", adopt_socket},
      {"endStream", end_stream},
      {"takeHasWaited", take_has_waited},
  };
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}

// A connected stream socket that Node has opened, and whose descriptor belongs to the addon from then on. tunnel.c reads
// it, send.c and egress.c write it.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "../node/addon.h"
#include "fast_path.h"

static ssize_t refuse(int error) {
  errno = error;
  return -1;
}

static napi_value number_or_errno(napi_env env, ssize_t count) {
  napi_value result;
  CHECK_NAPI(env, napi_create_int32(env, count < 0 ? -errno : (int32_t)count, &result));
  return result;
}

// adoptSocket(fd) returns a descriptor of its own for the same connection; the caller closes the one that it has.
napi_value adopt_socket(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!take_arguments(env, info, &argument, 1) || !take_int32(env, argument, &fd)) return NULL;
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return throw_errno(env, errno, "fcntl(F_DUPFD_CLOEXEC)");
  return descriptor_create(env, own, KIND_STREAM, false);
}

// endStream(descriptor) tells the peer that nothing more comes; returns 0 or -errno.
napi_value end_stream(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct descriptor *descriptor;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  if (descriptor->tunnel != NULL && descriptor->tunnel->rest != NULL) {
    descriptor->tunnel->wants_room = true;
    return number_or_errno(env, refuse(EAGAIN));
  }
  return number_or_errno(env, shutdown(descriptor->fd, SHUT_WR));
}

// A connected stream socket that Node has opened and made known, and that is read and written here from then on: a
// read goes where the caller wants it, and a write says at once how much has left.
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

// The arguments of reading and of writing: (descriptor, bytes, from, to).
static bool take_stream_range(napi_env env, napi_callback_info info, struct descriptor **descriptor, uint8_t **bytes,
                              size_t *length) {
  napi_value arguments[4];
  return take_arguments(env, info, arguments, 4) && take_descriptor(env, arguments[0], descriptor) &&
         take_range(env, arguments + 1, bytes, length);
}

// readStream(descriptor, bytes, from, to) returns how many octets it put there, 0 at the stream's end, or -errno.
napi_value read_stream(napi_env env, napi_callback_info info) {
  struct descriptor *descriptor;
  uint8_t *bytes;
  size_t length;
  if (!take_stream_range(env, info, &descriptor, &bytes, &length)) return NULL;
  ssize_t count;
  do {
    count = recv(descriptor->fd, bytes, length, MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  return number_or_errno(env, count);
}

// writeStream(descriptor, bytes, from, to) returns how many octets the kernel took, or -errno.
napi_value write_stream(napi_env env, napi_callback_info info) {
  struct descriptor *descriptor;
  uint8_t *bytes;
  size_t length;
  if (!take_stream_range(env, info, &descriptor, &bytes, &length)) return NULL;
  // The rest of a message that the fast path has begun goes first.
  if (descriptor->tunnel != NULL && descriptor->tunnel->rest != NULL) return number_or_errno(env, refuse(EAGAIN));
  ssize_t count;
  do {
    count = send(descriptor->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count < (ssize_t)length) descriptor->has_waited = true;
  return number_or_errno(env, count);
}

// endStream(descriptor) tells the peer that nothing more comes; returns 0 or -errno.
napi_value end_stream(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct descriptor *descriptor;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  if (descriptor->tunnel != NULL && descriptor->tunnel->rest != NULL) {
    descriptor->tunnel->is_end_refused = true;
    return number_or_errno(env, refuse(EAGAIN));
  }
  return number_or_errno(env, shutdown(descriptor->fd, SHUT_WR));
}

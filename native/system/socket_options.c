// Options of sockets that Node opened and does not let us set: by name, so that the numbers stay the platform's.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "../node/values.h"
#include "system.h"

#ifndef SO_BUSY_POLL
#define SO_BUSY_POLL 46
#endif

struct option {
  const char *name;
  int level;
  int number;
};

static const struct option OPTIONS[] = {
    {"noDelay", IPPROTO_TCP, TCP_NODELAY},      {"notSentLowatBytes", IPPROTO_TCP, TCP_NOTSENT_LOWAT},
    {"quickAck", IPPROTO_TCP, TCP_QUICKACK},    {"userTimeoutMs", IPPROTO_TCP, TCP_USER_TIMEOUT},
    {"sendBufferBytes", SOL_SOCKET, SO_SNDBUF}, {"receiveBufferBytes", SOL_SOCKET, SO_RCVBUF},
    {"busyPollUs", SOL_SOCKET, SO_BUSY_POLL},   {"priority", SOL_SOCKET, SO_PRIORITY},
};

static bool take_option(napi_env env, napi_value value, struct option *result) {
  char name[32];
  if (!take_string(env, value, name, sizeof name)) return false;
  for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
    if (strcmp(OPTIONS[i].name, name) != 0) continue;
    *result = OPTIONS[i];
    return true;
  }
  napi_throw_range_error(env, NULL, "unknown socket option");
  return false;
}

// setSocketOption(fd, name, value)
napi_value set_socket_option(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int32_t fd, value;
  struct option option;
  if (!take_arguments(env, info, arguments, 3) || !take_int32(env, arguments[0], &fd) ||
      !take_option(env, arguments[1], &option) || !take_int32(env, arguments[2], &value)) {
    return NULL;
  }
  if (setsockopt(fd, option.level, option.number, &value, sizeof value) < 0) {
    return throw_errno(env, errno, "setsockopt");
  }
  return NULL;
}

// readSocketOption(fd, name) returns its value; the kernel doubles the buffer sizes.
napi_value read_socket_option(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  int32_t fd, value = 0;
  socklen_t size = sizeof value;
  struct option option;
  if (!take_arguments(env, info, arguments, 2) || !take_int32(env, arguments[0], &fd) ||
      !take_option(env, arguments[1], &option)) {
    return NULL;
  }
  if (getsockopt(fd, option.level, option.number, &value, &size) < 0) return throw_errno(env, errno, "getsockopt");
  CHECK_NAPI(env, napi_create_int32(env, value, &result));
  return result;
}

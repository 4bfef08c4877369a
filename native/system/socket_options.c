// Options that Node cannot set, of sockets that Node opened. Callers name them by text, because their numbers
// depend on the platform.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "../node/values.h"
#include "system.h"

struct option {
  const char *name;
  int level;
  int number;
};

static const struct option OPTIONS[] = {
    {"noDelay", IPPROTO_TCP, TCP_NODELAY},
    {"notSentLowatBytes", IPPROTO_TCP, TCP_NOTSENT_LOWAT},
    {"sendBufferBytes", SOL_SOCKET, SO_SNDBUF},
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

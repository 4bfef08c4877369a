// The congestion control of a TCP connection, and TCP's figures about its path.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../node/handle.h"
#include "../node/values.h"
#include "system.h"
#include "tcp_path.h"

// TCP_CA_NAME_MAX of the kernel: the terminating zero is included.
enum { ALGORITHM_NAME_BYTES = 16 };

static napi_value set_algorithm(napi_env env, int fd, const char *name) {
  if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0) return NULL;
  return throw_errno(env, errno, "setsockopt(TCP_CONGESTION)");
}

// readCongestionControl(descriptor) returns the name of the algorithm.
napi_value read_congestion_control(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct descriptor *descriptor;
  char name[ALGORITHM_NAME_BYTES] = {0};
  socklen_t size = sizeof name - 1;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  if (getsockopt(descriptor->fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0) {
    return throw_errno(env, errno, "getsockopt(TCP_CONGESTION)");
  }
  CHECK_NAPI(env, napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &result));
  return result;
}

// setCongestionControl(descriptor, name)
napi_value set_congestion_control(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct descriptor *descriptor;
  char name[ALGORITHM_NAME_BYTES];
  if (!take_arguments(env, info, arguments, 2) || !take_descriptor(env, arguments[0], &descriptor) ||
      !take_string(env, arguments[1], name, sizeof name)) {
    return NULL;
  }
  return set_algorithm(env, descriptor->fd, name);
}

// tryCongestionControl(name) sets the algorithm of a new socket, which is closed again. Throws what the kernel answers.
napi_value try_congestion_control(napi_env env, napi_callback_info info) {
  napi_value argument;
  char name[ALGORITHM_NAME_BYTES];
  if (!take_arguments(env, info, &argument, 1) || !take_string(env, argument, name, sizeof name)) return NULL;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno, "socket");
  napi_value result = set_algorithm(env, fd, name);
  close(fd);
  return result;
}

// readPath(descriptor) returns TCP's figures about the path of a connection, as src/native/streams.ts types them.
napi_value read_path(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct descriptor *descriptor;
  struct tcp_path path;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  if (!tcp_path_read(descriptor->fd, &path)) return throw_errno(env, errno, "getsockopt(TCP_INFO)");
  CHECK_NAPI(env, napi_create_object(env, &result));
  bool is_set = set_number(env, result, "shortestUs", path.shortest_us) &&
                set_number(env, result, "roundTripUs", path.round_trip_us) &&
                set_number(env, result, "variationUs", path.variation_us) &&
                set_number(env, result, "unsentBytes", path.unsent_bytes);
  return is_set ? result : NULL;
}

// TCP sockets with options that have to be set before they connect.
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../node/values.h"
#include "system.h"

// An empty name and a mark of 0 are the kernel's defaults.
static const char *set_options(int fd, const char *device, int mark) {
  size_t length = strlen(device);
  if (length > 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)length + 1) < 0) {
    return "SO_BINDTODEVICE";
  }
  return mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0 ? "SO_MARK" : NULL;
}

// openTcpSocket(isIpv6, device, mark) returns a file descriptor, which the caller owns. `syscall` of an exception is
// the name of the option that failed.
napi_value open_tcp_socket(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result;
  bool is_ipv6;
  char device[IFNAMSIZ];
  uint32_t mark;
  if (!take_arguments(env, info, arguments, 3) || !take_bool(env, arguments[0], &is_ipv6) ||
      !take_string(env, arguments[1], device, sizeof device)) {
    return NULL;
  }
  CHECK_NAPI(env, napi_get_value_uint32(env, arguments[2], &mark));
  int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return throw_errno(env, errno, "socket");
  const char *failed = set_options(fd, device, (int)mark);
  if (failed != NULL) {
    int error = errno;
    close(fd);
    return throw_errno(env, error, failed);
  }
  if (napi_create_int32(env, fd, &result) == napi_ok) return result;
  close(fd);
  return throw_napi_failure(env);
}

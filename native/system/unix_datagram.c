// Datagrams to Unix sockets, which Node cannot send.
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../node/values.h"
#include "system.h"

// Returns the length of the address, or 0 with errno. `@` at the beginning stands for the octet 0 of an abstract name
// (unix(7)), which is not terminated.
static socklen_t fill_address(struct sockaddr_un *address, const char *name) {
  size_t length = strlen(name);
  bool is_abstract = name[0] == '@';
  if (length == 0 || length + (is_abstract ? 0 : 1) > sizeof address->sun_path) {
    errno = length == 0 ? EINVAL : ENAMETOOLONG;
    return 0;
  }
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(address->sun_path, name, length);
  if (is_abstract) address->sun_path[0] = '\0';
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (is_abstract ? 0 : 1));
}

// sendUnixDatagram(name, octets) never waits. Throws EAGAIN when the receiver's queue is full.
napi_value send_unix_datagram(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  char name[sizeof(struct sockaddr_un)];
  uint8_t *octets;
  size_t length;
  struct sockaddr_un address;
  if (!take_arguments(env, info, arguments, 2) || !take_string(env, arguments[0], name, sizeof name) ||
      !take_octets(env, arguments[1], &octets, &length)) {
    return NULL;
  }
  socklen_t address_length = fill_address(&address, name);
  if (address_length == 0) return throw_errno(env, errno, "sendto");
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return throw_errno(env, errno, "socket");
  ssize_t sent = sendto(fd, octets, length, MSG_NOSIGNAL, (struct sockaddr *)&address, address_length);
  int error = errno;
  close(fd);
  return sent < 0 ? throw_errno(env, error, "sendto") : NULL;
}

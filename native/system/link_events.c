// A subscription to events of links: up, down, MTU, name, new address, removal.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../node/handle.h"
#include "../node/values.h"
#include "link.h"
#include "netlink.h"
#include "system.h"

enum { EVENT_BYTES = 32768, EVENTS_AT_ONCE = 64 };

// openLinkEvents() returns a descriptor.
napi_value open_link_events(napi_env env, napi_callback_info info) {
  (void)info;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return throw_errno(env, errno, "socket(AF_NETLINK)");
  struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, error, "bind(AF_NETLINK)");
  }
  return handle_create(env, fd, KIND_LINK_EVENTS, false);
}

// The event of a new address of a link: {index, hasNewAddress: true}.
static napi_value describe_new_address(napi_env env, const struct nlmsghdr *message) {
  napi_value object;
  const struct ifaddrmsg *address = NLMSG_DATA(message);
  CHECK_NAPI(env, napi_create_object(env, &object));
  if (!set_number(env, object, "index", address->ifa_index) || !set_bool(env, object, "hasNewAddress", true))
    return NULL;
  return object;
}

// readLinkEvents(descriptor) returns the links that changed or got an address, oldest first. null: events were lost, so
// the caller has to read the state of its links.
napi_value read_link_events(napi_env env, napi_callback_info info) {
  napi_value argument, list, lost;
  struct descriptor *descriptor;
  uint32_t count = 0;
  _Alignas(struct nlmsghdr) char bytes[EVENT_BYTES];
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  CHECK_NAPI(env, napi_create_array(env, &list));
  CHECK_NAPI(env, napi_get_null(env, &lost));

  for (int datagram = 0; datagram < EVENTS_AT_ONCE; datagram++) {
    ssize_t received = recv(descriptor->fd, bytes, sizeof bytes, MSG_TRUNC);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return list;
      return errno == ENOBUFS ? lost : throw_errno(env, errno, "recv(AF_NETLINK)");
    }
    if ((size_t)received > sizeof bytes) return lost;
    size_t length = (size_t)received;
    const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
    for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
      bool is_link = message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_DELLINK;
      if (!is_link && message->nlmsg_type != RTM_NEWADDR) continue;
      size_t body = is_link ? sizeof(struct ifinfomsg) : sizeof(struct ifaddrmsg);
      if (message->nlmsg_len < NLMSG_LENGTH(body)) continue;
      napi_value event = is_link ? describe_link(env, message) : describe_new_address(env, message);
      if (event == NULL) return NULL;
      CHECK_NAPI(env, napi_set_element(env, list, count++, event));
    }
  }
  return list;
}

// The IP addresses of a link.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

#include "../node/handle.h"
#include "../node/values.h"
#include "netlink.h"
#include "system.h"

struct address_query {
  napi_env env;
  int index;
  uint32_t count;
  napi_value list;
};

static bool append_address(struct address_query *query, const struct ifaddrmsg *address, const void *octets) {
  napi_env env = query->env;
  char text[INET6_ADDRSTRLEN];
  napi_value object;
  if (inet_ntop(address->ifa_family, octets, text, sizeof text) == NULL) return true;
  if (napi_create_object(env, &object) != napi_ok || !set_string(env, object, "address", text) ||
      !set_number(env, object, "prefixLength", address->ifa_prefixlen) ||
      !set_number(env, object, "family", address->ifa_family == AF_INET ? 4 : 6) ||
      !set_bool(env, object, "isSecondary",
                address->ifa_family == AF_INET && (address->ifa_flags & IFA_F_SECONDARY) != 0) ||
      napi_set_element(env, query->list, query->count++, object) != napi_ok) {
    throw_napi_failure(env);
    return false;
  }
  return true;
}

static bool take_address(const struct nlmsghdr *answer, void *context) {
  struct address_query *query = context;
  const struct ifaddrmsg *address = NLMSG_DATA(answer);
  if (answer->nlmsg_type != RTM_NEWADDR || (int)address->ifa_index != query->index) return true;
  size_t octets = address->ifa_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
  if (address->ifa_family != AF_INET && address->ifa_family != AF_INET6) return true;

  // IFA_LOCAL is the link's own address. IFA_ADDRESS is the peer's on a point-to-point link; without IFA_LOCAL it is
  // the link's own.
  const void *local = NULL;
  int length = (int)IFA_PAYLOAD(answer);
  const struct rtattr *attribute = IFA_RTA(address);
  for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length)) {
    if (RTA_PAYLOAD(attribute) < octets) continue;
    if (attribute->rta_type == IFA_LOCAL || (attribute->rta_type == IFA_ADDRESS && local == NULL)) {
      local = RTA_DATA(attribute);
    }
  }
  return local == NULL || append_address(query, address, local);
}

// listAddresses(index, netnsId?) returns [{address, prefixLength, family, isSecondary}], in the kernel's order.
napi_value list_addresses(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct address_query query = {.env = env};
  int32_t netns_id;
  if (!take_arguments_from(env, info, arguments, 1, 2) || !take_int32(env, arguments[0], &query.index) ||
      !take_int32_or(env, arguments[1], -1, &netns_id)) {
    return NULL;
  }
  CHECK_NAPI(env, napi_create_array(env, &query.list));

  struct route_request request;
  route_begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof request.body.address);
  request.body.address.ifa_index = (uint32_t)query.index;
  if (netns_id >= 0) route_attribute(&request, IFA_TARGET_NETNSID, &netns_id, sizeof netns_id);
  int status = route_exchange(&request, take_address, &query);
  if (status == -ECANCELED) return NULL;
  if (status < 0) return throw_errno(env, -status, "rtnetlink(RTM_GETADDR)");
  return query.list;
}

static napi_value change_address(napi_env env, napi_callback_info info, int type, int flags, const char *call) {
  napi_value arguments[4];
  int tap_fd;
  int32_t index, prefix_length;
  char text[INET6_ADDRSTRLEN];
  unsigned char octets[sizeof(struct in6_addr)];
  if (!take_arguments_from(env, info, arguments, 3, 4) || !take_int32(env, arguments[0], &index) ||
      !take_string(env, arguments[1], text, sizeof text) || !take_int32(env, arguments[2], &prefix_length) ||
      !take_fd_or_none(env, arguments[3], &tap_fd)) {
    return NULL;
  }
  int family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
  int longest = family == AF_INET ? 32 : 128;
  if (inet_pton(family, text, octets) != 1 || prefix_length < 0 || prefix_length > longest) {
    return throw_errno(env, EINVAL, call);
  }
  size_t length = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

  struct route_request request;
  route_begin(&request, type, NLM_F_ACK | flags, sizeof request.body.address);
  request.body.address.ifa_family = (uint8_t)family;
  request.body.address.ifa_prefixlen = (uint8_t)prefix_length;
  request.body.address.ifa_index = (uint32_t)index;
  route_attribute(&request, IFA_LOCAL, octets, length);
  route_attribute(&request, IFA_ADDRESS, octets, length);
  if (type == RTM_NEWADDR && family == AF_INET && prefix_length > 0 && prefix_length < 31) {
    // The broadcast address has all ones in the host part, as SIOCSIFADDR sets it, which etherws 1.x used.
    uint32_t broadcast;
    memcpy(&broadcast, octets, sizeof broadcast);
    broadcast |= htonl(0xffffffffu >> prefix_length);
    route_attribute(&request, IFA_BROADCAST, &broadcast, sizeof broadcast);
  }
  int status = route_exchange_at(tap_fd, &request, NULL, NULL);
  return status < 0 ? throw_errno(env, -status, call) : NULL;
}

// addAddress(index, address, prefixLength, tap?). Throws EEXIST when the link has the address already.
napi_value add_address(napi_env env, napi_callback_info info) {
  return change_address(env, info, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "rtnetlink(RTM_NEWADDR)");
}

// deleteAddress(index, address, prefixLength, tap?)
napi_value delete_address(napi_env env, napi_callback_info info) {
  return change_address(env, info, RTM_DELADDR, 0, "rtnetlink(RTM_DELADDR)");
}

// The state of a link, and changes to it.
#include "link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <string.h>

#include "../node/handle.h"
#include "../node/values.h"
#include "netlink.h"
#include "system.h"

enum { TAP_TYPE = 2 };  // IFF_TAP in IFLA_TUN_TYPE

struct link_query {
  napi_env env;
  napi_value result;
};

static bool set_text(napi_env env, napi_value object, const char *name, const struct rtattr *attribute) {
  char text[64];
  size_t length = RTA_PAYLOAD(attribute);
  if (length >= sizeof text) length = sizeof text - 1;
  memcpy(text, RTA_DATA(attribute), length);
  text[length] = '\0';
  return set_string(env, object, name, text);
}

static bool set_word(napi_env env, napi_value object, const char *name, const struct rtattr *attribute) {
  uint32_t word;
  if (RTA_PAYLOAD(attribute) < sizeof word) return true;
  memcpy(&word, RTA_DATA(attribute), sizeof word);
  return set_number(env, object, name, word);
}

// The attributes of a TUN or TAP device, named as by `ip -details link`.
static bool set_tun_data(napi_env env, napi_value object, const struct rtattr *data) {
  int length = (int)RTA_PAYLOAD(data);
  const struct rtattr *part = RTA_DATA(data);
  for (; RTA_OK(part, length); part = RTA_NEXT(part, length)) {
    uint8_t octet = RTA_PAYLOAD(part) > 0 ? *(const uint8_t *)RTA_DATA(part) : 0;
    bool is_set = true;
    if (part->rta_type == IFLA_TUN_TYPE) is_set = set_bool(env, object, "isTap", octet == TAP_TYPE);
    else if (part->rta_type == IFLA_TUN_MULTI_QUEUE) is_set = set_bool(env, object, "isMultiQueue", octet != 0);
    else if (part->rta_type == IFLA_TUN_NUM_QUEUES) is_set = set_word(env, object, "queues", part);
    if (!is_set) return false;
  }
  return true;
}

static bool is_named(const struct rtattr *kind, const char *name) {
  return kind != NULL && RTA_PAYLOAD(kind) >= strlen(name) && memcmp(RTA_DATA(kind), name, strlen(name)) == 0;
}

static bool set_kind(napi_env env, napi_value object, const struct rtattr *information) {
  int length = (int)RTA_PAYLOAD(information);
  const struct rtattr *part = RTA_DATA(information), *kind = NULL;
  for (; RTA_OK(part, length); part = RTA_NEXT(part, length)) {
    if (part->rta_type == IFLA_INFO_KIND) {
      kind = part;
      if (!set_text(env, object, "kind", part)) return false;
    }
    // Other kinds of devices use the same numbers for their attributes. The kind comes first.
    if (part->rta_type == IFLA_INFO_DATA && is_named(kind, "tun") && !set_tun_data(env, object, part)) return false;
  }
  return true;
}

static bool set_attribute(napi_env env, napi_value object, const struct rtattr *attribute) {
  switch (attribute->rta_type & NLA_TYPE_MASK) {
    case IFLA_IFNAME: return set_text(env, object, "name", attribute);
    case IFLA_MTU: return set_word(env, object, "mtu", attribute);
    case IFLA_MIN_MTU: return set_word(env, object, "minMtu", attribute);
    case IFLA_MAX_MTU: return set_word(env, object, "maxMtu", attribute);
    case IFLA_TXQLEN: return set_word(env, object, "txQueueFrames", attribute);
    case IFLA_LINKINFO: return set_kind(env, object, attribute);
    default: return true;
  }
}

napi_value describe_link(napi_env env, const struct nlmsghdr *message) {
  napi_value object;
  const struct ifinfomsg *link = NLMSG_DATA(message);
  CHECK_NAPI(env, napi_create_object(env, &object));
  if (!set_number(env, object, "index", link->ifi_index) || !set_number(env, object, "hardwareType", link->ifi_type) ||
      !set_bool(env, object, "isUp", (link->ifi_flags & IFF_UP) != 0) ||
      !set_bool(env, object, "isRunning", (link->ifi_flags & IFF_RUNNING) != 0) ||
      // A Linux bridge's events about its ports are in the same group; their RTM_DELLINK does not remove the device.
      !set_bool(env, object, "isRemoved", message->nlmsg_type == RTM_DELLINK && link->ifi_family == AF_UNSPEC)) {
    return NULL;
  }
  int length = (int)IFLA_PAYLOAD(message);
  const struct rtattr *attribute = IFLA_RTA(link);
  for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length)) {
    if (!set_attribute(env, object, attribute)) return NULL;
  }
  return object;
}

static bool take_link(const struct nlmsghdr *answer, void *context) {
  struct link_query *query = context;
  if (answer->nlmsg_type != RTM_NEWLINK) return true;
  query->result = describe_link(query->env, answer);
  return query->result != NULL;
}

// readLink(nameOrIndex, netnsId?) returns the link, or throws ENODEV.
napi_value read_link(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  napi_valuetype type;
  int32_t netns_id;
  if (!take_arguments_from(env, info, arguments, 1, 2) || !take_int32_or(env, arguments[1], -1, &netns_id)) return NULL;
  napi_value argument = arguments[0];
  CHECK_NAPI(env, napi_typeof(env, argument, &type));

  struct route_request request;
  route_begin(&request, RTM_GETLINK, 0, sizeof request.body.link);
  if (type == napi_number) {
    int32_t index;
    if (!take_int32(env, argument, &index)) return NULL;
    request.body.link.ifi_index = index;
  } else {
    char name[IFNAMSIZ];
    if (!take_string(env, argument, name, sizeof name)) return NULL;
    route_attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
  }
  if (netns_id >= 0) route_attribute(&request, IFLA_TARGET_NETNSID, &netns_id, sizeof netns_id);
  struct link_query query = {env, NULL};
  int status = route_exchange(&request, take_link, &query);
  if (status == -ECANCELED) return NULL;
  if (status < 0) return throw_errno(env, -status, "rtnetlink(RTM_GETLINK)");
  return query.result;
}

// changeLink(index, isUp, mtu, txQueueFrames, tap?): -1: unchanged.
napi_value change_link(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  int tap_fd;
  int32_t index, is_up, mtu, queue;
  if (!take_arguments_from(env, info, arguments, 4, 5) || !take_int32(env, arguments[0], &index) ||
      !take_int32(env, arguments[1], &is_up) || !take_int32(env, arguments[2], &mtu) ||
      !take_int32(env, arguments[3], &queue) || !take_fd_or_none(env, arguments[4], &tap_fd)) {
    return NULL;
  }
  struct route_request request;
  route_begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof request.body.link);
  request.body.link.ifi_index = index;
  if (is_up >= 0) {
    request.body.link.ifi_flags = is_up > 0 ? IFF_UP : 0;
    request.body.link.ifi_change = IFF_UP;
  }
  if (mtu >= 0) route_attribute(&request, IFLA_MTU, &(uint32_t){(uint32_t)mtu}, sizeof(uint32_t));
  if (queue >= 0) route_attribute(&request, IFLA_TXQLEN, &(uint32_t){(uint32_t)queue}, sizeof(uint32_t));
  int status = route_exchange_at(tap_fd, &request, NULL, NULL);
  if (status < 0) return throw_errno(env, -status, "rtnetlink(RTM_NEWLINK)");
  return NULL;
}

// setLinkAddress(index, octets): the MAC address.
napi_value set_link_address(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t index;
  uint8_t *octets;
  size_t length;
  if (!take_arguments(env, info, arguments, 2) || !take_int32(env, arguments[0], &index) ||
      !take_octets(env, arguments[1], &octets, &length)) {
    return NULL;
  }
  struct route_request request;
  route_begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof request.body.link);
  request.body.link.ifi_index = index;
  route_attribute(&request, IFLA_ADDRESS, octets, length);
  int status = route_exchange(&request, NULL, NULL);
  return status < 0 ? throw_errno(env, -status, "rtnetlink(RTM_NEWLINK)") : NULL;
}

// moveLink(index, netnsFd): puts the device into another network namespace, and sets it up there.
napi_value move_link(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t index, netns_fd;
  if (!take_arguments(env, info, arguments, 2) || !take_int32(env, arguments[0], &index) ||
      !take_int32(env, arguments[1], &netns_fd)) {
    return NULL;
  }
  struct route_request request;
  route_begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof request.body.link);
  request.body.link.ifi_index = index;
  // The kernel moves the device first, and then sets the flags there. So one request does both, and over the other
  // namespace it needs CAP_NET_ADMIN only.
  request.body.link.ifi_flags = IFF_UP;
  request.body.link.ifi_change = IFF_UP;
  route_attribute(&request, IFLA_NET_NS_FD, &netns_fd, sizeof netns_fd);
  int status = route_exchange(&request, NULL, NULL);
  return status < 0 ? throw_errno(env, -status, "rtnetlink(RTM_NEWLINK)") : NULL;
}

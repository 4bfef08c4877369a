// A link, as the kernel describes it in an answer or an event.
#ifndef ETHERWS_LINK_H
#define ETHERWS_LINK_H

#include <linux/netlink.h>
#include <node_api.h>

// Returns {index, name, flags, mtu, …} of an RTM_NEWLINK or RTM_DELLINK message; NULL with an exception pending.
napi_value describe_link(napi_env env, const struct nlmsghdr *message);

#endif

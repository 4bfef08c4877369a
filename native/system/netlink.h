// rtnetlink(7): one request and its answers, on a socket that is opened for them.
#ifndef ETHERWS_ROUTE_H
#define ETHERWS_ROUTE_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct route_request {
  struct nlmsghdr header;
  union {
    struct ifinfomsg link;
    struct ifaddrmsg address;
    struct rtgenmsg general;
  } body;
  char attributes[256];
};

// Called for each answer. Returns false with an exception pending; then route_exchange returns -ECANCELED.
typedef bool route_answer(const struct nlmsghdr *answer, void *context);

void route_begin(struct route_request *request, int type, int flags, size_t body_bytes);
void route_attribute(struct route_request *request, int type, const void *value, size_t bytes);
// Returns 0 or -errno. `each` is NULL when only success matters.
int route_exchange(struct route_request *request, route_answer *each, void *context);
// The same in the network namespace of a TAP device; -1: in that of the process. -EPERM without CAP_SYS_ADMIN.
int route_exchange_at(int tap_fd, struct route_request *request, route_answer *each, void *context);

#endif
